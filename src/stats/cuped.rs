//! CUPED: a mean with less scatter, by what was known of the units before.
//!
//! Deng, Xu, Kohavi and Walker, "Improving the sensitivity of online controlled experiments by
//! utilizing pre-experiment data", WSDM 2013, doi 10.1145/2433396.2433413.

use super::{JointSummary, Summary};

/// Both sides of an experiment, adjusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cuped {
    /// By how much the outcome goes with the covariate: cov(x, y) / var(y), over all units.
    pub theta: f64,
    /// The treatment's adjusted outcomes.
    pub treatment: Summary,
    /// The control's.
    pub control: Summary,
}

/// Adjusts the outcomes (x) of both sides by a covariate (y) that was fixed before the units were
/// assigned: the same metric in the weeks before, say.
///
/// x − θ (y − ȳ), with θ = cov(x, y)/var(y) and ȳ over the units of both sides (section 3.2,
/// equations 4 and 5): the difference of the means is estimated as before, the variance is less by
/// the square of the correlation. What comes back goes into any test of means. That θ is itself
/// estimated is not accounted for; its share vanishes with the number of units.
///
/// Where the covariate is the same for all units, θ is 0, and nothing is adjusted. `None` if a side
/// has fewer than two units, or beyond what a float holds.
///
/// ```
/// use tower_spearmint::stats::{JointSummary, cuped::cuped};
///
/// let treatment = JointSummary::of([(2.0, 1.0), (3.1, 2.0), (4.0, 3.0)]);
/// let control = JointSummary::of([(1.0, 1.0), (2.0, 2.0), (3.1, 3.0)]);
/// let adjusted = cuped(&treatment, &control).unwrap();
/// assert!(adjusted.control.variance < control.x_variance / 100.0);
/// ```
pub fn cuped(treatment: &JointSummary, control: &JointSummary) -> Option<Cuped> {
    if treatment.count < 2 || control.count < 2 {
        return None;
    }
    let all = treatment.merge(control);
    let theta = if all.y_variance == 0.0 { 0.0 } else { all.covariance / all.y_variance };
    let adjusted = |units: &JointSummary| {
        let Summary { count, variance, .. } = units.minus(theta);
        let mean = units.x_mean - theta * (units.y_mean - all.y_mean);
        (mean.is_finite() && variance.is_finite()).then_some(Summary { count, mean, variance })
    };
    let (treatment, control) = (adjusted(treatment)?, adjusted(control)?);
    theta.is_finite().then_some(Cuped { theta, treatment, control })
}
