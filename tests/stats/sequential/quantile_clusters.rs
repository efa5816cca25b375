//! Is a percentile higher, where whole units were assigned to an arm?

use super::support::{Chance, alarms};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tower_spearmint::stats::Interval;
use tower_spearmint::stats::sequential::Requests::Apart;
use tower_spearmint::stats::sequential::quantiles::clusters::{Arm, Cell, ratio};
use tower_spearmint::stats::sequential::quantiles::{self, Buckets};

/// How many requests of a unit have which value, from 1 on.
type Units = BTreeMap<u64, BTreeMap<u64, u64>>;

/// What is known of these, exactly.
fn arm(units: &Units) -> Arm {
    let mut counts = BTreeMap::<u64, u64>::new();
    for (value, count) in units.values().flatten() {
        *counts.entry(*value).or_default() += count;
    }
    let requests: u64 = counts.values().sum();
    let mut above = requests;
    let cells = counts.iter().map(|(value, count)| {
        above -= count;
        let share = above as f64 / requests as f64;
        let excess = units.values().map(|unit| {
            let size = unit.values().sum::<u64>() as f64;
            let above: u64 = unit.range(value + 1..).map(|(_, count)| count).sum();
            (above as f64 - share * size, size)
        });
        Cell {
            low: *value as f64,
            high: *value as f64,
            count: *count,
            squares: excess.clone().map(|(more, _)| more * more).sum(),
            with_sizes: excess.map(|(more, size)| more * size).sum(),
        }
    });
    let cells = cells.collect();
    let sizes = units.values().map(|unit| (unit.values().sum::<u64>() as f64).powi(2)).sum();
    Arm { cells, sizes }
}

/// Each of so many units of an arm has so many requests, spread evenly from `slowest / 2` to `slowest`, or by its own.
fn even(units: u64, requests: u64, slowest: impl Fn(u64) -> u64) -> Units {
    let of = |unit: u64| {
        let slowest = slowest(unit);
        let mut values = BTreeMap::<u64, u64>::new();
        for at in 0..requests {
            *values.entry(slowest / 2 + 1 + (at * slowest / 2) / requests).or_default() += 1;
        }
        (unit, values)
    };
    (0..units).map(of).collect()
}

/// Requests of units with very unequal traffic, as a look sees them.
#[derive(Default)]
struct Traffic {
    arms: [Units; 2],
}

impl Traffic {
    /// One request of one of 400 units, each of which has a speed of its own.
    fn request(&mut self, chance: &mut Chance, stream: u64, share: f64) {
        let unit = (400_f64.powf(chance.share()) - 1.0) as u64;
        let mut own = Chance::new(stream << 32 | unit);
        let second = usize::from(own.happens(share));
        let speed = 1.0 + own.share();
        let value = (20.0 * speed * (1.0 + 0.5 * chance.exponential())) as u64;
        *self.arms[second].entry(unit).or_default().entry(value).or_default() += 1;
    }

    fn ratio(&self, p: f64) -> Interval {
        ratio(&arm(&self.arms[0]), &arm(&self.arms[1]), p, 0.05, 1e3).unwrap()
    }
}

#[test]
fn units_with_speeds_of_their_own_are_found_different_in_no_more_streams_than_alpha() {
    for (share, p) in [(0.5, 0.5), (0.1, 0.5), (0.5, 0.9)] {
        let streams = std::cell::Cell::new(0);
        let found = alarms(
            60,
            1_000,
            || {
                streams.set(streams.get() + 1);
                (Traffic::default(), streams.get())
            },
            |(traffic, stream), chance| traffic.request(chance, *stream, share),
            |(traffic, _)| !traffic.ratio(p).contains(1.0),
        );
        assert!(found <= 3, "{found} of 60 with {share} and {p}");
    }
}

#[test]
fn requests_that_are_spread_over_units_alike_tell_nearly_as_much_as_if_each_were_one() {
    let [one, other] = [1_000, 1_100].map(|slowest| arm(&even(200, 50, |_| slowest)));
    let found = ratio(&one, &other, 0.5, 0.05, 2e4).unwrap();
    assert!(found.contains(1.1) && found.low > 1.0, "{found:?}");
    let counts = |arm: &Arm| -> Vec<_> { arm.cells.iter().map(|c| (c.high, c.count)).collect() };
    let (one, other) = (counts(&one), counts(&other));
    let (one, other) = (Buckets::new(&one).unwrap(), Buckets::new(&other).unwrap());
    let independent = quantiles::ratio(&one, &other, Apart, 0.5, 0.05, 2e4).unwrap();
    assert!(found.width() < 1.5 * independent.width(), "{found:?} {independent:?}");
}

#[test]
fn units_that_differ_tell_less_than_units_that_are_alike() {
    let width = |slowest: fn(u64) -> u64| {
        let one = arm(&even(200, 50, slowest));
        ratio(&one, &one, 0.5, 0.05, 2e4).unwrap().width()
    };
    let (alike, apart) = (width(|_| 1_000), width(|unit| 500 + 5 * unit));
    assert!(apart > 1.5 * alike, "{apart} {alike}");
}

#[test]
fn a_few_units_say_nothing() {
    for units in [1, 2, 5] {
        let of = |slowest| arm(&even(units, 1_000, |_| slowest));
        let found = ratio(&of(100), &of(1_000), 0.5, 0.05, 1e3).unwrap();
        assert!(!(found.low > 0.0 && found.high.is_finite()), "{found:?}");
    }
    let none = ratio(&Arm::default(), &Arm::default(), 0.5, 0.05, 1e3);
    assert_eq!(none.unwrap(), Interval::EVERYTHING);
}

#[test]
fn what_is_no_question_has_no_answer() {
    let one = arm(&even(50, 20, |_| 1_000));
    for (p, alpha, target) in
        [(0.0, 0.05, 1e3), (0.5, 1.0, 1e3), (0.5, f64::NAN, 1e3), (0.5, 0.05, 0.0)]
    {
        assert!(ratio(&one, &one, p, alpha, target).is_none());
    }
    let mut turned = one.clone();
    turned.cells.reverse();
    assert!(ratio(&one, &turned, 0.5, 0.05, 1e3).is_none());
}

fn units() -> impl Strategy<Value = Units> {
    let values = prop::collection::btree_map(1..200_u64, 1..30_u64, 1..6);
    prop::collection::btree_map(any::<u64>(), values, 0..80)
}

proptest! {
    #[test]
    fn arms_that_are_swapped_have_the_inverse_ratio(one in units(), other in units()) {
        let (one, other) = (arm(&one), arm(&other));
        let [there, back] = [(&one, &other), (&other, &one)]
            .map(|(one, other)| ratio(one, other, 0.5, 0.05, 1e3).unwrap());
        let alike = |a: f64, b: f64| a == b || (a / b - 1.0).abs() < 1e-9;
        prop_assert!(there == Interval::EVERYTHING || alike(there.low, back.high.recip()));
        prop_assert!(there == Interval::EVERYTHING || alike(there.high, back.low.recip()));
    }

    #[test]
    fn the_estimate_is_never_left_out(one in units(), other in units(), p in 0.05..0.95) {
        let (one, other) = (arm(&one), arm(&other));
        let quantile = |arm: &Arm| {
            let counts: Vec<_> = arm.cells.iter().map(|cell| (cell.high, cell.count)).collect();
            Buckets::new(&counts).unwrap().quantile(p)
        };
        if let (Some(of_one), Some(of_other)) = (quantile(&one), quantile(&other)) {
            let found = ratio(&one, &other, p, 0.05, 1e3).unwrap();
            prop_assert!(found.contains(of_other / of_one), "{found:?} {of_one} {of_other}");
        }
    }

    #[test]
    fn any_sums_give_an_interval(
        sums in prop::collection::vec((any::<u64>(), 0.0..1e30, -1e30..1e30), 0..20),
        sizes in 0.0..1e30, alpha in 0.001..0.999, target in 1.0..1e12,
    ) {
        let cells = sums.iter().enumerate().map(|(at, (count, squares, with_sizes))| Cell {
            low: at as f64, high: at as f64 + 0.5, count: *count, squares: *squares, with_sizes: *with_sizes,
        });
        let arm = Arm { cells: cells.collect(), sizes };
        let found = ratio(&arm, &arm, 0.9, alpha, target).unwrap();
        prop_assert!(found.low <= found.high, "{found:?}");
    }
}
