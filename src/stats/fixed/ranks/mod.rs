//! Two samples compared by order alone: nothing is assumed of how the values are distributed.

mod hodges_lehmann;
mod mann_whitney;
mod null;
mod samples;

pub use hodges_lehmann::{Shift, hodges_lehmann};
pub use mann_whitney::{MannWhitney, mann_whitney, mann_whitney_exact};
pub use samples::TwoSamples;
