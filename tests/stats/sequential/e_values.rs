//! Evidence as a number, and what is done with several of them.

use super::support::Chance;
use proptest::prelude::*;
use tower_spearmint::stats::sequential::e_values::{Running, discoveries, share_of};
use tower_spearmint::stats::{Interval, sequential::EValue};

fn e(value: f64) -> EValue {
    EValue::from_ln(value.ln()).unwrap()
}

#[test]
fn of_all_that_is_discovered_no_more_than_alpha_is_nothing() {
    // Bets on 20 coins of which 15 are fair; the fair ones all show the same sides.
    let mut chance = Chance::new(5);
    let (mut wrong, runs) = (0.0, 400);
    for _ in 0..runs {
        let mut flip = |share: f64| {
            (0..100).map(|_| if chance.happens(share) { 1.3_f64 } else { 0.7 }.ln()).sum()
        };
        let fair: f64 = flip(0.5);
        let coins: Vec<_> = (0..20)
            .map(|coin| EValue::from_ln(if coin < 15 { fair } else { flip(0.75) }).unwrap())
            .collect();
        let found = discoveries(&coins, 0.1);
        let fair = found.iter().filter(|coin| **coin < 15).count();
        wrong += fair as f64 / found.len().max(1) as f64;
        assert!(found.len() >= 3, "{found:?}");
    }
    assert!(wrong / f64::from(runs) <= 0.1, "{wrong} of {runs}");
}

#[test]
fn nothing_is_discovered_in_nothing() {
    assert!(discoveries(&[], 0.05).is_empty());
    assert!(discoveries(&[EValue::ONE; 5], 0.05).is_empty());
    assert!(discoveries(&[EValue::INFINITE], f64::NAN).is_empty());
    assert_eq!(discoveries(&[EValue::ONE, EValue::INFINITE], 0.05), [1]);
}

#[test]
fn many_that_are_middling_are_discovered_together() {
    // Each alone would need 80.
    assert_eq!(discoveries(&[e(20.0); 4], 0.05), [0, 1, 2, 3]);
    assert!(discoveries(&[e(20.0), e(20.0), e(20.0), e(19.0)], 0.05).is_empty());
}

#[test]
fn none_times_infinite_is_none() {
    let none = EValue::from_ln(f64::NEG_INFINITY).unwrap();
    assert_eq!(none.times(&EValue::INFINITE).value(), 0.0);
    assert_eq!(EValue::mean(&[none, none]).value(), 0.0);
    assert_eq!(EValue::mean(&[none, EValue::INFINITE]), EValue::INFINITE);
    assert_eq!(EValue::mean(&[]), EValue::ONE);
}

#[test]
fn evidence_is_enough_at_one_over_alpha() {
    assert!(e(20.000_001).rejects(0.05) && !e(19.999_999).rejects(0.05));
    for alpha in [0.0, 1.0, -1.0, f64::NAN] {
        assert!(!EValue::INFINITE.rejects(alpha));
        assert_eq!(share_of(alpha, 2), None);
    }
}

#[test]
fn what_is_left_never_widens_and_nothing_stays_nothing() {
    let mut running = Running::default();
    assert_eq!(running.left(), Some(Interval::EVERYTHING));
    running.narrow(Interval { low: 0.0, high: 1.0 });
    running.narrow(Interval::EVERYTHING);
    assert_eq!(running.left(), Some(Interval { low: 0.0, high: 1.0 }));
    assert_eq!(running.narrow(Interval { low: 2.0, high: 3.0 }), None);
    assert_eq!(running.narrow(Interval::EVERYTHING), None);
}

proptest! {
    #[test]
    fn what_is_discovered_is_what_has_the_largest_evidence(lns in prop::collection::vec(-5.0..12.0, 0..30)) {
        let all: Vec<_> = lns.iter().map(|ln| EValue::from_ln(*ln).unwrap()).collect();
        let found = discoveries(&all, 0.05);
        let least = found.iter().map(|at| all[*at].ln()).fold(f64::INFINITY, f64::min);
        for (at, e) in all.iter().enumerate() {
            prop_assert_eq!(found.contains(&at), e.ln() >= least);
            // What is rejected with a part of alpha for each is discovered, too.
            prop_assert!(found.contains(&at) || !e.rejects(share_of(0.05, all.len()).unwrap()));
        }
    }

    #[test]
    fn intervals_of_differences_and_ratios_hold_those_of_their_members(
        ends in prop::array::uniform4(any::<f64>()),
        shares in prop::array::uniform2(0.0..=1.0),
    ) {
        let (Some(one), Some(other)) = (Interval::new(ends[0], ends[1]), Interval::new(ends[2], ends[3])) else {
            return Ok(());
        };
        for other in [other, Interval::EVERYTHING] {
            let (difference, ratio) = (one.minus(&other), one.over(&other));
            prop_assert!(difference.low <= difference.high && ratio.low <= ratio.high);
        }
        let [a, b] = [(one, shares[0]), (other, shares[1])].map(|(of, share): (Interval, f64)| {
            (of.low * (1.0 - share) + of.high * share).clamp(of.low, of.high)
        });
        prop_assert!((a - b).is_nan() || one.minus(&other).contains(a - b));
        if a >= 0.0 && b > 0.0 && (a / b).is_finite() {
            prop_assert!(one.over(&other).contains(a / b));
        }
    }
}
