//! How often an arm has the event.

use crate::stats::Interval;
use crate::stats::sequential::mixture::{self, Chance};
use crate::stats::sequential::{checked, search};

/// A confidence sequence for a rate, of `events` in `trials` that are independent, with an error
/// probability of `alpha`, sharpest at `target` trials.
///
/// It has all rates whose evidence, by a beta mixture around each, is below `1 / alpha` (Howard et
/// al., arXiv 1810.08240, the two-sided beta-binomial mixture). `None` if there are more events
/// than trials, or `alpha` is not between 0 and 1.
///
/// ```
/// use tower_spearmint::stats::sequential::rates::rate;
///
/// let never = rate(0, 1_000, 0.05, 1_000.0).unwrap();
/// assert!(never.low == 0.0 && never.high < 0.01);
/// ```
pub fn rate(events: u64, trials: u64, alpha: f64, target: f64) -> Option<Interval> {
    let alpha = checked(alpha)?;
    if events > trials {
        return None;
    }
    let all = Interval { low: 0.0, high: 1.0 };
    if trials == 0 {
        return Some(all);
    }
    let excess = |chance: Chance| against(events, trials, chance, target) + alpha.ln();
    let (hits, misses) = (events as f64, (trials - events) as f64);
    // The upper end is looked for by its distance from 1, so that neither end loses digits.
    let hit = hits / trials as f64;
    let miss = misses / trials as f64;
    let low = if events == 0 { 0.0 } else { search::end(hit, 0.0, |hit| excess(Chance::of(hit))) };
    let high = if events == trials {
        1.0
    } else if hit < 0.5 {
        search::end(hit, 1.0, |hit| excess(Chance::of(hit)))
    } else {
        1.0 - search::end(miss, 0.0, |miss| excess(Chance::of_miss(miss)))
    };
    Interval::new(low, high)?.intersect(&all)
}

/// What speaks against a chance of the event, as a logarithm.
pub(super) fn against(events: u64, trials: u64, chance: Chance, target: f64) -> f64 {
    let misses = trials.saturating_sub(events);
    let prior = chance.prior(mixture::concentration(target));
    mixture::beta_binomial(events as f64, misses as f64, chance, prior)
}
