//! Many configs from one: templates with `$` words, spaces, and expansion by code.
//!
//! A map with one `$` key stands for several values. Wherever such maps stand in a template, the
//! template stands for every combination of theirs:
//!
//! ```
//! use serde_json::json;
//! use tower_spearmint::ConfigPool;
//!
//! let pool = ConfigPool::from_values([json!({
//!     "model": { "$choice": ["small", "large"] },
//!     "temperature": { "$linspace": [0, 1, 3] },
//! })])?;
//! assert_eq!(pool.len(), 6);
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! | word | the values |
//! |---|---|
//! | `$choice: [a, b]` | each; they may be maps and hold `$` words themselves |
//! | `$range: [start, stop, step]` | `start`, `start + step`, … without `stop`; the step is 1 if not said |
//! | `$linspace: [start, stop, n]` | n numbers in equal steps, both ends included |
//! | `$logspace: [start, stop, n]` | 10 to the power of those (`base` beside it: another base) |
//! | `$geomspace: [start, stop, n]` | n numbers in equal ratios, both ends included |
//! | `$uniform: [low, high]` | drawn; with `count`, and `seed` (0 if not said), beside it |
//! | `$log_uniform: [low, high]` | drawn so that the logarithm is uniform |
//! | `$int_uniform: [low, high]` | whole numbers drawn, without `high` |
//! | `$normal: [mean, deviation]` | drawn from the normal distribution |
//! | `$grid: { a: […], b: […] }` | a map with every combination |
//! | `$zip: { a: […], b: […] }` | a map with the first of each, the second of each, … |
//!
//! `$grid` and `$zip` may stand beside plain keys; theirs join these. A key that really begins
//! with `$` is written with `$$`. `$expand` at the top says which configs are left out and what
//! they are called. Customised, lazily:
//!
//! ```
//! use serde_json::json;
//! use tower_spearmint::config::expand::{Space, choice, range};
//!
//! let space = Space::new(json!({
//!     "model": choice(["small", "large"]),
//!     "llm": { "top_k": range(0, 1_000_000_000, 1) },
//!     "$expand": {
//!         "exclude": "model == 'small' and llm.top_k >= 10",
//!         "name": "{model}-{llm.top_k}",
//!     },
//! }))?;
//! assert_eq!(space.len(), 2_000_000_000);
//! let some: Vec<_> = space.sample(3, 7).map(|point| point.config()).collect::<Result<_, _>>()?;
//! assert!(some.iter().all(|config| config.id().as_str().starts_with("large-")));
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! The order of the configs and the numbers drawn are the same on every machine: keys count in
//! alphabetical order, the last varies fastest; draws and logarithms use no function of the
//! platform; computed numbers are rounded to 15 significant digits.

mod axis;
mod build;
mod error;
mod expression;
mod float;
mod iter;
mod node;
mod numbers;
mod permute;
mod point;
mod read;
mod rules;
mod source;
mod space;
mod words;

pub use axis::Axis;
pub use build::{
    choice, geomspace, grid, int_uniform, linspace, log_uniform, logspace, normal, range, uniform,
    zip,
};
pub use error::SpaceError;
pub use iter::{Kept, Points, Sample};
pub use point::Point;
pub(super) use point::Template;
pub(crate) use read::is_template;
pub use source::{ExpandConfig, MAX_EXPANDED};
pub use space::Space;

/// The manual's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/expansion.md")]
struct Manual;
