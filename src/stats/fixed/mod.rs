//! Tests for data that are complete, and looked at once.
//!
//! Whoever looks while the data come in, and stops when the answer pleases, is wrong more often
//! than a test's `alpha` says: that is what [`sequential`](super::sequential) is for.
//!
//! | question | function | asks |
//! |---|---|---|
//! | is the mean higher? | [`welch`], [`paired_t`] | sums ([`Summary`](super::Summary)) |
//! | for few observations, or any statistic? | [`permutation`], [`bootstrap`], [`bootstrap_two`] | the observations |
//! | is the 95th percentile higher? | [`bootstrap_quantiles`] | the observations |
//! | does it happen more often? | [`newcombe`], [`pooled_z`], [`relative_risk`]; for few [`fisher_exact`] | counts ([`Proportion`]) |
//! | the same, of trials that both sides had? | [`mcnemar`] | discordant pairs ([`Discordant`]) |
//! | how often at all? | [`wilson`] | counts |
//! | are its values larger, whatever their distribution? | [`mann_whitney`], [`mann_whitney_exact`], [`hodges_lehmann`] | a histogram ([`TwoSamples`]) |
//! | did each arm get its share of units? | [`sample_ratio`] | counts |
//! | several questions at once? | [`holm`], [`benjamini_hochberg`] | p-values |
//! | how many observations does it take? | [`size_for_means`], [`size_for_proportions`], [`still_needed`] | a [`Design`] |
//! | what would so many show? | [`power_of_means`], [`detectable_effect`], [`power_of_proportions`], [`detectable_increase`] | a [`Design`] |
//!
//! Ratios, lifts and means adjusted by what was known before are in [`delta`](super::delta) and
//! [`cuped`](super::cuped).
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
    DifferenceOfProportions, Discordant, McNemar, Proportion, RelativeRisk, ZTest, fisher_exact,
    mcnemar, newcombe, pooled_z, relative_risk, wilson,
};
pub use ranks::{MannWhitney, Shift, TwoSamples, hodges_lehmann, mann_whitney, mann_whitney_exact};
pub use resampling::{
    Bootstrap, Permutation, QuantileDifference, Resampling, bootstrap, bootstrap_quantiles,
    bootstrap_two, permutation,
};
pub use sample_ratio::{ChiSquared, sample_ratio};
pub use t_test::{TTest, paired_t, welch};
