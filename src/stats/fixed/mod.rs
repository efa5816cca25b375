//! Tests for data that are complete, and looked at once.
//!
//! Whoever looks while the data come in, and stops when the answer pleases, is wrong more often than
//! a test's `alpha` says: that is what [`sequential`](super::sequential) is for.
//!
//! Treatment comes before control, and a difference is treatment − control. `None` is the answer
//! where there is none: too few observations, no scatter at all, an `alpha` that is not between
//! 0 and 1, sums beyond what a float holds.

mod adjust;
mod p_values;
mod power;
mod proportions;
mod ranks;
mod resampling;
mod sample_ratio;
mod t_test;

pub use adjust::{benjamini_hochberg, holm};
pub use p_values::PValues;
pub use power::{
    Design, Sides, StillNeeded, detectable_effect, detectable_increase, power_of_means,
    power_of_proportions, size_for_means, size_for_proportions, still_needed,
};
pub use proportions::{
    DifferenceOfProportions, Proportion, RelativeRisk, ZTest, fisher_exact, newcombe, pooled_z,
    relative_risk, wilson,
};
pub use ranks::{MannWhitney, Shift, TwoSamples, hodges_lehmann, mann_whitney, mann_whitney_exact};
pub use resampling::{Bootstrap, Permutation, Resampling, bootstrap, bootstrap_two, permutation};
pub use sample_ratio::{ChiSquared, sample_ratio};
pub use t_test::{TTest, paired_t, welch};
