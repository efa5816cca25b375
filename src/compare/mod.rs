//! What two answers to the same request have in common, and what not.
//!
//! A shadow strategy compares what its shadows answered with what the primary answered. The
//! result of one comparison is a list of [`Differences`] by path; the record of it, with the
//! branches it belongs to, is a [`Comparison`].
//!
//! ```
//! use tower_spearmint::compare::{DifferenceKind, Differences};
//!
//! let mut differences = Differences::default();
//! assert!(differences.is_empty());
//! differences.push("/price", DifferenceKind::Changed, Some("12.5"), Some("12.0"));
//! assert_eq!(differences.list()[0].path, "/price");
//! ```
//!
//! [`json`](json()) compares two JSON values, by [`JsonRules`]:
//!
//! ```
//! use serde_json::json;
//! use tower_spearmint::compare::{self, JsonRules, Tolerance};
//!
//! let rules = JsonRules::default().ignore(["/id"])?.tolerance(Tolerance::relative(1e-6));
//! let primary = json!({ "id": "a1", "total": 1_000_000.0, "name": "Ann" });
//! let shadow = json!({ "id": "b2", "total": 1_000_000.5, "name": "Anne" });
//! let differences = compare::json(&primary, &shadow, &rules);
//! assert_eq!(differences.list().len(), 1);
//! assert_eq!(differences.list()[0].path, "/name");
//! # Ok::<(), tower_spearmint::compare::PatternError>(())
//! ```
//!
//! Over HTTP, with the feature `compare`, `http::CompareRules` compares whole answers.

mod answers;
mod comparison;
mod difference;
mod json;
mod pattern;

mod rules;
mod sample;
mod tolerance;
mod unordered;

pub use answers::{Compare, NoComparison};
pub use comparison::Comparison;
pub use difference::{Difference, DifferenceKind, Differences};
pub use json::json;
pub use pattern::{PathPattern, PatternError};

pub use rules::JsonRules;
#[cfg(feature = "compare")]
pub(crate) use sample::texts;
pub use tolerance::Tolerance;
