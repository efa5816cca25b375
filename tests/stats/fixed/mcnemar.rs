//! Shares of the same trials, against scipy.

use super::relations::close;
use tower_spearmint::stats::fixed::{Discordant, mcnemar};

const fn discordant(only_treatment: u64, only_control: u64, pairs: u64) -> Discordant {
    Discordant { only_treatment, only_control, pairs }
}

/// `scipy.stats.binomtest(a, a + b, alternative=…)` of 1.17.1: two-sided, greater, less.
#[test]
fn mcnemars_exact_test_is_the_binomial_one_of_scipy() {
    for (a, b, two_sided, greater, less) in [
        (10, 2, 0.038_574_218_75, 0.019_287_109_375, 0.996_826_171_875),
        (2, 10, 0.038_574_218_75, 0.996_826_171_875, 0.019_287_109_375),
        (0, 5, 0.0625, 1.0, 0.031_25),
        (7, 7, 1.0, 0.604_736_328_125, 0.604_736_328_125),
        (
            1_000,
            1_100,
            0.030_720_707_864_242_49,
            0.986_249_720_246_212_3,
            0.015_360_353_932_121_245,
        ),
        (
            301_500,
            300_000,
            0.053_262_450_272_158_944,
            0.026_631_225_136_079_472,
            0.973_527_282_832_001_7,
        ),
        (900, 100, 1.340_343_558_001_236_3e-161, 6.701_717_790_006_182e-162, 1.0),
    ] {
        let p = mcnemar(discordant(a, b, 1_000_000), 0.05).unwrap().p;
        for (found, expected) in [(p.two_sided, two_sided), (p.greater, greater), (p.less, less)] {
            assert!((found / expected - 1.0).abs() < 1e-10, "{a} {b}: {found} {expected}");
        }
    }
}

/// Bonett and Price 2012, by hand: q = 11/102, r = 3/102.
#[test]
fn the_interval_is_walds_with_one_more_on_each_discordant_side() {
    let found = mcnemar(discordant(10, 2, 100), 0.05).unwrap();
    let half = 1.959_963_984_540_054 * ((14.0 / 102.0 - (8.0_f64 / 102.0).powi(2)) / 102.0).sqrt();
    assert_eq!(found.difference, 0.08);
    assert!(close(found.interval.low, 8.0 / 102.0 - half), "{found:?}");
    assert!(close(found.interval.high, 8.0 / 102.0 + half), "{found:?}");
}

#[test]
fn without_discordant_pairs_nothing_is_refuted_and_without_pairs_nothing_is_said() {
    let alike = mcnemar(discordant(0, 0, 50), 0.05).unwrap();
    assert_eq!((alike.difference, alike.p.two_sided, alike.p.greater), (0.0, 1.0, 1.0));
    assert!(alike.interval.contains(0.0) && alike.interval.width() < 0.2, "{alike:?}");
    for (given, alpha) in [
        (discordant(0, 0, 0), 0.05),
        (discordant(3, 3, 5), 0.05),
        (discordant(u64::MAX, 1, u64::MAX), 0.05),
        (discordant(1, 1, 1_000_000_001), 0.05),
        (discordant(1, 1, 5), 0.0),
        (discordant(1, 1, 5), f64::NAN),
    ] {
        assert_eq!(mcnemar(given, alpha), None, "{given:?} {alpha}");
    }
}

#[test]
fn where_all_pairs_are_discordant_the_interval_ends_at_one() {
    let found = mcnemar(discordant(40, 0, 40), 0.05).unwrap();
    assert_eq!((found.difference, found.interval.high), (1.0, 1.0));
    assert_eq!(found.p.less, 1.0);
}
