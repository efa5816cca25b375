//! Is the 95th percentile of one arm above that of the other?

use super::support::{Chance, alarms, rows};
use proptest::prelude::*;
use tower_spearmint::stats::sequential::Requests::{Apart, Shared};
use tower_spearmint::stats::sequential::quantiles::{
    Buckets, above, below, difference, evidence, interval, ratio, stitched,
};

#[test]
fn the_interval_ends_at_the_order_statistics_that_confseq_finds() {
    for row in rows("quantile") {
        let (buckets, p, alpha) = (row.buckets("buckets"), row.number("p"), row.number("alpha"));
        let values = Buckets::new(&buckets).unwrap();
        let found = interval(&values, p, alpha, row.number("target")).unwrap();
        row.is("low", found.low, 0.0);
        row.is("high", found.high, 0.0);
        let found = stitched(&values, p, alpha, 10.0).unwrap();
        row.is("stitched_low", found.low, 0.0);
        row.is("stitched_high", found.high, 0.0);
    }
}

#[test]
fn two_quantiles_differ_as_much_as_confseq_finds() {
    for row in rows("two_quantiles") {
        let (first, second) = (row.buckets("first"), row.buckets("second"));
        let (first, second) = (Buckets::new(&first).unwrap(), Buckets::new(&second).unwrap());
        let e =
            evidence(&first, &second, Apart, row.number("p"), 1.0, row.number("target")).unwrap();
        row.is("p_value", e.p_value(), 1e-5);
    }
}

#[test]
fn two_quantiles_are_as_far_apart_as_any_pair_that_is_not_refuted() {
    for row in rows("quantile_region") {
        let (first, second) = (row.buckets("first"), row.buckets("second"));
        let (first, second) = (Buckets::new(&first).unwrap(), Buckets::new(&second).unwrap());
        let (p, alpha, target) = (row.number("p"), row.number("alpha"), row.number("target"));
        let found = difference(&first, &second, Apart, p, alpha, target).unwrap();
        row.is("low", found.low, 1e-12);
        row.is("high", found.high, 1e-12);
        let found = ratio(&first, &second, Apart, p, alpha, target).unwrap();
        row.is("ratio_low", found.low, 1e-12);
        row.is("ratio_high", found.high, 1e-12);
    }
}

/// Latencies of two arms, in buckets of 5 % each; a few time out.
type Latencies = [Vec<(f64, u64)>; 2];

fn empty() -> Latencies {
    let mut edges: Vec<_> = (0..160).map(|at| (0.01 * 1.05_f64.powi(at), 0)).collect();
    edges.push((f64::INFINITY, 0));
    [edges.clone(), edges]
}

fn observe(arm: &mut [(f64, u64)], chance: &mut Chance, factor: f64) {
    let latency = factor * chance.exponential();
    let bucket = if chance.happens(0.002) {
        arm.len() - 1
    } else {
        arm.partition_point(|(edge, _)| *edge < latency).min(arm.len() - 2)
    };
    arm[bucket].1 += 1;
}

#[test]
fn equal_quantiles_are_called_different_in_no_more_streams_than_alpha() {
    let found = alarms(
        200,
        2_000,
        empty,
        |arms, chance| {
            let arm = usize::from(chance.happens(0.5));
            observe(&mut arms[arm], chance, 1.0);
        },
        |arms| {
            let [first, second] = [0, 1].map(|arm| Buckets::new(&arms[arm]).unwrap());
            evidence(&first, &second, Apart, 0.9, 1.0, 500.0).unwrap().rejects(0.05)
        },
    );
    assert!(found <= 10, "{found} of 200");
}

#[test]
fn the_quantile_leaves_its_confidence_sequences_in_no_more_streams_than_alpha() {
    // Of the values as they are rounded: what 90 % do not exceed.
    let truth = empty()[0].iter().find(|(edge, _)| (1.0 - (-edge).exp()) * 0.998 >= 0.9).unwrap().0;
    for tuned in [true, false] {
        let found = alarms(
            200,
            2_000,
            empty,
            |arms, chance| observe(&mut arms[0], chance, 1.0),
            |arms| {
                let values = Buckets::new(&arms[0]).unwrap();
                let found = if tuned {
                    interval(&values, 0.9, 0.05, 500.0)
                } else {
                    stitched(&values, 0.9, 0.05, 10.0)
                };
                !found.unwrap().contains(truth)
            },
        );
        assert!(found <= 10, "{found} of 200");
    }
}

#[test]
fn equal_quantiles_of_shared_requests_are_called_different_in_no_more_streams_than_alpha() {
    // What is slow for one is fast for the other, and the reverse: nothing is farther from
    // independence.
    let found = alarms(
        100,
        1_000,
        empty,
        |arms, chance| {
            let share = chance.share();
            for (arm, share) in arms.iter_mut().zip([share, 1.0 - share]) {
                let latency = -(1.0 - share).ln();
                let bucket = arm.partition_point(|(edge, _)| *edge < latency);
                arm[bucket].1 += 1;
            }
        },
        |arms| {
            let [first, second] = [0, 1].map(|arm| Buckets::new(&arms[arm]).unwrap());
            evidence(&first, &second, Shared, 0.5, 1.0, 300.0).unwrap().rejects(0.05)
        },
    );
    assert!(found <= 5, "{found} of 100");
}

#[test]
fn the_ratio_leaves_its_confidence_sequence_in_no_more_streams_than_alpha() {
    // Rounded up alike, the second is an edge 10 buckets above the first.
    let factor = 1.05_f64.powi(10);
    let found = alarms(
        100,
        1_000,
        empty,
        |arms, chance| {
            let arm = usize::from(chance.happens(0.5));
            observe(&mut arms[arm], chance, [1.0, factor][arm]);
        },
        |arms| {
            let [first, second] = [0, 1].map(|arm| Buckets::new(&arms[arm]).unwrap());
            let found = ratio(&first, &second, Apart, 0.8, 0.05, 300.0).unwrap();
            !(found.low <= factor * (1.0 + 1e-9) && factor * (1.0 - 1e-9) <= found.high)
        },
    );
    assert!(found <= 5, "{found} of 100");
}

#[test]
fn the_difference_is_narrower_than_that_of_two_intervals() {
    let mut arms = empty();
    let mut chance = Chance::new(3);
    (0..2_000).for_each(|n| observe(&mut arms[n % 2], &mut chance, 1.0));
    let [first, second] = [0, 1].map(|arm| Buckets::new(&arms[arm]).unwrap());
    let together = difference(&first, &second, Apart, 0.8, 0.05, 1e3).unwrap();
    let [first, second] = [first, second].map(|arm| interval(&arm, 0.8, 0.025, 1e3).unwrap());
    assert!(together.width() < 0.9 * second.minus(&first).width(), "{together:?}");
}

#[test]
fn a_quantile_half_as_large_again_is_found_in_most_streams() {
    let found = alarms(
        40,
        6_000,
        empty,
        |arms, chance| {
            let arm = usize::from(chance.happens(0.5));
            observe(&mut arms[arm], chance, [1.0, 1.5][arm]);
        },
        |arms| {
            let [first, second] = [0, 1].map(|arm| Buckets::new(&arms[arm]).unwrap());
            above(&first, &second, Apart, 0.9, 1.0, 1_000.0).unwrap().rejects(0.05)
        },
    );
    assert!(found >= 35, "{found} of 40");
}

#[test]
fn time_outs_are_above_all_that_came_to_an_end() {
    let values = [(1.0, 900), (f64::INFINITY, 100)];
    let values = Buckets::new(&values).unwrap();
    assert_eq!(values.quantile(0.95), Some(f64::INFINITY));
    let p95 = interval(&values, 0.95, 0.05, 1e3).unwrap();
    assert_eq!((p95.low, p95.high), (f64::INFINITY, f64::INFINITY));
    let p50 = interval(&values, 0.5, 0.05, 1e3).unwrap();
    assert_eq!((p50.low, p50.high), (1.0, 1.0));
}

#[test]
fn no_values_say_nothing() {
    let none = Buckets::new(&[]).unwrap();
    let some = [(1.0, 1_000)];
    let some = Buckets::new(&some).unwrap();
    assert_eq!(none.quantile(0.5), None);
    assert_eq!(interval(&none, 0.5, 0.05, 1e3).unwrap().width(), f64::INFINITY);
    assert_eq!(difference(&none, &some, Apart, 0.5, 0.05, 1e3).unwrap().width(), f64::INFINITY);
    assert!(evidence(&none, &some, Apart, 0.5, 1.0, 1e3).unwrap().ln() <= 0.0);
}

#[test]
fn edges_that_do_not_ascend_are_no_buckets() {
    for buckets in [&[(2.0, 1), (1.0, 1)][..], &[(f64::NAN, 1)], &[(1.0, u64::MAX), (2.0, 1)]] {
        assert!(Buckets::new(buckets).is_none(), "{buckets:?}");
    }
}

proptest! {
    #[test]
    fn intervals_hold_the_estimate_widen_with_certainty_and_are_numbers(
        counts in prop::collection::vec(prop_oneof![0..10_u64, 0..1_000_000_000_000_u64], 0..20),
        p in prop_oneof![0.0..1.0, any::<f64>()],
        target in prop_oneof![1.0..1e7, any::<f64>()],
    ) {
        let buckets: Vec<_> = counts.iter().enumerate().map(|(edge, count)| (edge as f64, *count)).collect();
        let values = Buckets::new(&buckets).unwrap();
        let both = |alpha| [interval(&values, p, alpha, target), stitched(&values, p, alpha, 10.0)];
        for (narrow, wide) in both(0.2).into_iter().zip(both(0.001)) {
            prop_assert_eq!(narrow.is_some(), p > 0.0 && p < 1.0);
            if let (Some(narrow), Some(wide)) = (narrow, wide) {
                prop_assert!(values.quantile(p).is_none_or(|estimate| narrow.contains(estimate)));
                prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
            }
        }
        let turned: Vec<_> = counts.iter().rev().enumerate().map(|(edge, count)| (edge as f64, *count)).collect();
        let turned = Buckets::new(&turned).unwrap();
        for (relative, requests) in [(false, Apart), (true, Apart), (false, Shared), (true, Shared)] {
            let ask = if relative { ratio } else { difference };
            let [narrow, wide] = [0.2, 0.001].map(|alpha| ask(&values, &turned, requests, p, alpha, target));
            if let (Some(narrow), Some(wide)) = (narrow, wide) {
                prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
            }
            if let Some((narrow, (one, other))) = narrow.zip(values.quantile(p).zip(turned.quantile(p))) {
                let estimate = if relative { other / one } else { other - one };
                prop_assert!(estimate.is_nan() || narrow.contains(estimate));
            }
        }
    }

    #[test]
    fn no_two_arms_give_a_number_that_is_none(
        first in prop::collection::vec((any::<f64>(), any::<u32>()), 0..8),
        second in prop::collection::vec((any::<f64>(), any::<u32>()), 0..8),
        asked in prop_oneof![0.1..10.0, any::<f64>()],
        p in 0.001..0.999,
        alpha in prop_oneof![0.0..1.0, any::<f64>()],
    ) {
        let sorted = |mut buckets: Vec<(f64, u32)>| {
            buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
            buckets.into_iter().map(|(edge, count)| (edge, u64::from(count))).collect::<Vec<_>>()
        };
        let (first, second) = (sorted(first), sorted(second));
        if let (Some(first), Some(second)) = (Buckets::new(&first), Buckets::new(&second)) {
            for requests in [Apart, Shared] {
                for ask in [evidence, above, below] {
                    let e = ask(&first, &second, requests, p, asked, 1e3);
                    prop_assert!(!e.is_some_and(|e| e.ln().is_nan()));
                }
                for ask in [difference, ratio] {
                    let found = ask(&first, &second, requests, p, alpha, 1e3);
                    prop_assert!(found.is_none_or(|found| found.low <= found.high), "{:?}", found);
                }
            }
            // What is not refuted is in the interval of the ratio.
            let not_refuted = !evidence(&first, &second, Apart, p, 1.0, 1e3).unwrap().rejects(0.05);
            let apart = difference(&first, &second, Apart, p, 0.05, 1e3).unwrap();
            prop_assert!(!not_refuted || apart.contains(0.0));
            // Neither direction is found when both are asked at once.
            let [up, down] = [above, below].map(|ask| ask(&first, &second, Apart, p, 1.0, 1e3).unwrap());
            prop_assert!(up.ln().min(down.ln()) <= 1e-9);
        }
    }
}
