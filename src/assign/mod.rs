//! Who gets what: the arithmetic behind the strategies.
//!
//! Configs lie side by side on a line of 2⁶⁴ points, each as long as its weight. A request draws
//! a point: from a counter (*weighted*: as good as random, and the same for the same seed) or
//! from the key of its unit (*sticky*: a user, a session; the same on every replica, process and
//! version, since it depends on nothing but salt, key and weights).
//!
//! Who takes part at all is decided first, in this order: what a tester asked for
//! ([`Testers`]) is given; then what the rules leave out ([`Eligible`]), who is held out
//! ([`Holdout`]), who belongs to another experiment of the [`Namespace`], and who is outside the
//! [`Ramp`] get the default config. Each branch records the [`Reason`] and the [`Epoch`], the version of
//! weights and rules. `docs/assignment.md` has the arithmetic to the bit, with test vectors.
//!
//! ```
//! use serde_json::json;
//! use tower_spearmint::{ConfigPool, RoundRobinLayer, assign::{Holdout, Ramp}};
//!
//! let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })])?;
//! let by_user = |user: &String| Some(user.clone());
//! let layer = RoundRobinLayer::new(pool.clone()).sticky("ranker-2026", by_user);
//!
//! // A tenth of those who are not held out; all others stay on `a`.
//! let careful = layer.clone().default("a")?.ramp(Ramp::share(0.1)).holdout(Holdout::new("global", 0.05));
//! assert_ne!(layer.epoch(), careful.epoch());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod epoch;
mod explain;
mod holdout;
mod line;
mod namespace;
mod percentage;
mod plan;
mod points;
mod ramp;
mod reason;
mod screen;
mod sticky;
#[cfg(test)]
mod vectors;

pub use epoch::Epoch;
pub(crate) use explain::share_of;
pub use explain::{Explanation, Step, UnitWords};
pub use holdout::Holdout;
pub use line::WeightError;
pub(crate) use line::{Line, inside};
pub use namespace::{Namespace, NamespaceError};
pub use percentage::Percentage;
pub(crate) use plan::{Choice, Chosen, Gate, OfUnit, Plan};
pub(crate) use points::{Cycle, Draws, Spread};
pub use ramp::{Ramp, RampError};
pub use reason::Reason;
pub use screen::{Eligible, Everyone, NoTesters, Testers};
#[cfg(feature = "store")]
pub(crate) use sticky::Keyed;
pub use sticky::UnitKey;
pub(crate) use sticky::{Salt, Unit};

/// No key: requests of one unit are not kept together.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKey;
