//! Does one arm fail more often than the other, where whole units were assigned to an arm?

use super::support::{Chance, alarms, rows};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tower_spearmint::stats::Interval;
use tower_spearmint::stats::sequential::Requests::Apart;
use tower_spearmint::stats::sequential::clusters::{Cluster, Clusters};
use tower_spearmint::stats::sequential::rates;

#[test]
fn the_interval_is_the_one_that_is_searched_for() {
    for row in rows("clusters") {
        let clusters: Vec<_> = row
            .list("clusters")
            .map(|cluster| {
                let numbers = cluster.all();
                let [bucket, epoch, failed, all, other_failed, other_all] = numbers[..] else {
                    panic!("six numbers")
                };
                Cluster {
                    bucket: bucket as u32,
                    epoch: epoch as usize,
                    first: (failed as u64, all as u64),
                    second: (other_failed as u64, other_all as u64),
                }
            })
            .collect();
        let (alpha, target) = (row.number("alpha"), row.number("target"));
        let found = Clusters::of(&clusters).unwrap().difference(alpha, target).unwrap();
        row.is("low", found.low, 1e-9);
        row.is("high", found.high, 1e-9);
    }
}

/// What a unit does: its arm, and how often its requests fail.
type Unit = fn(&mut Chance) -> f64;

/// Requests of units with very unequal traffic, as a look sees them.
#[derive(Default)]
struct Traffic {
    clusters: BTreeMap<u32, Cluster>,
}

impl Traffic {
    /// One request of one of 400 units.
    fn request(&mut self, chance: &mut Chance, stream: u64, share: f64, failing: Unit) {
        let unit = (400_f64.powf(chance.share()) - 1.0) as u32;
        let mut own = Chance::new(stream << 32 | u64::from(unit));
        let second = own.happens(share);
        let failed = u64::from(chance.happens(failing(&mut own)));
        let at = self.clusters.entry(unit).or_default();
        at.bucket = unit;
        let arm = if second { &mut at.second } else { &mut at.first };
        arm.0 += failed;
        arm.1 += 1;
    }

    fn difference(&self) -> Interval {
        let clusters: Vec<_> = self.clusters.values().copied().collect();
        Clusters::of(&clusters).unwrap().difference(0.05, 2e4).unwrap()
    }
}

/// In how many of 200 streams without a difference one is found.
fn found(share: f64, failing: Unit) -> u64 {
    let streams = std::cell::Cell::new(0);
    alarms(
        200,
        1_500,
        || {
            streams.set(streams.get() + 1);
            (Traffic::default(), streams.get())
        },
        |(traffic, stream), chance| traffic.request(chance, *stream, share, failing),
        |(traffic, _)| !traffic.difference().contains(0.0),
    )
}

#[test]
fn units_that_fail_as_their_luck_has_it_are_found_different_in_no_more_streams_than_alpha() {
    for share in [0.5, 0.1] {
        let found = found(share, |own| 0.2 * own.share());
        assert!(found <= 10, "{found} of 200 with {share}");
    }
}

#[test]
fn units_that_fail_always_or_never_are_found_different_in_no_more_streams_than_alpha() {
    for share in [0.5, 0.1] {
        let found = found(share, |own| f64::from(u8::from(own.happens(0.1))));
        assert!(found <= 10, "{found} of 200 with {share}");
    }
}

/// Each of so many units has a hundred requests, of which so many fail, in the arm with its parity.
fn even(units: u32, failed: impl Fn(u32) -> u64) -> Vec<Cluster> {
    let cluster = |unit| {
        let (at, own) = (Cluster { bucket: unit, ..Cluster::default() }, (failed(unit), 100));
        if unit % 2 == 0 { Cluster { first: own, ..at } } else { Cluster { second: own, ..at } }
    };
    (0..units).map(cluster).collect()
}

#[test]
fn failures_that_are_spread_over_units_tell_more_than_a_unit_each() {
    let units = even(400, |unit| if unit % 2 == 0 { 5 + u64::from(unit % 3) } else { 8 });
    let difference = Clusters::of(&units).unwrap().difference(0.05, 2e4).unwrap();
    // If all requests of a unit were alike, there would be 200 on either side.
    let alike = rates::difference((12, 200), (16, 200), Apart, 0.05, 2e4).unwrap();
    assert!(difference.low > 0.0 && difference.contains(0.02), "{difference:?}");
    assert!(difference.width() < 0.1 * alike.width(), "{difference:?} {alike:?}");
}

#[test]
fn a_few_units_say_nothing() {
    for units in
        [even(0, |_| 0), even(1, |_| 50), even(2, |unit| 90 * u64::from(unit)), even(8, |_| 9)]
    {
        let found = Clusters::of(&units).unwrap().difference(0.05, 2e4).unwrap();
        assert_eq!(found, Interval::EVERYTHING, "{units:?}");
    }
    // Nor do hundreds, beside one that has most of the requests.
    let mut units = even(400, |unit| 2 + u64::from(unit % 3));
    units[0].first = (900, 100_000);
    let found = Clusters::of(&units).unwrap().difference(0.05, 2e4).unwrap();
    assert_eq!(found, Interval::EVERYTHING);
}

#[test]
fn where_nothing_fails_or_all_does_nothing_is_told() {
    for units in [even(400, |_| 0), even(400, |_| 100)] {
        let found = Clusters::of(&units).unwrap().difference(0.05, 2e4).unwrap();
        assert_eq!(found, Interval::EVERYTHING);
    }
}

#[test]
fn more_failures_than_requests_are_none() {
    let impossible = Cluster { first: (2, 1), ..Cluster::default() };
    assert!(Clusters::of(&[impossible]).is_none());
    let units = Clusters::of(&even(400, |unit| u64::from(unit % 5))).unwrap();
    for (alpha, target) in
        [(0.0, 1e3), (1.0, 1e3), (f64::NAN, 1e3), (0.05, 0.0), (0.05, f64::INFINITY)]
    {
        assert!(units.difference(alpha, target).is_none());
    }
}

proptest! {
    #[test]
    fn arms_that_are_swapped_mirror_the_answer(
        units in prop::collection::vec((0..40_u32, 0..3_usize, 0..50_u64, 0..50_u64, 0..50_u64, 0..50_u64), 0..200),
    ) {
        let cluster = |(bucket, epoch, failed, more, other_failed, other_more)| Cluster {
            bucket, epoch, first: (failed, failed + more), second: (other_failed, other_failed + other_more),
        };
        let one: Vec<Cluster> = units.into_iter().map(cluster).collect();
        let other: Vec<Cluster> =
            one.iter().map(|c| Cluster { first: c.second, second: c.first, ..*c }).collect();
        let [one, other] =
            [one, other].map(|units| Clusters::of(&units).unwrap().difference(0.05, 1e3).unwrap());
        prop_assert!((one.low + other.high).abs() < 1e-9 || one.low == -other.high, "{one:?} {other:?}");
        prop_assert!((one.high + other.low).abs() < 1e-9 || one.high == -other.low, "{one:?} {other:?}");
    }

    #[test]
    fn any_counts_give_an_interval(
        counts in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()), 0..50),
        alpha in 0.001..0.999,
        target in 1.0..1e12,
    ) {
        let cluster = |(at, (a, b, c, d)): (usize, (u64, u64, u64, u64))| Cluster {
            bucket: at as u32, epoch: at % 2, first: (a.min(b), a.max(b)), second: (c.min(d), c.max(d)),
        };
        let units: Vec<_> = counts.into_iter().enumerate().map(cluster).collect();
        let found = Clusters::of(&units).unwrap().difference(alpha, target).unwrap();
        prop_assert!(found.low <= found.high, "{found:?}");
    }
}
