//! Two means.

use super::{Design, Sides, solve};
use crate::stats::special::{non_central_t_upper, t_upper_inverse};

/// The chance that a t test of two means finds an effect that is there.
///
/// `effect`: the difference of the means in standard deviations of one observation (Cohen's d);
/// `treatment`: how many observations the treatment has, at least two on each side. The test's
/// statistic is then t with n + m − 2 degrees of freedom around d √(nm/(n + m)) (Cohen,
/// "Statistical Power Analysis for the Behavioral Sciences", 1988, chapter 2). One-sided, an effect
/// of the other sign is not found.
///
/// `None` if an argument is out of range.
///
/// ```
/// use tower_spearmint::stats::fixed::{Design, power_of_means};
///
/// let power = power_of_means(Design::default(), 0.5, 64.0).unwrap();
/// assert!((power - 0.801).abs() < 1e-3);
/// ```
pub fn power_of_means(design: Design, effect: f64, treatment: f64) -> Option<f64> {
    let tail = design.tail()?;
    let control = treatment * design.ratio;
    if !(treatment >= 2.0 && control >= 2.0 && control.is_finite() && effect.is_finite()) {
        return None;
    }
    let df = treatment + control - 2.0;
    // nm/(n + m), without a product that overflows.
    let delta = effect * (treatment / (1.0 + 1.0 / design.ratio)).sqrt();
    let critical = t_upper_inverse(tail, df);
    let upper = non_central_t_upper(critical, df, delta);
    let power = match design.sides {
        Sides::One => upper,
        Sides::Two => upper + non_central_t_upper(critical, df, -delta),
    };
    power.is_finite().then(|| power.min(1.0))
}

/// How many observations the treatment needs (and the control [`Design::ratio`] times as many) to
/// find an effect (as in [`power_of_means`]; its sign does not matter) with this power: at least
/// two on each side, and not rounded up.
///
/// `None` unless power lies between alpha and 1, for no effect, and beyond 10¹⁵.
///
/// ```
/// use tower_spearmint::stats::fixed::{Design, size_for_means};
///
/// let size = size_for_means(Design::default(), 0.5, 0.8).unwrap();
/// assert_eq!(size.ceil(), 64.0);
/// ```
pub fn size_for_means(design: Design, effect: f64, power: f64) -> Option<f64> {
    design.tail()?;
    design.size(power, |treatment| power_of_means(design, effect.abs(), treatment))
}

/// The smallest effect (as in [`power_of_means`]) that so many observations of the treatment find
/// with this power: the minimum detectable effect.
///
/// `None` unless power lies between alpha and 1, and as for [`power_of_means`].
///
/// ```
/// use tower_spearmint::stats::fixed::{Design, detectable_effect};
///
/// let effect = detectable_effect(Design::default(), 100.0, 0.8).unwrap();
/// assert!((effect - 0.398).abs() < 1e-3);
/// ```
pub fn detectable_effect(design: Design, treatment: f64, power: f64) -> Option<f64> {
    power_of_means(design, 0.0, treatment)?;
    if !design.reachable(power) {
        return None;
    }
    let short = |effect: f64| Some(power_of_means(design, effect, treatment)? - power);
    // As large as the critical value, and doubled until it suffices.
    let critical = t_upper_inverse(design.tail()?, treatment + treatment * design.ratio - 2.0);
    let mut high = critical.max(1.0) / (treatment / (1.0 + 1.0 / design.ratio)).sqrt();
    while short(high)? < 0.0 {
        high *= 2.0;
        if !high.is_finite() {
            return None;
        }
    }
    solve::rising(0.0, high, short)
}
