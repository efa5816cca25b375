//! Student's t around a mean that is not 0: what a t test's statistic is when there is an effect.

use super::{
    chi_squared::chi_squared_upper,
    normal::{normal_density, normal_upper},
    stirling::stirling_error,
};
use std::f64::consts::PI;

/// The chance that (Z + δ) / (χ_df / √df) is above `t` ≥ 0: Z standard normal, `df` > 0 degrees of
/// freedom.
///
/// The mean of Φ(δ − t·s) over the distribution of s = χ_df/√df (Johnson, Kotz and Balakrishnan,
/// "Continuous Univariate Distributions" vol. 2, section 31.5), or, where Φ turns too fast for that,
/// the mean of P(s < (z + δ)/t) over z; both by the trapezoidal rule. The integrand is analytic
/// and falls off at both ends, so the rule converges geometrically (Trefethen and Weideman, SIAM
/// Review 56(3), 2014), and as all terms are positive, chances down to 1e-20 keep their digits.
///
/// NaN outside these ranges.
///
/// ```
/// use tower_spearmint::stats::special::{non_central_t_upper, t_upper};
///
/// let central = non_central_t_upper(2.0, 5.0, 0.0);
/// assert!((central - t_upper(2.0, 5.0)).abs() < 1e-13);
/// ```
pub fn non_central_t_upper(t: f64, df: f64, delta: f64) -> f64 {
    if !(t >= 0.0 && t.is_finite() && df > 0.0 && delta.is_finite()) {
        return f64::NAN;
    }
    if df >= LIKE_NORMAL {
        return normal_upper(t - delta);
    }
    // How far u = ln s scatters.
    let spread = 1.0 / (2.0 * df).sqrt();
    if delta > FAR && t * spread > 1.0 {
        return over_normal(t, df, delta);
    }
    over_ln_s(t, df, delta, spread)
}

/// Where the rounding of the degrees of freedom is less than a float's.
const LIKE_NORMAL: f64 = 1e17;
/// The normal tail from here on is less than 1e-50, which no chance that has its digits notices.
const FAR: f64 = 15.0;

/// The density of u = ln s is exp(df · (u − (e^2u − 1)/2)) over a constant.
fn over_ln_s(t: f64, df: f64, delta: f64, spread: f64) -> f64 {
    let exponent = |u: f64| df * below_peak(u);
    let (low, high) = (edge(&exponent, -1.0), edge(&exponent, 1.0));
    // Where t·s is as far as this above δ, Φ is 0; below it, 1.
    if delta < -FAR {
        return 0.0;
    }
    if delta > t * high.exp() + FAR {
        return 1.0;
    }
    let high = high.min(((delta + FAR) / t).ln());
    if high <= low {
        return 0.0;
    }
    // Fine enough for the density, and for Φ, which turns within 1/(t·s): the rule's error is below
    // exp(−2π²(width/step)²).
    let step = (spread / 2.0).min(0.1).min(0.6 / (1.0 + t * high.exp()));
    let points = ((high - low) / step).ceil() as u32;
    let sum: f64 = (0..=points)
        .map(|at| low + f64::from(at) * step)
        .map(|u| exponent(u).exp() * normal_upper(t * u.exp() - delta))
        .sum();
    // The constant is Γ(df/2) e^(df/2) (df/2)^(−df/2) / 2: what Stirling's formula leaves of it.
    let half = 0.5 * df;
    (sum * step / (0.5 * (2.0 * PI / half).sqrt() * stirling_error(half).exp())).min(1.0)
}

/// For δ so large that (z + δ)/t is never negative, and t so large that s < (z + δ)/t hardly turns
/// more likely from one z to the next.
fn over_normal(t: f64, df: f64, delta: f64) -> f64 {
    const STEP: f64 = 0.2;
    let less = |s: f64| 1.0 - chi_squared_upper(df * s * s, df);
    let points = -60..=60_i32;
    let sum: f64 = points
        .map(|at| f64::from(at) * STEP)
        .map(|z| normal_density(z) * less((z + delta) / t))
        .sum();
    (sum * STEP).min(1.0)
}

/// u − (e^2u − 1)/2; near 0, where it cancels, by its series.
fn below_peak(u: f64) -> f64 {
    if u.abs() > 1e-3 {
        return u - 0.5 * (2.0 * u).exp_m1();
    }
    -u * u * (1.0 + u * (2.0 / 3.0 + u * (1.0 / 3.0 + u * (2.0 / 15.0 + u * 2.0 / 45.0))))
}

/// How far `exponent` is above −80 to one side of 0: for chances down to 1e-20, all that matters.
fn edge(exponent: &impl Fn(f64) -> f64, side: f64) -> f64 {
    let (mut inside, mut outside) = (0.0, side * 1e-12);
    while exponent(outside) > -80.0 {
        inside = outside;
        outside *= 2.0;
    }
    for _ in 0..20 {
        let middle = 0.5 * (inside + outside);
        if exponent(middle) > -80.0 { inside = middle } else { outside = middle }
    }
    outside
}
