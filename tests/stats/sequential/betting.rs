//! The mean of scores between 0 and 1.

use super::support::{alarms, rows};
use proptest::prelude::*;
use tower_spearmint::stats::sequential::betting::Betting;

#[test]
fn the_interval_is_the_one_that_confseq_finds() {
    for row in rows("betting") {
        let mut state = Betting::new(row.number("alpha"), row.number("steps") as usize).unwrap();
        let mut looks = row
            .numbers("looks")
            .into_iter()
            .zip(row.numbers("low").into_iter().zip(row.numbers("high")))
            .peekable();
        let scores = row.numbers("scores");
        let repeated = (0..row.number("repeat") as usize).flat_map(|_| &scores);
        let mut seen = 0;
        let mut check = |state: &Betting, seen: usize| {
            while let Some((_, (low, high))) = looks.next_if(|(at, _)| *at == seen as f64) {
                let found = state.interval().unwrap();
                assert!((found.low - low).abs() < 1e-9, "{} is not {low} after {seen}", found.low);
                assert!(
                    (found.high - high).abs() < 1e-9,
                    "{} is not {high} after {seen}",
                    found.high
                );
            }
        };
        check(&state, seen);
        for score in repeated {
            state.observe(*score);
            seen += 1;
            check(&state, seen);
        }
        assert!(looks.next().is_none());
    }
}

#[test]
fn the_mean_is_refuted_in_no_more_streams_than_alpha() {
    let found = alarms(
        300,
        500,
        || Betting::new(0.05, 20).unwrap(),
        |state, chance| state.observe(if chance.happens(0.1) { chance.share() } else { 1.0 }),
        |state| !state.interval().is_some_and(|found| found.contains(0.95)),
    );
    assert!(found <= 15, "{found} of 300");
}

#[test]
fn the_mean_of_two_replicas_is_refuted_by_both_together_in_no_more_streams_than_alpha() {
    let found = alarms(
        200,
        400,
        || [(); 2].map(|()| Betting::new(0.05, 20).unwrap()),
        |states, chance| states[usize::from(chance.happens(0.5))].observe(chance.share()),
        |[one, other]| {
            let mut both = one.clone();
            assert!(both.merge(other));
            both.above(0.5).unwrap().rejects(0.05)
        },
    );
    assert!(found <= 10, "{found} of 200");
}

#[test]
fn what_two_replicas_saw_is_narrower_together() {
    let fed = |scores: [f64; 2]| {
        let mut state = Betting::new(0.05, 1_000).unwrap();
        (0..100).for_each(|n| state.observe(scores[n % 2]));
        state
    };
    let (mut both, other) = (fed([0.7, 0.9]), fed([0.6, 0.9]));
    let alone = both.interval().unwrap();
    assert!(both.merge(&other));
    assert_eq!(both.count(), 200);
    let both = both.interval().unwrap();
    assert!(both.width() < 0.8 * alone.width() && both.contains(0.775), "{both:?} {alone:?}");
}

#[test]
fn states_that_ask_differently_are_not_merged() {
    let mut state = Betting::new(0.05, 100).unwrap();
    assert!(!state.merge(&Betting::new(0.01, 100).unwrap()));
    assert!(!state.merge(&Betting::new(0.05, 200).unwrap()));
}

#[test]
fn what_is_no_score_is_refused_and_counted() {
    let mut state = Betting::new(0.05, 100).unwrap();
    for score in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        state.observe(score);
    }
    assert_eq!((state.count(), state.refused()), (0, 4));
    let all = state.interval().unwrap();
    assert_eq!((all.low, all.high), (0.0, 1.0));
}

#[test]
fn the_evidence_is_that_of_the_side_asked_for() {
    let mut state = Betting::new(0.05, 1_000).unwrap();
    (0..200).for_each(|n| state.observe(if n % 2 == 0 { 0.7 } else { 0.9 }));
    assert!(state.above(0.7).unwrap().rejects(0.05) && !state.below(0.7).unwrap().rejects(0.05));
    assert!(state.below(0.9).unwrap().rejects(0.05) && !state.above(0.9).unwrap().rejects(0.05));
    assert!(!state.above(0.8).unwrap().rejects(0.05) && !state.below(0.8).unwrap().rejects(0.05));
    assert_eq!((state.above(1.1), state.below(f64::NAN)), (None, None));
}

#[test]
fn constants_at_the_ends_are_approached_but_never_refuted() {
    for constant in [0.0, 1.0] {
        let mut state = Betting::new(0.05, 100).unwrap();
        (0..2_000).for_each(|_| state.observe(constant));
        let found = state.interval().unwrap();
        assert!(found.contains(constant) && found.width() <= 0.02, "{found:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn capitals_are_numbers_and_one_falls_while_the_other_rises(
        scores in prop::collection::vec(prop_oneof![0.0..=1.0, Just(0.0), Just(1.0), any::<f64>()], 0..200),
        alpha in 0.001..0.5,
    ) {
        let mut state = Betting::new(alpha, 50).unwrap();
        scores.iter().for_each(|score| state.observe(*score));
        let capitals: Vec<_> = (0..=50).map(|at| f64::from(at) / 50.0).map(|mean| {
            (state.above(mean).unwrap().ln(), state.below(mean).unwrap().ln())
        }).collect();
        prop_assert!(capitals.iter().all(|(up, down)| !up.is_nan() && !down.is_nan()));
        for pair in capitals.windows(2) {
            prop_assert!(pair[1].0 <= pair[0].0 + 1e-9 && pair[0].1 <= pair[1].1 + 1e-9);
        }
    }
}
