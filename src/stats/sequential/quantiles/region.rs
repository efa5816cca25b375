//! How far apart the quantiles of two arms may be.

use super::Buckets;
use super::arm::{Arm, Arms};
use crate::stats::Interval;
use crate::stats::sequential::{Requests, checked};

/// A confidence sequence for the second arm's `p`-quantile minus the first's, with an error
/// probability of `alpha`, sharpest at `target` values of each arm.
///
/// For the two true quantiles, the product of what speaks against either (as in
/// [`evidence`](super::evidence)) reaches `1 / alpha` with a probability of at most `alpha`. So the
/// pairs of values for which it does not are a region that both are in, and this is what their
/// differences lie between. It is narrower than what two intervals with half of `alpha` each would
/// give, as not both of them are at their ends at once. (For shared requests it is the mean of
/// both, and about as wide as those.)
///
/// `None` if `p` or `alpha` is not between 0 and 1.
///
/// ```
/// use tower_spearmint::stats::sequential::{Requests::Apart, quantiles::{Buckets, difference}};
///
/// let slow: Vec<_> = (1..=100).map(|edge| (f64::from(edge), 100)).collect();
/// let fast: Vec<_> = (1..=100).map(|edge| (f64::from(edge) / 2.0, 100)).collect();
/// let (slow, fast) = (Buckets::new(&slow).unwrap(), Buckets::new(&fast).unwrap());
/// let difference = difference(&slow, &fast, Apart, 0.95, 0.05, 1e4).unwrap();
/// assert!(difference.contains(-47.5) && difference.high < -45.0);
/// ```
pub fn difference(
    first: &Buckets<'_>,
    second: &Buckets<'_>,
    requests: Requests,
    p: f64,
    alpha: f64,
    target: f64,
) -> Option<Interval> {
    let arms = Arms::of([first, second], requests, p, target)?;
    over_region(&arms, p, alpha, Interval::minus)
}

/// A confidence sequence for how many times the first arm's `p`-quantile the second's is, likewise,
/// where no value is negative.
pub fn ratio(
    first: &Buckets<'_>,
    second: &Buckets<'_>,
    requests: Requests,
    p: f64,
    alpha: f64,
    target: f64,
) -> Option<Interval> {
    let arms = Arms::of([first, second], requests, p, target)?;
    over_region(&arms, p, alpha, Interval::over)
}

/// From the least to the largest of what is asked of all pairs in the region, and of the estimates.
fn over_region(
    Arms { first, second, requests }: &Arms<'_>,
    p: f64,
    alpha: f64,
    ask: fn(&Interval, &Interval) -> Interval,
) -> Option<Interval> {
    let enough = -checked(alpha)?.ln();
    let alone = |other: &Arm<'_>| requests.alone(enough, other.least_of_all());
    let (one, other) = (against(first, alone(second)), against(second, alone(first)));
    // What speaks against falls up to here, and rises from here on.
    let turn = (0..other.len()).min_by(|a, b| other[*a].1.total_cmp(&other[*b].1)).unwrap_or(0);
    let estimates = first.values.quantile(p).zip(second.values.quantile(p));
    let estimated = estimates.map(|(one, other)| ask(&point(other), &point(one)));
    let found = one.iter().filter_map(|(value, spoken)| {
        let left = |against: &(f64, f64)| requests.together(*spoken, against.1) < enough;
        let from = other[..turn].partition_point(|against| !left(against));
        let to = turn + other[turn..].partition_point(left);
        let within = Interval::new(other.get(from)?.0, other.get(to.checked_sub(1)?)?.0)?;
        Some(ask(&within, &point(*value)))
    });
    let hull = |one: Interval, other: Interval| Interval {
        low: one.low.min(other.low),
        high: one.high.max(other.high),
    };
    Some(found.chain(estimated).reduce(hull).unwrap_or(Interval::EVERYTHING))
}

fn point(value: f64) -> Interval {
    Interval { low: value, high: value }
}

/// The values that less than `limit` speaks against, each with what does. (What lies between two of
/// them is spoken against more than either, so that it is never farthest.)
fn against(arm: &Arm<'_>, limit: f64) -> Vec<(f64, f64)> {
    let total = arm.values.total();
    let beyond = [(f64::NEG_INFINITY, 0, 0), (f64::INFINITY, total, total)];
    let mut all: Vec<_> = arm.values.steps(1.0).collect();
    all.insert(0, beyond[0]);
    all.push(beyond[1]);
    // It falls up to the likeliest, and rises from there on.
    let spoken = |step: &(f64, u64, u64)| arm.least(step.1, step.2);
    let turn = all.partition_point(|step| (step.2 as f64) < arm.likeliest_rank());
    let from = all[..turn].partition_point(|step| spoken(step) >= limit);
    let to = turn + all[turn..].partition_point(|step| spoken(step) < limit);
    all[from..to].iter().map(|step| (step.0, spoken(step))).collect()
}
