//! Whatever is given, what comes back is a number.

use proptest::prelude::*;
use std::time::Duration;
use tower_spearmint::stats::{
    JointSummary, Summary,
    cuped::cuped,
    delta,
    fixed::{
        Design, PValues, Proportion, Resampling, Sides, TTest, TwoSamples, benjamini_hochberg,
        bootstrap, bootstrap_two, detectable_effect, detectable_increase, fisher_exact,
        hodges_lehmann, holm, mann_whitney, mann_whitney_exact, newcombe, paired_t, permutation,
        pooled_z, power_of_means, power_of_proportions, relative_risk, sample_ratio,
        size_for_means, size_for_proportions, still_needed, welch, wilson,
    },
};

/// Any float, and the ones that do harm more often.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        -10.0..10.0,
        Just(0.0),
        Just(1.0),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(5e-324),
        Just(f64::NAN),
        Just(f64::INFINITY),
    ]
}

fn any_count() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), 0..5_u64, 0..1_000_u64, Just(1_000_000_000_000)]
}

fn any_summary() -> impl Strategy<Value = Summary> {
    (any_count(), any_number(), any_number()).prop_map(|(count, mean, variance)| Summary {
        count,
        mean,
        variance,
    })
}

fn is_p(p: PValues) {
    for p in [p.two_sided, p.greater, p.less] {
        assert!((0.0..=1.0).contains(&p), "{p}");
    }
}

fn is_test(test: Option<TTest>) {
    let Some(test) = test else { return };
    is_p(test.p);
    assert!(test.t.is_finite() && test.df > 0.0, "{test:?}");
    assert!(test.interval.contains(test.difference), "{test:?}");
    assert!(test.interval.low.is_finite() && test.interval.high.is_finite(), "{test:?}");
}

fn any_pairs() -> impl Strategy<Value = JointSummary> {
    let units =
        prop::collection::vec((any_number(), any_number()), 0..5).prop_map(JointSummary::of);
    let sums = (any_count(), any_number(), any_number(), any_number(), any_number(), any_number());
    let sums = sums.prop_map(|(count, x_mean, y_mean, x_variance, y_variance, covariance)| {
        JointSummary { count, x_mean, y_mean, x_variance, y_variance, covariance }
    });
    prop_oneof![units, sums]
}

fn is_summary(summary: Summary) {
    assert!(summary.mean.is_finite(), "{summary:?}");
    assert!(summary.variance >= 0.0 && summary.variance.is_finite(), "{summary:?}");
}

fn any_proportion() -> impl Strategy<Value = Proportion> {
    (any_count(), any_count()).prop_map(|(successes, trials)| Proportion { successes, trials })
}

fn any_values() -> impl Strategy<Value = Vec<f64>> {
    let few = prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), Just(2.0)], 0..8);
    prop_oneof![prop::collection::vec(any_number(), 0..8), few]
}

fn any_samples() -> impl Strategy<Value = Option<TwoSamples>> {
    let buckets = prop::collection::vec((any_number(), any_count(), any_count()), 0..8);
    prop_oneof![
        (any_values(), any_values()).prop_map(|(a, b)| TwoSamples::of(&a, &b)),
        buckets.prop_map(TwoSamples::from_buckets),
    ]
}

fn any_design() -> impl Strategy<Value = Design> {
    let sides = prop_oneof![Just(Sides::One), Just(Sides::Two)];
    (any_number(), sides, any_number(), any::<bool>()).prop_map(|(alpha, sides, ratio, usual)| {
        if usual { Design { sides, ..Design::default() } } else { Design { alpha, sides, ratio } }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn powers_and_sizes_are_numbers_or_none(
        design in any_design(), a in any_number(), b in any_number(), size in any_number(),
        power in any_number(), elapsed in any::<u64>(),
    ) {
        for power in [power, 0.8] {
            let treatment = Summary { count: 30, mean: 0.0, variance: a };
            let control = Summary { count: 9, ..treatment };
            // Its numbers are whole; that it comes back is what is asked.
            let _ = still_needed(design, treatment, control, b, power, Duration::from_secs(elapsed));
            let of_shares = size_for_proportions(design, a, b, power);
            for size in [size_for_means(design, a, power), of_shares] {
                assert!(size.is_none_or(|size| (2.0..=2e15).contains(&size)), "{size:?}");
            }
            let increase = detectable_increase(design, a, size, power);
            for effect in [detectable_effect(design, size, power), increase] {
                assert!(effect.is_none_or(|effect| effect > 0.0 && effect.is_finite()), "{effect:?}");
            }
        }
        for power in [power_of_means(design, a, size), power_of_proportions(design, a, b, size)] {
            assert!(power.is_none_or(|power| (0.0..=1.0).contains(&power)), "{power:?}");
        }
    }
}

proptest! {
    #[test]
    fn resampling_gives_numbers_or_none(
        a in any_values(), b in any_values(), alpha in any_number(), seed in any::<u64>()
    ) {
        let resampling = Resampling { rounds: 20, seed };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        if let Some(test) = permutation(&a, &b, resampling) {
            is_p(test.p);
            assert!(test.difference.is_finite(), "{test:?}");
        }
        for alpha in [alpha, 0.05] {
            let of_two = |a: &[f64], b: &[f64]| mean(a) - mean(b);
            let of_both = bootstrap_two(&a, &b, of_two, alpha, resampling);
            let of_one = bootstrap(&a, mean, alpha, resampling);
            for found in of_one.into_iter().chain(of_both) {
                assert!(found.estimate.is_finite(), "{found:?}");
                for interval in std::iter::once(found.percentile).chain(found.bca) {
                    assert!(interval.low <= interval.high, "{found:?}");
                    assert!(interval.low.is_finite() && interval.high.is_finite(), "{found:?}");
                }
            }
        }
    }

    #[test]
    fn p_values_are_adjusted_to_p_values_or_none(p in prop::collection::vec(any_number(), 0..8)) {
        let fit = p.iter().all(|p| (0.0..=1.0).contains(p));
        for adjusted in [holm(&p), benjamini_hochberg(&p)] {
            assert_eq!(adjusted.is_some(), fit);
            for (adjusted, p) in adjusted.into_iter().flatten().zip(&p) {
                assert!((*p..=1.0).contains(&adjusted), "{adjusted} of {p}");
            }
        }
    }

    #[test]
    fn a_sample_ratio_gives_numbers_or_none(
        arms in prop::collection::vec((any_count(), any_number()), 0..6)
    ) {
        let (counts, shares): (Vec<u64>, Vec<f64>) = arms.into_iter().unzip();
        if let Some(test) = sample_ratio(&counts, &shares) {
            assert!((0.0..=1.0).contains(&test.p) && test.statistic >= 0.0, "{test:?}");
        }
    }
}

proptest! {
    #[test]
    fn ranks_give_numbers_or_none(samples in any_samples(), alpha in any_number()) {
        let Some(samples) = samples else { return Ok(()) };
        for test in [mann_whitney(&samples), mann_whitney_exact(&samples)].into_iter().flatten() {
            is_p(test.p);
            assert!(test.u >= 0.0 && (0.0..=1.0).contains(&test.superiority), "{test:?}");
        }
        for alpha in [alpha, 0.05, 0.5] {
            if let Some(shift) = hodges_lehmann(&samples, alpha) {
                assert!(shift.interval.contains(shift.shift), "{shift:?}");
            }
        }
    }

    #[test]
    fn comparisons_of_shares_give_numbers_or_none(
        a in any_proportion(), b in any_proportion(), alpha in any_number()
    ) {
        for alpha in [alpha, 0.05] {
            if let Some(interval) = wilson(a, alpha) {
                assert!(interval.contains(a.share().unwrap()), "{interval:?}");
                assert!(0.0 <= interval.low && interval.high <= 1.0, "{interval:?}");
            }
            if let Some(apart) = newcombe(a, b, alpha) {
                assert!(apart.interval.contains(apart.difference), "{apart:?}");
            }
            if let Some(risk) = relative_risk(a, b, alpha) {
                assert!(risk.interval.contains(risk.ratio), "{risk:?}");
            }
        }
        if let Some(test) = pooled_z(a, b) {
            is_p(test.p);
        }
        if let Some(p) = fisher_exact(a, b) {
            is_p(p);
        }
    }

    #[test]
    fn ratios_lifts_and_adjusted_means_are_numbers_or_none(
        a in any_pairs(), b in any_pairs(), alpha in any_number()
    ) {
        if let Some(ratio) = delta::ratio(&a) {
            is_summary(ratio);
        }
        if let Some(lift) = delta::lift(a.x(), b.x(), alpha) {
            assert!(lift.standard_error > 0.0 && lift.interval.contains(lift.lift), "{lift:?}");
        }
        if let Some(adjusted) = cuped(&a, &b) {
            is_summary(adjusted.treatment);
            is_summary(adjusted.control);
        }
    }

    #[test]
    fn t_tests_give_numbers_or_none(a in any_summary(), b in any_summary(), alpha in any_number()) {
        is_test(welch(a, b, alpha));
        is_test(paired_t(a, alpha));
        is_test(welch(a, b, 0.05));
    }
}
