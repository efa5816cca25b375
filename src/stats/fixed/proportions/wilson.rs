//! Where one share lies.

use super::Proportion;
use crate::stats::{Interval, interval::half_of, special::normal_upper_inverse};

/// Wilson's score interval: the shares that a z test with its own variance does not refute.
///
/// (p̂ + z²/2n ± z √(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n) (Wilson, "Probable inference, the law of
/// succession, and statistical inference", JASA 22, 1927). It holds for few trials and for shares
/// of 0 and 1, too.
///
/// It misses the truth with chance `alpha` (about), between 0 and 1. `None` without trials.
///
/// ```
/// use tower_spearmint::stats::fixed::{Proportion, wilson};
///
/// let interval = wilson(Proportion { successes: 0, trials: 100 }, 0.05).unwrap();
/// assert_eq!(interval.low, 0.0);
/// assert!((interval.high - 0.037).abs() < 1e-3);
/// ```
pub fn wilson(proportion: Proportion, alpha: f64) -> Option<Interval> {
    let share = proportion.share()?;
    let failed = proportion.failures()? / proportion.trials();
    let z = normal_upper_inverse(half_of(alpha)?);
    let per_trial = z * z / proportion.trials();
    let whole = 1.0 + per_trial;
    let half = (per_trial * (share * failed + 0.25 * per_trial)).sqrt();
    let middle = share + 0.5 * per_trial;
    // Where it is 0 or 1, rounding must not leave a little.
    let low = if share == 0.0 { 0.0 } else { ((middle - half) / whole).max(0.0) };
    let high = if failed == 0.0 { 1.0 } else { ((middle + half) / whole).min(1.0) };
    let interval = Interval { low: low.min(share), high: high.max(share) };
    interval.is_finite().then_some(interval)
}
