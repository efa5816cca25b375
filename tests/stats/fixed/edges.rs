//! Whatever is given, what comes back is a number.

use proptest::prelude::*;
use tower_spearmint::stats::{
    Summary,
    fixed::{PValues, TTest, paired_t, welch},
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

proptest! {
    #[test]
    fn t_tests_give_numbers_or_none(a in any_summary(), b in any_summary(), level in any_number()) {
        is_test(welch(a, b, level));
        is_test(paired_t(a, level));
        is_test(welch(a, b, 0.95));
    }
}
