//! Student's t.

use super::beta_fraction::beta_fraction;
use super::normal::{normal_upper, normal_upper_inverse};
use std::f64::consts::PI;

/// From here on, Hill's expansion is exact to the last digits, and a continued fraction would need
/// hundreds of steps, whose roundings add up.
const MANY: f64 = 2e4;
/// More than the series below [`MANY`] ever takes.
const MOST_STEPS: u32 = 20_000;

/// The chance that a t-distributed variable with `df` > 0 degrees of freedom is above `t`.
///
/// ½ I_x(df/2, ½) with x = df/(df + t²) (DLMF 8.17; Abramowitz and Stegun 26.7.1): by the continued
/// fraction 8.17.22 in the tail, the series 8.17.8 in the middle; from 20,000 degrees of freedom on
/// by Hill's expansion ("Algorithm 395: Student's t-distribution", CACM 13(10), 1970).
///
/// NaN if either is, or `df` is not above 0.
///
/// ```
/// use tower_spearmint::stats::special::t_upper;
///
/// // With one degree of freedom it is Cauchy's distribution.
/// assert!((t_upper(1.0, 1.0) - 0.25).abs() < 1e-15);
/// assert!((t_upper(1e200, 1.0) * 1e200 - 1.0 / std::f64::consts::PI).abs() < 1e-12);
/// ```
pub fn t_upper(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if t < 0.0 {
        return 1.0 - t_upper(-t, df);
    }
    if t == f64::INFINITY {
        return 0.0;
    }
    if df >= MANY {
        return normal_upper(as_normal(t, df));
    }
    let a = 0.5 * df;
    let over = (t / df.sqrt()).powi(2);
    let (x, y) = (1.0 / (1.0 + over), 1.0 / (1.0 + 1.0 / over));
    // x^a y^½ / B(a, ½)
    let front = (-a * ln_one_over(t, df)).exp() * y.sqrt() * gamma_ratio(a) / PI.sqrt();
    if x < (a + 1.0) / (a + 2.5) {
        0.5 * front / a * beta_fraction(a, 0.5, x)
    } else {
        0.5 - front * series(a, y)
    }
}

/// Above which value a t-distributed variable with `df` > 0 degrees of freedom is with chance `q`,
/// between 0 and 1: Newton's method for ln `q` as a function of ln t, which is nearly straight in
/// the tail.
///
/// NaN if there is no such value.
///
/// ```
/// use tower_spearmint::stats::special::t_upper_inverse;
///
/// assert!((t_upper_inverse(0.025, 10.0) - 2.228_138_851_986).abs() < 1e-11);
/// ```
pub fn t_upper_inverse(q: f64, df: f64) -> f64 {
    if !(q > 0.0 && q < 1.0 && df > 0.0) {
        return f64::NAN;
    }
    if q == 0.5 {
        return 0.0;
    }
    if q > 0.5 {
        return -t_upper_inverse(1.0 - q, df);
    }
    let z = normal_upper_inverse(q);
    // Fisher's expansion (Abramowitz and Stegun 26.7.5), its first two terms.
    let start = z
        + (z.powi(3) + z) / (4.0 * df)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * df * df);
    let mut s = start.ln();
    let target = q.ln();
    let mut before = f64::INFINITY;
    for _ in 0..200 {
        let t = s.exp();
        let tail = t_upper(t, df);
        let step =
            if tail > 0.0 { (tail.ln() - target) * tail / density_of_ln(t, df) } else { -0.5 };
        // Far from the start's mark a step is cut, for few degrees of freedom and far tails.
        let step = step.clamp(-0.5, 4.0);
        s += step;
        // Each step squares the error, until nothing is left but roundings.
        if step.abs() < 1e-9 || (step.abs() < 1e-3 && step.abs() >= before) {
            break;
        }
        before = step.abs();
    }
    s.exp()
}

/// The density of ln t at t > 0.
fn density_of_ln(t: f64, df: f64) -> f64 {
    let exponent = t.ln() - 0.5 * (df + 1.0) * ln_one_over(t, df);
    exponent.exp() * gamma_ratio(0.5 * df) / (df * PI).sqrt()
}

/// ln(1 + t²/df), also where t² is beyond what a float holds.
fn ln_one_over(t: f64, df: f64) -> f64 {
    let over = (t / df.sqrt()).powi(2);
    if over.is_finite() { over.ln_1p() } else { 2.0 * t.ln() - df.ln() }
}

/// The normal deviate with the same tail (Hill 1970, equation 4).
fn as_normal(t: f64, df: f64) -> f64 {
    let a = df - 0.5;
    let b = 48.0 * a * a;
    let y = a * (t / df.sqrt()).powi(2).ln_1p();
    let correction = (((-0.4 * y - 3.3) * y - 24.0) * y - 85.5) / (0.8 * y * y + 100.0 + b);
    ((correction + y + 3.0) / b + 1.0) * y.sqrt()
}

/// Γ(a + ½) / Γ(a): upwards by the recurrence until the asymptotic series (DLMF 5.11.13, with
/// b = ½) is exact.
fn gamma_ratio(a: f64) -> f64 {
    let (mut a, mut factor) = (a, 1.0);
    while a < 60.0 {
        factor *= a / (a + 0.5);
        a += 1.0;
    }
    const TERMS: [f64; 7] = [
        869.0 / 4_194_304.0,
        -399.0 / 262_144.0,
        -21.0 / 32_768.0,
        5.0 / 1_024.0,
        1.0 / 128.0,
        -1.0 / 8.0,
        1.0,
    ];
    factor * a.sqrt() * TERMS.iter().fold(0.0, |sum, term| sum / a + term)
}

/// The series of I_y(½, a), halved, without what stands before it (DLMF 8.17.8); all of its terms
/// are positive.
fn series(a: f64, y: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 0..MOST_STEPS {
        let n = f64::from(n);
        term *= (a + 0.5 + n) / (1.5 + n) * y;
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    sum
}
