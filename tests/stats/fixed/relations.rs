//! What holds of every answer, whatever the data.

use proptest::prelude::*;
use tower_spearmint::stats::{
    Interval, JointSummary, Summary, delta,
    fixed::{
        PValues, Proportion, TwoSamples, fisher_exact, hodges_lehmann, mann_whitney,
        mann_whitney_exact, newcombe, pooled_z, welch, wilson,
    },
};

fn summaries() -> impl Strategy<Value = Summary> {
    (2..1_000_u64, -3.0..3.0, 0.01..10.0).prop_map(|(count, mean, variance)| Summary {
        count,
        mean,
        variance,
    })
}

fn proportions() -> impl Strategy<Value = Proportion> {
    (1..500_u64, 0..500_u64)
        .prop_map(|(trials, successes)| Proportion { trials, successes: successes.min(trials) })
}

fn samples() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let side = || prop::collection::vec((0..40_i32).prop_map(f64::from), 1..30);
    (side(), side())
}

fn shuffled() -> impl Strategy<Value = Vec<f64>> {
    Just((0..14).map(f64::from).collect::<Vec<f64>>()).prop_shuffle()
}

pub(super) fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-9)
}

fn is_mirrored(p: PValues, swapped: PValues) {
    assert!(close(p.two_sided, swapped.two_sided), "{p:?} {swapped:?}");
    assert!(close(p.greater, swapped.less), "{p:?} {swapped:?}");
    assert!(close(p.less, swapped.greater), "{p:?} {swapped:?}");
}

fn is_negated(interval: Interval, swapped: Interval) {
    assert!(close(interval.low, -swapped.high), "{interval:?} {swapped:?}");
    assert!(close(interval.high, -swapped.low), "{interval:?} {swapped:?}");
}

fn is_inside(inner: Interval, outer: Interval) {
    assert!(outer.low <= inner.low && inner.high <= outer.high, "{inner:?} {outer:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn sides_that_are_swapped_give_the_mirrored_answer(
        a in summaries(), b in summaries(), x in proportions(), y in proportions(),
        (one, other) in samples(),
    ) {
        let (test, swapped) = (welch(a, b, 0.05).unwrap(), welch(b, a, 0.05).unwrap());
        is_mirrored(test.p, swapped.p);
        is_negated(test.interval, swapped.interval);
        let (apart, swapped) = (newcombe(x, y, 0.05).unwrap(), newcombe(y, x, 0.05).unwrap());
        is_negated(apart.interval, swapped.interval);
        if let Some(test) = pooled_z(x, y) {
            is_mirrored(test.p, pooled_z(y, x).unwrap().p);
        }
        is_mirrored(fisher_exact(x, y).unwrap(), fisher_exact(y, x).unwrap());
        let ranked = TwoSamples::of(&one, &other).unwrap();
        let swapped = TwoSamples::of(&other, &one).unwrap();
        if let Some(test) = mann_whitney(&ranked) {
            is_mirrored(test.p, mann_whitney(&swapped).unwrap().p);
        }
        if let Some(test) = mann_whitney_exact(&ranked) {
            is_mirrored(test.p, mann_whitney_exact(&swapped).unwrap().p);
        }
        let (shift, swapped) =
            (hodges_lehmann(&ranked, 0.1).unwrap(), hodges_lehmann(&swapped, 0.1).unwrap());
        is_negated(shift.interval, swapped.interval);
        prop_assert!(close(shift.shift, -swapped.shift));
    }

    #[test]
    fn parts_that_are_merged_are_the_whole(
        units in prop::collection::vec((-5.0..5.0, 0.0..9.0), 2..60), at in any::<prop::sample::Index>()
    ) {
        let (one, other) = units.split_at(at.index(units.len()));
        let of = |units: &[(f64, f64)]| JointSummary::of(units.iter().copied());
        let (whole, merged) = (of(&units), of(one).merge(&of(other)));
        let sum = |of: fn(&(f64, f64)) -> f64| units.iter().map(of).sum::<f64>();
        let (x, y) = (sum(|unit| unit.0), sum(|unit| unit.1));
        let (xx, xy) = (sum(|unit| unit.0 * unit.0), sum(|unit| unit.0 * unit.1));
        let count = units.len() as u64;
        let summed = JointSummary::from_sums(count, x, y, xx, xy, sum(|unit| unit.1 * unit.1));
        for parts in [merged, summed.unwrap()] {
            prop_assert_eq!(parts.count, whole.count);
            prop_assert!((parts.x_mean - whole.x_mean).abs() < 1e-12);
            prop_assert!((parts.y_mean - whole.y_mean).abs() < 1e-12);
            prop_assert!((parts.x_variance - whole.x_variance).abs() < 1e-10);
            prop_assert!((parts.y_variance - whole.y_variance).abs() < 1e-10);
            prop_assert!((parts.covariance - whole.covariance).abs() < 1e-10);
        }
        let columns = (units.iter().map(|unit| unit.0), units.iter().map(|unit| unit.1));
        prop_assert!((Summary::of(columns.0).variance - whole.x_variance).abs() < 1e-10);
        prop_assert!((Summary::of(columns.1).variance - whole.y_variance).abs() < 1e-10);
    }

    #[test]
    fn a_smaller_alpha_never_narrows_an_interval(
        a in summaries(), b in summaries(), x in proportions(), y in proportions(),
        (one, other) in samples(), alpha in 1e-6..0.5,
    ) {
        let smaller = 0.5 * alpha;
        let of = |alpha| welch(a, b, alpha).unwrap().interval;
        is_inside(of(alpha), of(smaller));
        if b.mean != 0.0 {
            let of = |alpha| delta::lift(a, b, alpha).unwrap().interval;
            is_inside(of(alpha), of(smaller));
        }
        is_inside(wilson(x, alpha).unwrap(), wilson(x, smaller).unwrap());
        let of = |alpha| newcombe(x, y, alpha).unwrap().interval;
        is_inside(of(alpha), of(smaller));
        let ranked = TwoSamples::of(&one, &other).unwrap();
        let of = |alpha| hodges_lehmann(&ranked, alpha).unwrap().interval;
        is_inside(of(alpha), of(smaller));
    }

    #[test]
    fn welchs_interval_has_0_exactly_where_the_test_does_not_reject(
        a in summaries(), b in summaries(), alpha in 1e-6..0.5
    ) {
        let test = welch(a, b, alpha).unwrap();
        if (test.p.two_sided - alpha).abs() > 1e-9 {
            prop_assert_eq!(test.interval.contains(0.0), test.p.two_sided > alpha);
        }
    }

    /// Without ties, the shifts that the exact test does not reject are the interval.
    #[test]
    fn the_interval_of_a_shift_has_0_exactly_where_the_exact_test_does_not_reject(
        ranks in shuffled(), alpha in 1e-3..0.5
    ) {
        let (one, other) = ranks.split_at(6);
        let samples = TwoSamples::of(one, other).unwrap();
        let p = mann_whitney_exact(&samples).unwrap().p.two_sided;
        let interval = hodges_lehmann(&samples, alpha).unwrap().interval;
        if (p - alpha).abs() > 1e-9 {
            prop_assert_eq!(interval.contains(0.0), p > alpha);
        }
    }
}
