//! Two shares.

use super::{Design, Sides, solve};
use crate::stats::special::{normal_upper, normal_upper_inverse};

/// The chance that the pooled z test finds a difference of shares that is there, for large samples.
///
/// `control`: its share; `difference`: by how much the treatment's is larger (or less, if
/// negative); `treatment`: how many trials the treatment has. With z = z(alpha): the chance that a
/// normal variable is above (z σ₀ − |difference| √n)/σ₁, σ₀² = p̄(1−p̄)(1 + 1/ratio) with the
/// pooled share, σ₁² = p₁(1−p₁) + p₂(1−p₂)/ratio (Fleiss, Levin and Paik, "Statistical Methods for
/// Rates and Proportions", 2003, section 4.3, without the continuity correction). One-sided, the
/// difference is taken to have the sign that is tested.
///
/// `None` if an argument is out of range, or neither share can vary.
///
/// ```
/// use tower_spearmint::stats::fixed::{Design, power_of_proportions};
///
/// let power = power_of_proportions(Design::default(), 0.10, 0.02, 3_841.0).unwrap();
/// assert!((power - 0.8).abs() < 1e-3);
/// ```
pub fn power_of_proportions(
    design: Design,
    control: f64,
    difference: f64,
    treatment: f64,
) -> Option<f64> {
    let tail = design.tail()?;
    let treated = control + difference;
    let is_share = |share: f64| (0.0..=1.0).contains(&share);
    if !(is_share(control) && is_share(treated) && treatment > 0.0 && treatment.is_finite()) {
        return None;
    }
    let pooled = (treated + control * design.ratio) / (1.0 + design.ratio);
    let null = (pooled * (1.0 - pooled) * (1.0 + 1.0 / design.ratio)).sqrt();
    let there = (treated * (1.0 - treated) + control * (1.0 - control) / design.ratio).sqrt();
    if !(there > 0.0 && null.is_finite() && there.is_finite()) {
        return None;
    }
    let critical = normal_upper_inverse(tail) * null / there;
    let shift = difference.abs() * treatment.sqrt() / there;
    let power = match design.sides {
        Sides::One => normal_upper(critical - shift),
        Sides::Two => normal_upper(critical - shift) + normal_upper(critical + shift),
    };
    power.is_finite().then(|| power.min(1.0))
}

/// How many trials the treatment needs (and the control [`Design::ratio`] times as many) to find a
/// difference (as in [`power_of_proportions`]) with this power: at least two on each side, and not
/// rounded up.
///
/// `None` unless power lies between alpha and 1, for no difference, and beyond 10¹⁵.
///
/// ```
/// use tower_spearmint::stats::fixed::{Design, size_for_proportions};
///
/// let size = size_for_proportions(Design::default(), 0.10, 0.02, 0.8).unwrap();
/// assert_eq!(size.ceil(), 3_841.0);
/// ```
pub fn size_for_proportions(
    design: Design,
    control: f64,
    difference: f64,
    power: f64,
) -> Option<f64> {
    design.tail()?;
    design.size(power, |treatment| power_of_proportions(design, control, difference, treatment))
}

/// The smallest increase of the control's share that so many trials of the treatment find with this
/// power. For a decrease, ask with the share of failures: it increases as much.
///
/// `None` unless power lies between alpha and 1, if even an increase to 1 is not found with it, and
/// as for [`power_of_proportions`].
///
/// ```
/// use tower_spearmint::stats::fixed::{Design, detectable_increase};
///
/// let increase = detectable_increase(Design::default(), 0.10, 3_841.0, 0.8).unwrap();
/// assert!((increase - 0.02).abs() < 1e-5);
/// ```
pub fn detectable_increase(
    design: Design,
    control: f64,
    treatment: f64,
    power: f64,
) -> Option<f64> {
    design.tail()?;
    if !(design.reachable(power) && (0.0..1.0).contains(&control)) {
        return None;
    }
    let short = |by: f64| Some(power_of_proportions(design, control, by, treatment)? - power);
    // At the ends neither share may vary.
    let room = 1.0 - control;
    solve::rising(room * 1e-12, room * (1.0 - 1e-12), short)
}
