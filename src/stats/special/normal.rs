//! The normal distribution.

use std::f64::consts::PI;

/// The chance that a standard normal variable is above `z`.
///
/// In the middle by the series of ½ − Q (DLMF 7.6.2), whose terms are all positive; in the tail by
/// the continued fraction of Mills' ratio (DLMF 7.9.1, Abramowitz and Stegun 26.2.14).
///
/// ```
/// use tower_spearmint::stats::special::normal_upper;
///
/// assert_eq!(normal_upper(0.0), 0.5);
/// assert!((normal_upper(1.959_963_984_540_054) - 0.025).abs() < 1e-16);
/// ```
pub fn normal_upper(z: f64) -> f64 {
    if z < 0.0 {
        return 1.0 - normal_upper(-z);
    }
    // Beyond, less than the smallest float.
    if z > 39.0 {
        return 0.0;
    }
    if z < 2.0 { 0.5 - normal_density(z) * series(z) } else { normal_density(z) / fraction(z) }
}

/// Above which value a standard normal variable is with chance `q`, between 0 and 1: infinite at 0
/// and 1, NaN outside.
pub fn normal_upper_inverse(q: f64) -> f64 {
    if !(0.0..=1.0).contains(&q) {
        return f64::NAN;
    }
    if q > 0.5 {
        return -normal_upper_inverse(1.0 - q);
    }
    if q == 0.0 || q == 0.5 {
        return if q == 0.0 { f64::INFINITY } else { 0.0 };
    }
    // Three digits (Hastings 1955; Abramowitz and Stegun 26.2.23); each step of Newton's method for
    // ln Q doubles them.
    let t = (-2.0 * q.ln()).sqrt();
    let start = t
        - (2.515_517 + t * (0.802_853 + t * 0.010_328))
            / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    (0..4).fold(start, |z, _| {
        let tail = normal_upper(z);
        if tail > 0.0 { z + (tail / q).ln() * tail / normal_density(z) } else { z }
    })
}

/// The density of a standard normal variable at `z`.
pub fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

/// z + z³/3 + z⁵/(3·5) + …
fn series(z: f64) -> f64 {
    let (mut term, mut sum, mut odd) = (z, z, 1.0);
    while term > 1e-17 * sum {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    sum
}

/// z + 1/(z + 2/(z + 3/(z + …))), from far enough below.
fn fraction(z: f64) -> f64 {
    // Fewer are needed the further out: measured to the last digit at 2, where it is slowest.
    let steps = 20 + (400.0 / (z * z)) as u32;
    (1..=steps).rev().fold(z, |below, n| z + f64::from(n) / below)
}
