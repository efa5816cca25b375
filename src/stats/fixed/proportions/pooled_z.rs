//! Are two shares the same? For large counts.

use super::Proportion;
use crate::stats::{fixed::PValues, special::normal_upper};

/// What a z test says of a difference of shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZTest {
    /// The difference, treatment − control, over its standard error if there were none.
    pub z: f64,
    /// If there were no difference.
    pub p: PValues,
}

/// The pooled z test: z = (p̂₁ − p̂₂) / √(p̄(1−p̄)(1/n₁ + 1/n₂)), with p̄ the share of both
/// together (Fleiss, Levin and Paik, "Statistical Methods for Rates and Proportions", 2003, section
/// 3.1, without their continuity correction). Its square is Pearson's χ² of the two-by-two table.
///
/// For counts (successes and failures) from about ten; with fewer,
/// [`fisher_exact`](super::fisher_exact). `None` if a side has no trials, or if all succeeded or
/// none did.
///
/// ```
/// use tower_spearmint::stats::fixed::{Proportion, pooled_z};
///
/// let treatment = Proportion { successes: 150, trials: 1_000 };
/// let control = Proportion { successes: 100, trials: 1_000 };
/// assert!(pooled_z(treatment, control).unwrap().p.two_sided < 0.001);
/// ```
pub fn pooled_z(treatment: Proportion, control: Proportion) -> Option<ZTest> {
    let difference = treatment.share()? - control.share()?;
    let trials = treatment.trials() + control.trials();
    let succeeded = (treatment.successes() + control.successes()) / trials;
    let failed = (treatment.failures()? + control.failures()?) / trials;
    let variance = succeeded * failed * (1.0 / treatment.trials() + 1.0 / control.trials());
    let z = difference / variance.sqrt();
    if !z.is_finite() {
        return None;
    }
    Some(ZTest { z, p: PValues::symmetric(z, normal_upper)? })
}
