//! Single chances of the binomial distribution.

use super::stirling::stirling_error;
use std::f64::consts::PI;

/// The logarithm of the chance of `successes` among `trials`, where one succeeds with chance `p`
/// and fails with `q` = 1 − p (given apart, since a small one has more digits).
///
/// Loader, "Fast and accurate computation of binomial probabilities", 2000: Stirling's errors, and
/// deviances in place of logarithms of factorials, so that large counts cost no digits.
pub(crate) fn ln_binomial(successes: f64, trials: f64, p: f64, q: f64) -> f64 {
    let failures = trials - successes;
    if p == 0.0 || q == 0.0 {
        let certain = if p == 0.0 { successes == 0.0 } else { failures == 0.0 };
        return if certain { 0.0 } else { f64::NEG_INFINITY };
    }
    if successes == 0.0 {
        return trials * if p < 0.1 { (-p).ln_1p() } else { q.ln() };
    }
    if failures == 0.0 {
        return trials * if q < 0.1 { (-q).ln_1p() } else { p.ln() };
    }
    stirling_error(trials)
        - stirling_error(successes)
        - stirling_error(failures)
        - deviance(successes, trials * p)
        - deviance(failures, trials * q)
        + 0.5 * (trials / (2.0 * PI * successes)).ln()
        - 0.5 * failures.ln()
}

/// x ln(x/m) + m − x, where x and m may be close.
fn deviance(x: f64, m: f64) -> f64 {
    let off = x - m;
    if off.abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    // With v = (x − m)/(x + m): ln(x/m) = 2 (v + v³/3 + v⁵/5 + …).
    let v = off / (x + m);
    let (mut sum, mut power, mut odd) = (off * v, 2.0 * x * v, 1.0);
    loop {
        power *= v * v;
        odd += 2.0;
        let next = sum + power / odd;
        if next == sum {
            return sum;
        }
        sum = next;
    }
}
