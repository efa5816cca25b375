//! Two means.

use super::PValues;
use crate::stats::{
    Interval, Summary,
    interval::half_of,
    special::{t_upper, t_upper_inverse},
};

/// A difference of means, and what a t test says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TTest {
    /// The treatment's mean minus the control's.
    pub difference: f64,
    /// Where the true difference lies, except with chance `alpha`.
    pub interval: Interval,
    /// The difference over its standard error.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// If there were no difference.
    pub p: PValues,
}

/// Welch's t test: two means, whose scatter may differ.
///
/// t = (x̄ − ȳ) / √(s²ₓ/n + s²ᵧ/m), with (s²ₓ/n + s²ᵧ/m)² / ((s²ₓ/n)²/(n−1) + (s²ᵧ/m)²/(m−1))
/// degrees of freedom (Welch, "The generalization of Student's problem when several different
/// population variances are involved", Biometrika 34, 1947).
///
/// `alpha`: the interval misses the truth with this chance, between 0 and 1. `None` if a side has
/// fewer than two observations, if neither scatters, or if sums are beyond what a float holds.
///
/// ```
/// use tower_spearmint::stats::{Summary, fixed::welch};
///
/// let treatment = Summary::of([5.1, 4.9, 5.6, 5.8, 6.1]);
/// let control = Summary::of([4.1, 5.0, 4.4, 4.6]);
/// let test = welch(treatment, control, 0.05).unwrap();
/// assert!(test.interval.low > 0.0 && test.p.two_sided < 0.05);
/// assert!(welch(treatment, Summary::of([4.1]), 0.05).is_none());
/// ```
pub fn welch(treatment: Summary, control: Summary, alpha: f64) -> Option<TTest> {
    let of_treatment = treatment.variance_of_mean()?;
    let of_control = control.variance_of_mean()?;
    let variance = of_treatment + of_control;
    // As shares, so that squares neither vanish nor overflow.
    let share = of_treatment / variance;
    let df = 1.0
        / (share * share / (treatment.count - 1) as f64
            + (1.0 - share) * (1.0 - share) / (control.count - 1) as f64);
    t_test(treatment.mean - control.mean, variance, df, alpha)
}

/// The paired t test, from the [`Summary`] of the differences within pairs, treatment − control
/// (Student, "The probable error of a mean", Biometrika 6, 1908).
///
/// t = d̄ / (s/√n), with n − 1 degrees of freedom. `alpha` and `None` as for [`welch`].
///
/// ```
/// use tower_spearmint::stats::{Summary, fixed::paired_t};
///
/// let differences = Summary::of([1.1, 0.9, 1.3, 0.6]);
/// assert!(paired_t(differences, 0.05).unwrap().p.greater < 0.01);
/// ```
pub fn paired_t(differences: Summary, alpha: f64) -> Option<TTest> {
    let variance = differences.variance_of_mean()?;
    t_test(differences.mean, variance, (differences.count - 1) as f64, alpha)
}

fn t_test(difference: f64, variance: f64, df: f64, alpha: f64) -> Option<TTest> {
    let error = variance.sqrt();
    let t = difference / error;
    if !(variance > 0.0 && t.is_finite() && df.is_finite()) {
        return None;
    }
    let interval = Interval::around(difference, error * t_upper_inverse(half_of(alpha)?, df));
    let p = PValues::symmetric(t, |t| t_upper(t, df))?;
    interval.is_finite().then_some(TTest { difference, interval, t, df, p })
}
