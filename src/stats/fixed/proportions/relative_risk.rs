//! How many times as often.

use super::Proportion;
use crate::stats::{Interval, interval::half_of, special::normal_upper_inverse};

/// A ratio of shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RelativeRisk {
    /// The treatment's share over the control's: 2 is twice as often.
    pub ratio: f64,
    /// Where the true ratio lies, except with chance `alpha`.
    pub interval: Interval,
}

/// The relative risk, with the log interval: ln(p̂₁/p̂₂) ± z √(1/x₁ − 1/n₁ + 1/x₂ − 1/n₂) (Katz,
/// Baptista, Azen and Pike, "Obtaining confidence intervals for the risk ratio in cohort studies",
/// Biometrics 34, 1978, method C).
///
/// `alpha` between 0 and 1. `None` if a side has no success, or if neither has a failure.
///
/// ```
/// use tower_spearmint::stats::fixed::{Proportion, relative_risk};
///
/// let treatment = Proportion { successes: 30, trials: 1_000 };
/// let control = Proportion { successes: 15, trials: 1_000 };
/// let risk = relative_risk(treatment, control, 0.05).unwrap();
/// assert_eq!(risk.ratio, 2.0);
/// assert!(risk.interval.low > 1.0 && risk.interval.high < 4.0);
/// ```
pub fn relative_risk(
    treatment: Proportion,
    control: Proportion,
    alpha: f64,
) -> Option<RelativeRisk> {
    let ratio = treatment.share()? / control.share()?;
    // 1/x − 1/n
    let variance = |side: Proportion| Some(side.failures()? / side.successes() / side.trials());
    let error = (variance(treatment)? + variance(control)?).sqrt();
    let half = error * normal_upper_inverse(half_of(alpha)?);
    let interval = Interval { low: ratio * (-half).exp(), high: ratio * half.exp() };
    (error > 0.0 && interval.is_finite()).then_some(RelativeRisk { ratio, interval })
}
