//! Is one config better than another, and how sure may one be of it?
//!
//! Every method is a function of a few sums, never of the observations one by one: so that sums
//! kept in parts (minutes, replicas, buckets of units) are added up first, and a month is asked as
//! quickly as a minute. (Resampling and ranks need the observations, or their histogram.)
//!
//! - [`sequential`]: answers that stay true however often one looks while the data come in.
//! - [`fixed`]: the textbook's tests, for data that are complete, and looked at once.
//! - [`delta`], [`cuped`]: ratios, lifts and adjusted means as a [`Summary`], for either.
//! - [`special`]: the distributions they stand on.
//!
//! Where there is too little to say anything (no observations, one, all of them equal), the answer
//! is `None` or an interval without end, never a division by zero.

pub mod cuped;
pub mod delta;
pub mod fixed;
mod interval;
mod joint;
pub mod sequential;
pub mod special;
mod summary;

pub use interval::Interval;
pub use joint::JointSummary;
pub use summary::Summary;
