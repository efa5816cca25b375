//! How far two shares are apart.

use super::{Proportion, wilson};
use crate::stats::Interval;

/// A difference of shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DifferenceOfProportions {
    /// The treatment's share minus the control's.
    pub difference: f64,
    /// Where the true difference lies, except with chance `alpha`.
    pub interval: Interval,
}

/// Newcombe's hybrid score interval: from [`wilson`]'s intervals (l, u) of both shares, the
/// difference − √((p̂₁−l₁)² + (u₂−p̂₂)²) to the difference + √((u₁−p̂₁)² + (p̂₂−l₂)²) (Newcombe,
/// "Interval estimation for the difference between independent proportions: comparison of eleven
/// methods", Statistics in Medicine 17, 1998, method 10).
///
/// `alpha` between 0 and 1. `None` if a side has no trials.
///
/// ```
/// use tower_spearmint::stats::fixed::{Proportion, newcombe};
///
/// let treatment = Proportion { successes: 56, trials: 70 };
/// let control = Proportion { successes: 48, trials: 80 };
/// let apart = newcombe(treatment, control, 0.05).unwrap();
/// // The paper's example (a).
/// assert!((apart.interval.low - 0.0524).abs() < 5e-5);
/// assert!((apart.interval.high - 0.3339).abs() < 5e-5);
/// ```
pub fn newcombe(
    treatment: Proportion,
    control: Proportion,
    alpha: f64,
) -> Option<DifferenceOfProportions> {
    let (p, q) = (treatment.share()?, control.share()?);
    let (of_treatment, of_control) = (wilson(treatment, alpha)?, wilson(control, alpha)?);
    let difference = p - q;
    let interval = Interval {
        low: difference - (p - of_treatment.low).hypot(of_control.high - q),
        high: difference + (of_treatment.high - p).hypot(q - of_control.low),
    };
    Some(DifferenceOfProportions { difference, interval })
}
