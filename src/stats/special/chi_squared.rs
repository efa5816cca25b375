//! χ².

use super::stirling::stirling_error;
use std::f64::consts::PI;

/// The chance that a χ²-distributed variable with `df` > 0 degrees of freedom is above `x` ≥ 0.
///
/// Q(df/2, x/2) (DLMF 8.2.4): by the continued fraction 8.9.2 above the mean, one minus the series
/// 8.7.1 below it. What stands before them is written around its maximum, so that many degrees of
/// freedom cost no digits (Temme, "The asymptotic expansion of the incomplete gamma functions",
/// SIAM J. Math. Anal. 10, 1979).
///
/// NaN outside these ranges.
///
/// ```
/// use tower_spearmint::stats::special::chi_squared_upper;
///
/// // With two degrees of freedom it is the exponential distribution.
/// assert!((chi_squared_upper(3.0, 2.0) - (-1.5_f64).exp()).abs() < 1e-15);
/// ```
pub fn chi_squared_upper(x: f64, df: f64) -> f64 {
    if x.is_nan() || x < 0.0 || df.is_nan() || df <= 0.0 || df.is_infinite() {
        return f64::NAN;
    }
    if x == 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    let (a, x) = (0.5 * df, 0.5 * x);
    // x^a e^−x / Γ(a)
    let off = (x - a) / a;
    let decay = if off.abs() < 0.5 { a * (off - off.ln_1p()) } else { x - a - a * (x / a).ln() };
    let front = (a / (2.0 * PI)).sqrt() * (-decay - stirling_error(a)).exp();
    if x < a + 1.0 { 1.0 - front * series(a, x) } else { front * fraction(a, x) }
}

/// More than either takes, for up to ten billion degrees of freedom.
const MOST_STEPS: u32 = 2_000_000;

/// Σ xⁿ / (a (a+1) … (a+n)).
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0 / a, 1.0 / a);
    for n in 1..MOST_STEPS {
        term *= x / (a + f64::from(n));
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    sum
}

/// 1/(x+1−a − 1(1−a)/(x+3−a − …)), by Lentz's method.
fn fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / away(b);
    let mut value = d;
    for n in 1..MOST_STEPS {
        let n = f64::from(n);
        let up = -n * (n - a);
        b += 2.0;
        d = 1.0 / away(up * d + b);
        c = away(b + up / c);
        let factor = d * c;
        value *= factor;
        if (factor - 1.0).abs() < 2.0 * f64::EPSILON {
            break;
        }
    }
    value
}
