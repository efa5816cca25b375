//! How many times the first arm's rate the second's is.

use super::Split;
use crate::stats::Interval;
use crate::stats::sequential::mixture::{self, Chance};
use crate::stats::sequential::{checked, search};

/// Farther from 1 than e to this no ratio is looked for: there, the interval has no end.
const FARTHEST: f64 = 700.0;

/// A confidence sequence for the second arm's rate over the first's, with an error probability of
/// `alpha`, sharpest at `target` events.
///
/// It has all ratios whose evidence, by a mixture around equal rates, is below `1 / alpha`. That
/// evidence is convex in the logarithm of the ratio, and so what remains is an interval; it always
/// contains the ratio that is most likely. It begins with 0 if the second arm may have no events at
/// all, and has no end if the first may.
///
/// `None` if a share or `alpha` is not between 0 and 1.
///
/// ```
/// use tower_spearmint::stats::sequential::rates::{Split, ratio};
///
/// let rare = ratio(&[Split { first: 0, second: 12, share: 0.5 }], 0.05, 20.0).unwrap();
/// assert!(rare.low > 1.0 && rare.high == f64::INFINITY);
/// ```
pub fn ratio(splits: &[Split], alpha: f64, target: f64) -> Option<Interval> {
    let (alpha, concentration) = (checked(alpha)?, mixture::concentration(target));
    let odds: Vec<f64> = splits.iter().map(Split::odds).collect::<Option<_>>()?;
    let arms = || splits.iter().zip(&odds);
    let excess = |ln_ratio: f64| {
        let ratio = ln_ratio.exp();
        let evidence: f64 = arms()
            .map(|(split, odds)| {
                let (hits, misses) = split.counts();
                let prior = Chance::with_odds(*odds).prior(concentration);
                mixture::beta_binomial(hits, misses, Chance::with_odds(odds * ratio), prior)
            })
            .sum();
        evidence + alpha.ln()
    };
    // Where as many of the events are the second's as are expected to be.
    let too_many = |ln_ratio: f64| {
        let ratio = ln_ratio.exp();
        let expected = arms().map(|(split, odds)| {
            let (hits, misses) = split.counts();
            let chance = Chance::with_odds(odds * ratio);
            misses * chance.hit - hits * chance.miss
        });
        expected.sum::<f64>()
    };
    let most_likely = search::end(-FARTHEST, FARTHEST, too_many);
    let found = |end: f64| search::end(most_likely, end, excess);
    let (low, high) = (found(-FARTHEST), found(FARTHEST));
    Interval::new(
        if low <= -FARTHEST { 0.0 } else { low.exp() },
        if high >= FARTHEST { f64::INFINITY } else { high.exp() },
    )
}
