//! Is the mean of one arm above that of the other?

use super::support::{Chance, alarms, rows};
use proptest::prelude::*;
use tower_spearmint::stats::sequential::means::{
    ENOUGH, Estimate, above, below, evidence, interval,
};
use tower_spearmint::stats::{JointSummary, Summary, cuped::cuped, delta};

#[test]
fn the_interval_and_the_evidence_are_those_of_fifty_digits() {
    for row in rows("means") {
        let count = row.count("count");
        let estimate = Estimate {
            value: row.number("value"),
            variance: row.number("variance"),
            count,
            smallest: count,
        };
        let target = row.number("target");
        let found = interval(&estimate, row.number("alpha"), target).unwrap();
        row.is("low", found.low, 1e-9);
        row.is("high", found.high, 1e-9);
        row.is("both", evidence(&estimate, 0.0, target).unwrap().ln(), 1e-9);
        row.is("above", above(&estimate, 0.0, target).unwrap().ln(), 1e-9);
        let turned = Estimate { value: -estimate.value, ..estimate };
        row.is("above", below(&turned, 0.0, target).unwrap().ln(), 1e-9);
    }
}

#[test]
fn what_is_made_of_pairs_is_what_numpy_makes_of_the_observations() {
    for row in rows("estimates") {
        let column = |name: &str, arm: usize| row.list(name).nth(arm).unwrap().all();
        let pairs = JointSummary::of(column("y", 0).into_iter().zip(column("x", 0)));
        let baseline = Estimate::mean(&Summary::of(column("x", 0)));
        let relative = Estimate::mean(&Summary::of(column("y", 1))).relative_to(&baseline);
        for (value, variance, found) in [
            ("paired", "paired_variance", Estimate::mean(&pairs.minus(1.0))),
            ("ratio", "ratio_variance", per_request(&pairs)),
            ("relative", "relative_variance", relative),
        ] {
            row.is(value, found.value, 1e-9);
            row.is(variance, found.variance, 1e-9);
        }
    }
}

/// What units have per request: the sums of their values first, the numbers of their requests second.
fn per_request(units: &JointSummary) -> Estimate {
    Estimate::mean(&delta::ratio(units).unwrap_or_default())
}

#[test]
fn sums_in_parts_are_the_sums_of_all() {
    let mut chance = Chance::new(1);
    let pairs: Vec<_> = (0..1_000).map(|_| (1e6 + chance.share(), chance.exponential())).collect();
    let parts = pairs.chunks(77).map(|part| JointSummary::of(part.iter().copied()));
    let (all, parts) = (
        JointSummary::of(pairs.iter().copied()),
        parts.fold(JointSummary::default(), |all, part| all.merge(&part)),
    );
    for (one, other) in [
        (all.x_mean, parts.x_mean),
        (all.x_variance, parts.x_variance),
        (all.y_variance, parts.y_variance),
        (all.covariance, parts.covariance),
    ] {
        assert!((one - other).abs() < 1e-9, "{all:?} {parts:?}");
    }
}

/// Sums of squares as they come in.
type Arms = [JointSummary; 2];

fn observe(arm: &mut JointSummary, x: f64, y: f64) {
    *arm = arm.merge(&JointSummary { count: 1, x_mean: x, y_mean: y, ..JointSummary::default() });
}

fn difference(arms: &Arms) -> Estimate {
    let [first, second] = arms.map(|arm| Estimate::mean(&arm.x()));
    second.minus(&first)
}

#[test]
fn equal_means_are_called_different_in_no_more_streams_than_alpha() {
    let found = alarms(
        400,
        4_000,
        Arms::default,
        |arms, chance| {
            observe(&mut arms[usize::from(chance.happens(0.5))], chance.exponential(), 0.0);
        },
        |arms| {
            let difference = difference(arms);
            let found = evidence(&difference, 0.0, 1_000.0).unwrap().rejects(0.05);
            assert_eq!(found, !interval(&difference, 0.05, 1_000.0).unwrap().contains(0.0));
            found
        },
    );
    assert!(found <= 20, "{found} of 400");
}

#[test]
fn a_mean_at_the_margin_is_called_below_it_in_no_more_streams_than_alpha() {
    let found = alarms(
        400,
        4_000,
        Arms::default,
        |arms, chance| {
            let arm = usize::from(chance.happens(0.5));
            observe(&mut arms[arm], [1.0, 1.2][arm] * chance.exponential(), 0.0);
        },
        |arms| below(&difference(arms), 0.2, 1_000.0).unwrap().rejects(0.05),
    );
    assert!(found <= 20, "{found} of 400");
}

#[test]
fn a_split_that_changes_with_the_load_is_no_difference_if_each_epoch_is_compared_for_itself() {
    let alarms = |stratified: bool| {
        alarms(
            200,
            3_000,
            || ([Arms::default(); 2], 0),
            |(epochs, seen), chance| {
                let epoch = usize::from(*seen >= 1_000);
                let arm = usize::from(chance.happens([0.1, 0.5][epoch]));
                observe(&mut epochs[epoch][arm], [2.0, 1.0][epoch] * chance.exponential(), 0.0);
                *seen += 1;
            },
            |(epochs, _)| {
                let all = [0, 1].map(|arm| epochs[0][arm].merge(&epochs[1][arm]));
                let estimate = if stratified {
                    Estimate::stratified(epochs.map(|arms| difference(&arms)))
                } else {
                    difference(&all)
                };
                evidence(&estimate, 0.0, 1_000.0).unwrap().rejects(0.05)
            },
        )
    };
    let (apart, together) = (alarms(true), alarms(false));
    assert!(apart <= 10 && together > 100, "{apart} and {together} of 200");
}

#[test]
fn units_whose_requests_are_alike_are_called_different_in_no_more_streams_than_alpha() {
    // Each unit has its own mean, and up to 20 requests: counted as independent, they would be
    // alarming.
    let found = alarms(
        400,
        1_500,
        Arms::default,
        |arms, chance| {
            let arm = usize::from(chance.happens(0.5));
            let (requests, mean) = ((20.0 * chance.share()).ceil(), chance.exponential());
            observe(&mut arms[arm], requests * mean, requests);
        },
        |arms| {
            let difference = per_request(&arms[1]).minus(&per_request(&arms[0]));
            evidence(&difference, 0.0, 500.0).unwrap().rejects(0.05)
        },
    );
    assert!(found <= 20, "{found} of 400");
    // The same, request by request.
    let found = alarms(
        100,
        1_500,
        Arms::default,
        |arms, chance| {
            let arm = usize::from(chance.happens(0.5));
            let (requests, mean) = ((20.0 * chance.share()).ceil(), chance.exponential());
            (0..requests as u32).for_each(|_| observe(&mut arms[arm], mean, 0.0));
        },
        |arms| evidence(&difference(arms), 0.0, 5_000.0).unwrap().rejects(0.05),
    );
    assert!(found > 20, "{found} of 100");
}

#[test]
fn what_was_known_before_makes_a_difference_found_sooner() {
    let draw = |chance: &mut Chance, effect: f64| {
        let before = 5.0 * chance.exponential();
        (before + chance.exponential() + effect, before)
    };
    let begin = Arms::default;
    let mut observe = |arms: &mut Arms, chance: &mut Chance| {
        let arm = usize::from(chance.happens(0.5));
        let (outcome, before) = draw(chance, [0.0, 0.3][arm]);
        observe(&mut arms[arm], outcome, before);
    };
    let adjusted = alarms(50, 1_500, begin, &mut observe, |arms| {
        let Some(adjusted) = cuped(&arms[1], &arms[0]) else { return false };
        let [second, first] =
            [adjusted.treatment, adjusted.control].map(|arm| Estimate::mean(&arm));
        above(&second.minus(&first), 0.0, 1_000.0).unwrap().rejects(0.05)
    });
    let plain = alarms(50, 1_500, begin, &mut observe, |arms| {
        above(&difference(arms), 0.0, 1_000.0).unwrap().rejects(0.05)
    });
    assert!(adjusted >= 45 && plain <= 10, "{adjusted} and {plain} of 50");
}

#[test]
fn too_few_and_equal_constants_say_nothing() {
    let few = Estimate::mean(&Summary { count: ENOUGH - 1, mean: 5.0, variance: 1.0 });
    let constant = Estimate::mean(&Summary::of([3.0; 1_000]));
    let many = Estimate::mean(&Summary { count: 1_000, mean: 5.0, variance: 1.0 });
    for estimate in
        [few, constant, few.minus(&many), many.minus(&few), Estimate::mean(&Summary::default())]
    {
        assert_eq!(interval(&estimate, 0.05, 1e3).unwrap().width(), f64::INFINITY);
        assert_eq!(evidence(&estimate, 0.0, 1e3).unwrap().ln(), 0.0);
    }
    assert!(interval(&many, 0.05, 1e3).unwrap().width() < 1.0);
}

#[test]
fn a_baseline_of_nothing_has_no_relative_effect() {
    let zero = Estimate::mean(&Summary { count: 1_000, mean: 0.0, variance: 1.0 });
    let some = Estimate::mean(&Summary { count: 1_000, mean: 5.0, variance: 1.0 });
    for relative in [some.relative_to(&zero), zero.relative_to(&zero)] {
        assert_eq!(interval(&relative, 0.05, 1e3).unwrap().width(), f64::INFINITY);
    }
}

proptest! {
    #[test]
    fn nothing_gives_a_number_that_is_none(
        numbers in prop::collection::vec(any::<f64>(), 8),
        count in prop_oneof![0..200_u64, 0..=u64::MAX],
        alpha in prop_oneof![0.0..1.0, any::<f64>()],
    ) {
        let units = JointSummary {
            count,
            x_mean: numbers[0],
            y_mean: numbers[1],
            x_variance: numbers[1],
            y_variance: numbers[2],
            covariance: numbers[3],
        };
        let difference = Estimate::mean(&units.minus(1.0));
        let plain = Estimate { value: numbers[0], variance: numbers[1], count, smallest: count };
        for estimate in [
            plain, difference, per_request(&units), plain.relative_to(&difference),
            plain.minus(&per_request(&units)),
        ] {
            if let Some(found) = interval(&estimate, alpha, numbers[6]) {
                prop_assert!(found.low <= found.high);
            }
            for e in [evidence, above, below].map(|ask| ask(&estimate, numbers[7], 1e3)).into_iter().flatten() {
                prop_assert!(!e.ln().is_nan());
            }
        }
    }

    #[test]
    fn intervals_hold_the_estimate_and_widen_with_certainty(
        value in -1e9..1e9,
        variance in 1e-12..1e12,
        count in 100..1_000_000_000_000_u64,
        target in 1.0..1e9,
    ) {
        let estimate = Estimate { value, variance, count, smallest: count };
        let [narrow, wide] = [0.1, 0.001].map(|alpha| interval(&estimate, alpha, target).unwrap());
        prop_assert!(narrow.contains(value) && wide.low <= narrow.low && narrow.high <= wide.high);
    }
}
