//! Who fails at once is not fast for it.
//!
//! Failures count in the times as what ended: of both arms alike, they are a part of what callers wait for. But of an
//! arm that fails more often than the baseline nobody knows how long the requests would have taken that failed in
//! it alone. So where its times are to be no worse, or better, so many of them count as longer than all that ended.

use super::{arms::Arm, effect::Effect, levels::Ends, rates::error_rate};
use crate::{
    stats::sequential::quantiles::clusters::{self, Cell},
    store::Histogram,
};

/// The share of the candidate's requests that fail in it alone: as it looks, or as much as it can be where it fails more
/// often for certain. Time-outs are the longest already.
pub(super) fn excess(
    baseline: &Arm,
    candidate: &Arm,
    ends: Ends,
    [one, other]: [&Histogram; 2],
) -> f64 {
    let Effect { difference, interval, .. } = error_rate(baseline, candidate, ends);
    let more = if interval.low > 0.0 { interval.high } else { difference.unwrap_or(0.0) };
    let timed_out = |times: &Histogram| times.timeouts() as f64 / times.count().max(1) as f64;
    let longest_already = (timed_out(other) - timed_out(one)).max(0.0);
    (more - longest_already).clamp(0.0, 1.0)
}

/// The same values, of which this share, from the lowest, is longer than all others.
pub(super) fn as_longest(values: &mut Vec<(f64, u64)>, share: f64) {
    let all: u64 = values.iter().map(|(_, count)| count).sum();
    let moved = ((share * all as f64).ceil() as u64).min(all);
    let mut left = moved;
    for (_, count) in values.iter_mut() {
        let taken = left.min(*count);
        *count -= taken;
        left -= taken;
    }
    values.push((f64::INFINITY, moved));
}

/// The same of requests that are known by unit.
pub(super) fn units_as_longest(arm: &mut clusters::Arm, share: f64) {
    let all: u64 = arm.cells.iter().map(|cell| cell.count).sum();
    let moved = ((share * all as f64).ceil() as u64).min(all);
    let mut left = moved;
    for cell in &mut arm.cells {
        let taken = left.min(cell.count);
        cell.count -= taken;
        left -= taken;
    }
    match arm.cells.last().copied() {
        Some(last) if last.high.is_finite() => {
            arm.cells.push(Cell { low: last.high, high: f64::INFINITY, count: moved, ..last });
        }
        _ => arm.cells.iter_mut().last().into_iter().for_each(|last| last.count += moved),
    }
}

#[cfg(test)]
mod tests {
    use super::as_longest;

    #[test]
    fn the_lowest_become_the_longest() {
        let mut values = vec![(1.0, 3), (2.0, 4), (f64::INFINITY, 3)];
        as_longest(&mut values, 0.4);
        assert_eq!(values, [(1.0, 0), (2.0, 3), (f64::INFINITY, 3), (f64::INFINITY, 4)]);
        as_longest(&mut values, 0.0);
        assert_eq!(values.iter().map(|(_, count)| count).sum::<u64>(), 10);
    }
}
