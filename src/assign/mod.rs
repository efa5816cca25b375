//! Who gets what: the arithmetic behind the strategies.
//!
//! Configs lie side by side on a line of 2⁶⁴ points, each as long as its weight. A request draws
//! a point: from a counter (*weighted*: as good as random, and the same for the same seed) or
//! from the key of its unit (*sticky*: a user, a session; the same on every replica, process and
//! version, since it depends on nothing but salt, key and weights).

mod line;
mod points;
mod sticky;

pub use line::WeightError;
pub(crate) use line::{Line, inside};
pub(crate) use points::{Cycle, Draws, Spread};
pub use sticky::UnitKey;
pub(crate) use sticky::{Salt, Unit};

/// No key: requests of one unit are not kept together.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKey;
