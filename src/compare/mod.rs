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

mod comparison;
mod difference;
mod rule;

pub use comparison::Comparison;
pub use difference::{Difference, DifferenceKind, Differences};
pub use rule::{Compare, NoComparison};
