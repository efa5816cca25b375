//! Does one of two fail where the other does not?

use super::support::{alarms, rows};
use proptest::prelude::*;
use tower_spearmint::stats::sequential::pairs::{
    Discordant, above, below, difference, evidence, ratio,
};

#[test]
fn the_evidence_is_that_of_fifty_digits() {
    for row in rows("pairs") {
        let (pairs, asked) = (
            Discordant { first: row.count("first"), second: row.count("second") },
            row.number("ratio"),
        );
        row.is("both", evidence(pairs, asked).unwrap().ln(), 1e-9);
        row.is("above", above(pairs, asked).unwrap().ln(), 1e-9);
        row.is("below", below(pairs, asked).unwrap().ln(), 1e-9);
    }
}

#[test]
fn a_shadow_that_is_as_good_is_called_worse_in_no_more_streams_than_alpha() {
    // What fails does so together, more often than not: the pairs depend, the difference does not.
    let found = alarms(
        400,
        4_000,
        Discordant::default,
        |pairs, chance| {
            let hard = chance.happens(0.2);
            let mut fails = || chance.happens(if hard { 0.7 } else { 0.02 });
            match (fails(), fails()) {
                (true, false) => pairs.first += 1,
                (false, true) => pairs.second += 1,
                _ => {}
            }
        },
        |pairs| evidence(*pairs, 1.0).unwrap().rejects(0.05),
    );
    assert!(found <= 20, "{found} of 400");
}

#[test]
fn a_candidate_that_differs_as_much_as_the_control_is_below_a_margin_of_it_but_not_above() {
    let pairs = Discordant { first: 410, second: 402 };
    assert!(!above(pairs, 1.0).unwrap().rejects(0.05));
    assert!(below(pairs, 1.5).unwrap().rejects(0.05));
    assert!(ratio(pairs, 0.05).unwrap().contains(1.0));
}

#[test]
fn no_discordant_pairs_say_nothing() {
    assert!(evidence(Discordant::default(), 1.0).unwrap().ln().abs() < 1e-12);
    assert_eq!(ratio(Discordant::default(), 0.05).unwrap().high, f64::INFINITY);
    assert_eq!(difference(Discordant::default(), 0, 0.05, 1e3).unwrap().width(), 2.0);
}

#[test]
fn more_discordant_pairs_than_pairs_are_no_pairs() {
    assert_eq!(difference(Discordant { first: 5, second: 6 }, 10, 0.05, 1e3), None);
    assert_eq!(difference(Discordant { first: u64::MAX, second: 6 }, 10, 0.05, 1e3), None);
}

proptest! {
    #[test]
    fn no_pairs_give_a_number_that_is_none_and_the_interval_holds_the_estimate(
        first in prop_oneof![0..100_u64, 0..=u64::MAX],
        second in prop_oneof![0..100_u64, 0..=u64::MAX],
        asked in prop_oneof![0.1..10.0, any::<f64>()],
        alpha in prop_oneof![0.0..1.0, any::<f64>()],
    ) {
        let pairs = Discordant { first, second };
        for e in [evidence(pairs, asked), above(pairs, asked), below(pairs, asked)] {
            prop_assert!(!e.is_some_and(|e| e.ln().is_nan()));
        }
        let estimate = second as f64 / first as f64;
        if let Some(ratio) = ratio(pairs, alpha) {
            let held = ratio.low <= estimate * (1.0 + 1e-12) && estimate * (1.0 - 1e-12) <= ratio.high;
            prop_assert!(estimate.is_nan() || held);
        }
        difference(pairs, u64::MAX, alpha, 1e3);
    }
}
