//! Does one arm fail more often than the other?

use super::support::{alarms, rows};
use proptest::prelude::*;
use tower_spearmint::stats::sequential::Requests::{Apart, Shared};
use tower_spearmint::stats::sequential::rates::{
    Split, above, below, difference, evidence, rate, ratio,
};

#[test]
fn the_evidence_is_that_of_fifty_digits_and_of_confseq() {
    for row in rows("rates") {
        let split = [Split {
            first: row.count("first"),
            second: row.count("second"),
            share: row.number("share"),
        }];
        let (asked, target) = (row.number("ratio"), row.number("target"));
        row.is("both", evidence(&split, asked, target).unwrap().ln(), 1e-9);
        row.is("above", above(&split, asked, target).unwrap().ln(), 1e-9);
        row.is("below", below(&split, asked, target).unwrap().ln(), 1e-9);
        if row.has("confseq") {
            row.is("confseq", evidence(&split, asked, target).unwrap().ln(), 1e-6);
            row.is("confseq_above", above(&split, asked, target).unwrap().ln(), 1e-6);
        }
    }
}

#[test]
fn the_ratio_ends_where_the_evidence_is_enough() {
    for row in rows("rate_ratio") {
        let splits: Vec<_> = row
            .list("splits")
            .map(|split| Split {
                first: split.at(0) as u64,
                second: split.at(1) as u64,
                share: split.at(2),
            })
            .collect();
        let found = ratio(&splits, row.number("alpha"), row.number("target")).unwrap();
        row.is("low", found.low, 1e-9);
        row.is("high", found.high, 1e-9);
    }
}

#[test]
fn a_rate_is_between_the_ends_that_confseq_finds() {
    for row in rows("rate") {
        let found = rate(
            row.count("events"),
            row.count("trials"),
            row.number("alpha"),
            row.number("target"),
        )
        .unwrap();
        row.is("low", found.low, 1e-6);
        row.is("high", found.high, 1e-6);
    }
}

#[test]
fn rates_are_as_far_apart_as_any_two_that_are_not_refuted_together() {
    for row in rows("rate_difference") {
        let arm = |name: &str| (row.counts(name)[0], row.counts(name)[1]);
        let (first, second) = (arm("first"), arm("second"));
        let (alpha, target) = (row.number("alpha"), row.number("target"));
        for (requests, low, high) in [(Apart, "low", "high"), (Shared, "shared_low", "shared_high")]
        {
            let found = difference(first, second, requests, alpha, target).unwrap();
            row.is(low, found.low, 1e-8);
            row.is(high, found.high, 1e-8);
        }
    }
}

#[test]
fn the_difference_is_narrower_than_that_of_two_intervals() {
    let (first, second) = ((300, 10_000), (340, 10_000));
    let together = difference(first, second, Apart, 0.05, 1e4).unwrap();
    let [one, other] = [first, second].map(|arm| rate(arm.0, arm.1, 0.025, 1e4).unwrap());
    assert!(together.width() < 0.8 * other.minus(&one).width(), "{together:?}");
}

/// Failures and requests of two arms.
type Arms = [(u64, u64); 2];

fn split(arms: &Arms, share: f64) -> [Split; 1] {
    [Split { first: arms[0].0, second: arms[1].0, share }]
}

#[test]
fn equal_rates_are_called_different_in_no_more_streams_than_alpha() {
    for (share, rate) in [(0.5, 0.3), (0.1, 0.5), (0.9, 0.9)] {
        let found = alarms(
            200,
            3_000,
            || [(0, 0); 2],
            |arms: &mut Arms, chance| {
                let arm = &mut arms[usize::from(chance.happens(share))];
                arm.0 += u64::from(chance.happens(rate));
                arm.1 += 1;
            },
            |arms| {
                let found = evidence(&split(arms, share), 1.0, 100.0).unwrap().rejects(0.05);
                assert_eq!(found, above_or_below(arms, share, found));
                found
            },
        );
        assert!(found <= 10, "{found} of 200");
    }
}

/// The ratio's interval excludes 1 just when the evidence (of which the mixture is the same here,
/// as the shares are the null's chances) is enough.
fn above_or_below(arms: &Arms, share: f64, found: bool) -> bool {
    if found || arms[0].1.is_multiple_of(16) {
        !ratio(&split(arms, share), 0.05, 100.0).unwrap().contains(1.0)
    } else {
        found
    }
}

#[test]
fn the_share_of_what_was_dispatched_alarms_in_no_more_streams_than_alpha_either() {
    // One after the other, as a fixed cycle does it.
    let found = alarms(
        300,
        3_000,
        || ([(0, 0); 2], 0),
        |(arms, turn): &mut (Arms, usize), chance| {
            let arm = &mut arms[*turn % 2];
            arm.0 += u64::from(chance.happens(0.2));
            arm.1 += 1;
            *turn += 1;
        },
        |(arms, _)| {
            let split = Split::of_dispatches(arms[0], arms[1]);
            split.is_some_and(|split| evidence(&[split], 1.0, 100.0).unwrap().rejects(0.05))
        },
    );
    assert!(found <= 15, "{found} of 300");
}

#[test]
fn a_rate_at_the_margin_is_called_below_it_in_no_more_streams_than_alpha() {
    let found = alarms(
        300,
        3_000,
        || [(0, 0); 2],
        |arms: &mut Arms, chance| {
            let second = chance.happens(0.5);
            arms[usize::from(second)].0 +=
                u64::from(chance.happens(if second { 0.36 } else { 0.3 }));
        },
        |arms| below(&split(arms, 0.5), 1.2, 100.0).unwrap().rejects(0.05),
    );
    assert!(found <= 15, "{found} of 300");
}

#[test]
fn twice_the_rate_is_found_in_most_streams() {
    let found = alarms(
        100,
        4_000,
        || [(0, 0); 2],
        |arms: &mut Arms, chance| {
            let second = chance.happens(0.5);
            arms[usize::from(second)].0 +=
                u64::from(chance.happens(if second { 0.06 } else { 0.03 }));
        },
        |arms| above(&split(arms, 0.5), 1.0, 100.0).unwrap().rejects(0.05),
    );
    assert!(found >= 80, "{found} of 100");
}

#[test]
fn the_rate_leaves_its_confidence_sequence_in_no_more_streams_than_alpha() {
    for truth in [0.01, 0.4] {
        let found = alarms(
            100,
            2_000,
            || (0, 0),
            |(events, trials), chance| {
                *events += u64::from(chance.happens(truth));
                *trials += 1;
            },
            |(events, trials)| !rate(*events, *trials, 0.05, 500.0).unwrap().contains(truth),
        );
        assert!(found <= 5, "{found} of 100");
    }
}

#[test]
fn a_baseline_without_failures_is_compared_like_any_other() {
    let split = [Split { first: 0, second: 12, share: 0.5 }];
    assert!(above(&split, 1.0, 20.0).unwrap().rejects(0.01));
    let ratio = ratio(&split, 0.05, 20.0).unwrap();
    assert!(ratio.low > 1.0 && ratio.high == f64::INFINITY);
    assert!(difference((0, 1_000), (12, 1_000), Apart, 0.05, 1e3).unwrap().contains(0.012));
}

#[test]
fn splits_of_several_shares_are_one_answer() {
    let splits = [
        Split { first: 900, second: 100, share: 0.1 },
        Split { first: 520, second: 480, share: 0.5 },
    ];
    assert!(!evidence(&splits, 1.0, 1e3).unwrap().rejects(0.05));
    // Added up as if nothing had changed, equal rates look like different ones.
    let mixed = [Split { first: 1_420, second: 580, share: 0.1 }];
    assert!(evidence(&mixed, 1.0, 1e3).unwrap().rejects(1e-6));
}

#[test]
fn no_events_say_nothing() {
    assert!(
        evidence(&[Split { first: 0, second: 0, share: 0.5 }], 1.0, 1e3).unwrap().ln().abs()
            < 1e-12
    );
    let ratio = ratio(&[], 0.05, 1e3).unwrap();
    assert_eq!((ratio.low, ratio.high), (0.0, f64::INFINITY));
    let rate = rate(0, 0, 0.05, 1e3).unwrap();
    assert_eq!((rate.low, rate.high), (0.0, 1.0));
}

#[test]
fn a_share_of_nothing_or_all_cannot_be_compared() {
    for share in [0.0, 1.0, -0.5, 2.0, f64::NAN] {
        let split = [Split { first: 1, second: 1, share }];
        assert_eq!((evidence(&split, 1.0, 1e3), ratio(&split, 0.05, 1e3)), (None, None), "{share}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_gives_a_number_that_is_none(
        first in prop_oneof![0..100_u64, 0..=u64::MAX],
        second in prop_oneof![0..100_u64, 0..=u64::MAX],
        share in prop_oneof![0.0..1.0, any::<f64>()],
        asked in prop_oneof![0.1..10.0, any::<f64>()],
        target in prop_oneof![0.0..1e9, any::<f64>()],
        alpha in prop_oneof![0.0..1.0, any::<f64>()],
    ) {
        let splits = [Split { first, second, share }; 2];
        for e in [evidence(&splits, asked, target), above(&splits, asked, target), below(&splits, asked, target)] {
            prop_assert!(!e.is_some_and(|e| e.ln().is_nan()));
            prop_assert_eq!(e.is_some(), share > 0.0 && share < 1.0 && asked > 0.0 && asked.is_finite());
        }
        let ratio = ratio(&splits, alpha, target);
        prop_assert_eq!(ratio.is_some(), share > 0.0 && share < 1.0 && alpha > 0.0 && alpha < 1.0);
        rate(first, second, alpha, target);
        for requests in [Apart, Shared] {
            difference((first, second), (second, first), requests, alpha, target);
            difference((first.min(second), second), (0, first), requests, alpha, target);
        }
    }

    #[test]
    fn intervals_hold_the_estimate_and_widen_with_certainty(
        first in 0..1_000_000_u64,
        second in 0..1_000_000_u64,
        more in prop_oneof![0..1_000_000_u64, 0..1_000_000_000_000_u64],
        share in 0.01..0.99,
        target in 1.0..1e7,
    ) {
        let all = |alpha: f64| {
            let trials = first.max(second) + more;
            let odds = second as f64 / first as f64 * (1.0 - share) / share;
            let apart = (second as f64 - first as f64) / trials as f64;
            let difference =
                |requests| difference((first, trials), (second, trials), requests, alpha, target);
            [
                (ratio(&[Split { first, second, share }], alpha, target), odds),
                (rate(second, trials, alpha, target), second as f64 / trials as f64),
                (difference(Apart), apart),
                (difference(Shared), apart),
            ]
        };
        for ((narrow, estimate), (wide, _)) in all(0.1).into_iter().zip(all(0.001)) {
            let (narrow, wide) = (narrow.unwrap(), wide.unwrap());
            let slack = 1e-12 * estimate.abs();
            let held = narrow.low <= estimate + slack && estimate - slack <= narrow.high;
            prop_assert!(estimate.is_nan() || estimate.is_infinite() || held);
            prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
        }
    }
}
