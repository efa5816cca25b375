//! The delta method: how sure one may be of a quotient of means.
//!
//! Deng, Knoblich and Lu, "Applying the delta method in metric analytics: a practical guide with
//! novel ideas", KDD 2018, doi 10.1145/3219819.3219919. The normal approximation wants a
//! denominator that is many standard errors from 0.

use super::{Interval, JointSummary, Summary, interval::half_of, special::normal_upper_inverse};

/// A metric that is a quotient of two sums over units (errors per request, revenue per click, where
/// users are assigned): x̄/ȳ, as the mean of a [`Summary`] that any test of means takes.
///
/// Its variance is that of (x − (x̄/ȳ) y)/ȳ: (s²ₓ − 2 (x̄/ȳ) sₓᵧ + (x̄/ȳ)² s²ᵧ)/ȳ² (section 3.1).
/// `None` if there are fewer than two units, if ȳ is 0, or beyond what a float holds.
///
/// ```
/// use tower_spearmint::stats::{JointSummary, delta, fixed::welch};
///
/// // Errors and requests of each user.
/// let treatment = JointSummary::of([(1.0, 10.0), (0.0, 3.0), (2.0, 8.0), (1.0, 4.0)]);
/// let control = JointSummary::of([(0.0, 9.0), (1.0, 12.0), (0.0, 2.0)]);
/// let rate = delta::ratio(&treatment).unwrap();
/// assert_eq!(rate.mean, 4.0 / 25.0);
/// assert!(welch(rate, delta::ratio(&control).unwrap(), 0.05).is_some());
/// ```
pub fn ratio(units: &JointSummary) -> Option<Summary> {
    let mean = units.x_mean / units.y_mean;
    let residual = units.minus(mean);
    let variance = residual.variance / units.y_mean / units.y_mean;
    let fits = units.count > 1 && mean.is_finite() && variance.is_finite() && variance >= 0.0;
    fits.then_some(Summary { count: units.count, mean, variance })
}

/// By which share one mean is above another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lift {
    /// (treatment − control) / control: 0.05 is five percent more. The control's sign counts:
    /// from −1 to −2 is a lift of 1.
    pub lift: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Where the true lift lies, except with chance `alpha`.
    pub interval: Interval,
}

/// The relative lift of a mean, for large samples.
///
/// With means x̄, ȳ of variances u, v: x̄/ȳ − 1, of variance u/ȳ² + v x̄²/ȳ⁴ (Deng et al. 2018,
/// section 2.2). `alpha` between 0 and 1. `None` if a side has fewer than two observations, if
/// the control's mean is 0, if neither scatters, or beyond what a float holds.
///
/// ```
/// use tower_spearmint::stats::{Summary, delta::lift};
///
/// let treatment = Summary { count: 10_000, mean: 1.1, variance: 0.5 };
/// let control = Summary { count: 10_000, mean: 1.0, variance: 0.5 };
/// let lift = lift(treatment, control, 0.05).unwrap();
/// assert!((lift.lift - 0.1).abs() < 1e-12 && lift.interval.low > 0.07);
/// ```
pub fn lift(treatment: Summary, control: Summary, alpha: f64) -> Option<Lift> {
    let quotient = treatment.mean / control.mean;
    let lift = (treatment.mean - control.mean) / control.mean;
    let of_treatment = treatment.variance_of_mean()?.sqrt();
    let of_control = control.variance_of_mean()?.sqrt() * quotient;
    let standard_error = (of_treatment / control.mean).hypot(of_control / control.mean);
    if !(lift.is_finite() && standard_error > 0.0) {
        return None;
    }
    let half = standard_error * normal_upper_inverse(half_of(alpha)?);
    let interval = Interval::around(lift, half);
    interval.is_finite().then_some(Lift { lift, standard_error, interval })
}
