//! Single chances of the binomial distribution.

use super::stirling::{deviance, stirling_error};
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
