//! The bootstrap of quantiles without drawing samples, against the one that draws them.

use tower_spearmint::stats::{
    Interval,
    fixed::{QuantileDifference, Resampling, bootstrap_quantiles, bootstrap_two},
};

const DRAWN: Resampling = Resampling { rounds: 9_999, seed: 3 };

/// So many times, most of them about as long.
fn times(count: u32, base: f64) -> Vec<f64> {
    (0..count).map(|n| base + f64::from(n * 37 % 101) / 10.0 + f64::from(n % 13).powi(2)).collect()
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(share * sorted.len() as f64).ceil() as usize - 1]
}

fn found(treatment: &[f64], control: &[f64], share: f64) -> QuantileDifference {
    bootstrap_quantiles(treatment, control, share, 0.05, DRAWN).unwrap()
}

#[test]
fn the_interval_is_that_of_samples_that_are_drawn() {
    let (treatment, control) = (times(60, 12.0), times(80, 10.0));
    for share in [0.1, 0.5, 0.9] {
        let quick = found(&treatment, &control, share);
        let of = |a: &[f64], b: &[f64]| quantile(a, share) - quantile(b, share);
        let slow = bootstrap_two(&treatment, &control, of, 0.05, DRAWN).unwrap();
        assert_eq!(quick.difference, slow.estimate);
        // Both are chance, of the spread of the samples.
        let Interval { low, high } = slow.percentile;
        let within = 0.06 * (high - low);
        assert!((quick.interval.low - low).abs() < within, "{share} {quick:?} {slow:?}");
        assert!((quick.interval.high - high).abs() < within, "{share} {quick:?} {slow:?}");
    }
}

#[test]
fn sides_that_are_swapped_give_nearly_the_mirrored_interval() {
    let (one, other) = (times(500, 12.0), times(400, 10.0));
    let (there, back) = (found(&one, &other, 0.9), found(&other, &one, 0.9));
    assert_eq!((there.treatment, there.control), (back.control, back.treatment));
    assert!((there.interval.low + back.interval.high).abs() < 0.06 * there.interval.width());
    assert!((there.p.greater - back.p.less).abs() < 0.01, "{there:?} {back:?}");
}

#[test]
fn the_same_data_and_seed_give_the_same_answer_and_another_seed_hardly_another() {
    let (one, other) = (times(500, 12.0), times(400, 10.0));
    let first = found(&one, &other, 0.5);
    assert_eq!(first, found(&one, &other, 0.5));
    let again = bootstrap_quantiles(&one, &other, 0.5, 0.05, Resampling { seed: 4, ..DRAWN });
    let again = again.unwrap();
    assert_ne!(first.p, again.p);
    assert!((first.interval.low - again.interval.low).abs() < 0.06 * first.interval.width());
}

#[test]
fn of_time_outs_an_end_is_not_known_and_of_too_many_nothing_is() {
    let control = times(200, 10.0);
    let mut treatment = times(200, 10.0);
    treatment.iter_mut().take(95).for_each(|time| *time = f64::INFINITY);
    let some = found(&treatment, &control, 0.5);
    assert!(some.difference.is_finite() && some.interval.high.is_infinite(), "{some:?}");
    let all = [f64::INFINITY; 20];
    assert_eq!(bootstrap_quantiles(&all, &all, 0.5, 0.05, DRAWN), None);
}

#[test]
fn of_nothing_one_or_all_alike_nothing_is_said() {
    let many = times(50, 10.0);
    for (one, other) in [
        (&[][..], &many[..]),
        (&[1.0], &many),
        (&many, &[1.0]),
        (&[3.0; 9], &[3.0; 5]),
        (&[f64::NAN, 1.0, 2.0], &many),
    ] {
        assert_eq!(bootstrap_quantiles(one, other, 0.5, 0.05, DRAWN), None);
    }
    for (share, alpha) in [(0.0, 0.05), (1.0, 0.05), (0.5, 0.0), (0.5, f64::NAN)] {
        assert_eq!(bootstrap_quantiles(&many, &many, share, alpha, DRAWN), None);
    }
    let never = Resampling { rounds: 0, seed: 0 };
    assert_eq!(bootstrap_quantiles(&many, &many, 0.5, 0.05, never), None);
}

/// Of 400 experiments of 60 against 60 in which nothing differs, at most 5 % may be found, but for chance.
#[test]
fn of_experiments_without_a_difference_few_are_found() {
    let mut state = 5_u64;
    let mut chance = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let quick = Resampling { rounds: 999, seed: 1 };
    let mut wrong = 0;
    for _ in 0..400 {
        let [one, other]: [Vec<f64>; 2] =
            std::array::from_fn(|_| (0..60).map(|_| -chance().ln()).collect());
        let found = bootstrap_quantiles(&one, &other, 0.5, 0.05, quick).unwrap();
        wrong += u32::from(!found.interval.contains(0.0));
    }
    assert!(wrong <= 33, "{wrong}");
}
