//! By how much the rates of two arms differ.

use super::single::against;
use crate::stats::Interval;
use crate::stats::sequential::mixture::Chance;
use crate::stats::sequential::{Requests, checked, search};

/// A confidence sequence for the second arm's rate minus the first's: pairs of (events, trials),
/// sharpest at `target` trials of each arm.
///
/// It has all differences for which two rates so far apart are not refuted together: the product of
/// what speaks against either (as in [`rate`](super::rate)), for shared requests the mean, is below
/// `1 / alpha`. For shared requests,
/// [`pairs::difference`](crate::stats::sequential::pairs::difference) needs fewer of them, and for
/// rare events, [`ratio`](super::ratio) says more.
///
/// `None` if there are more events than trials, or `alpha` is not between 0 and 1.
///
/// ```
/// use tower_spearmint::stats::sequential::{Requests, rates::difference};
///
/// let difference = difference((0, 20_000), (9, 20_000), Requests::Apart, 0.05, 2e4).unwrap();
/// assert!(difference.contains(9.0 / 20_000.0) && difference.high < 0.002);
/// ```
pub fn difference(
    first: (u64, u64),
    second: (u64, u64),
    requests: Requests,
    alpha: f64,
    target: f64,
) -> Option<Interval> {
    let alpha = checked(alpha)?;
    if first.0 > first.1 || second.0 > second.1 {
        return None;
    }
    if first.1 == 0 || second.1 == 0 {
        return Some(Interval { low: -1.0, high: 1.0 });
    }
    let rate = |arm: (u64, u64)| arm.0 as f64 / arm.1 as f64;
    let (one, other) = (rate(first), rate(second));
    let spoken = |rate: f64, apart: f64| {
        requests.together(
            against(first.0, first.1, Chance::of(rate), target),
            against(second.0, second.1, Chance::of((rate + apart).clamp(0.0, 1.0)), target),
        )
    };
    let excess = |apart: f64| {
        // Between the first's rate and the one that makes the second's its own, least speaks
        // against both.
        let (from, to) = (one.min(other - apart), one.max(other - apart));
        let (from, to) = (from.max(0.0).max(-apart), to.min(1.0).min(1.0 - apart));
        least_between(from, to, |rate| spoken(rate, apart)) + alpha.ln()
    };
    let end = |beyond: f64| search::end(other - one, beyond, excess);
    Interval::new(end(-1.0), end(1.0))
}

/// The least value of a function that falls and then rises, by the golden section (Kiefer 1953).
fn least_between(from: f64, to: f64, of: impl Fn(f64) -> f64) -> f64 {
    const SECTION: f64 = 0.618_033_988_749_894_9;
    let (mut from, mut to) = (from, to.max(from));
    let mut least = of(from).min(of(to));
    let (mut left, mut right) = (to - SECTION * (to - from), from + SECTION * (to - from));
    let (mut at_left, mut at_right) = (of(left), of(right));
    for _ in 0..32 {
        least = least.min(at_left).min(at_right);
        if at_left <= at_right {
            (to, right, at_right) = (right, left, at_left);
            left = to - SECTION * (to - from);
            at_left = of(left);
        } else {
            (from, left, at_left) = (left, right, at_right);
            right = from + SECTION * (to - from);
            at_right = of(right);
        }
    }
    least.min(at_left).min(at_right)
}
