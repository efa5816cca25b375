//! Did each arm get the share of units that it should have?

use crate::stats::special::chi_squared_upper;

/// What a χ² test says of counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquared {
    /// Σ (counted − expected)²/expected; infinite if an arm that should have none has some.
    pub statistic: f64,
    /// Degrees of freedom: the arms that have a share, less one.
    pub df: u64,
    /// The chance of a statistic at least as large, if the shares are right.
    pub p: f64,
}

/// The χ² test of a sample ratio, looked at once (Pearson, "On the criterion …", Phil. Mag. 50,
/// 1900; Fabijan et al., "Diagnosing sample ratio mismatch in online controlled experiments", KDD
/// 2019, use it with alpha = 0.0005).
///
/// `shares` need not add up to 1. An arm of share 0 is left out if it has no units; if it has some,
/// that refutes the shares: the statistic is infinite and p is 0.
///
/// `None` if there are not as many shares as counts, if a share is negative or not finite, if fewer
/// than two arms have one, or without units. Good from about five expected units per arm.
///
/// ```
/// use tower_spearmint::stats::fixed::sample_ratio;
///
/// // 821,588 and 815,482 users, where it should have been half and half.
/// assert!(sample_ratio(&[821_588, 815_482], &[1.0, 1.0]).unwrap().p < 2e-6);
/// ```
pub fn sample_ratio(counts: &[u64], shares: &[f64]) -> Option<ChiSquared> {
    let all: f64 = shares.iter().sum();
    let fit = shares.iter().all(|share| *share >= 0.0) && all.is_finite() && all > 0.0;
    let total: f64 = counts.iter().map(|count| *count as f64).sum();
    let arms = shares.iter().filter(|share| **share > 0.0).count() as u64;
    if !(fit && counts.len() == shares.len() && total > 0.0 && arms > 1) {
        return None;
    }
    let df = arms - 1;
    let arms = || counts.iter().map(|count| *count as f64).zip(shares);
    if arms().any(|(count, share)| *share == 0.0 && count > 0.0) {
        return Some(ChiSquared { statistic: f64::INFINITY, df, p: 0.0 });
    }
    let statistic: f64 = arms()
        .filter(|(_, share)| **share > 0.0)
        .map(|(count, share)| {
            let expected = total * (share / all);
            let off = count - expected;
            off * (off / expected)
        })
        .sum();
    let p = chi_squared_upper(statistic, df as f64);
    statistic.is_finite().then_some(ChiSquared { statistic, df, p })
}
