//! By what share one mean is above another, of which neither is certain.

use super::{effect::TRIALS, finding::mirrored};
use crate::stats::{
    Interval,
    sequential::means::{self, Estimate},
};

/// How two means go together.
#[derive(Debug, Clone, Copy)]
pub(super) enum Together {
    /// Not at all: each is of observations of its own.
    Apart,
    /// With this covariance.
    By(f64),
    /// Likewise, and neither can be below 0, whatever it is estimated to be.
    ByAndPositive(f64),
    /// Nobody knows.
    Somehow,
}

/// As uncertain as they are where one is of fewer observations: as far as it is, these are taken to scatter at
/// least as the other's do.
///
/// Where a few values are far larger than the others, few values seldom have one of them; then both their mean and
/// what it seems to scatter are too small, and it looks certain to be less. If both arms are alike and have as many,
/// that is so on either side, and cancels.
pub(super) fn evened(one: Estimate, other: Estimate) -> [Estimate; 2] {
    let scatter = [one, other].map(|mean| mean.variance * mean.count as f64);
    let shares = [one, other].map(|mean| (mean.count as f64).recip());
    let at_least = |mean: Estimate, at: usize| {
        let more = (scatter[1 - at] - scatter[at]) * (shares[at] - shares[1 - at]);
        let more = if scatter[1 - at] > scatter[at] && more > 0.0 { more } else { 0.0 };
        Estimate { variance: mean.variance + more, ..mean }
    };
    [at_least(one, 0), at_least(other, 1)]
}

/// By what share of `one` (of its size, where it is below 0) `other` is above it.
pub(super) fn difference(one: &Estimate, other: &Estimate) -> Option<f64> {
    let difference = (other.value - one.value) / one.value.abs();
    difference.is_finite().then_some(difference)
}

/// The same, as far as it is not refuted, but with probability `alpha`.
///
/// A ratio `q` is refuted when `b − q a` is, whose mean is 0 if `q` is the ratio of both (Fieller, *Some problems
/// in interval estimation*, 1954). Far from 0 that is the delta method; near 0 it has no end, as it should, or none
/// above where neither can be below 0.
pub(super) fn interval(
    one: &Estimate,
    other: &Estimate,
    together: Together,
    alpha: f64,
) -> Interval {
    let scatter = Estimate {
        value: 0.0,
        variance: 1.0,
        count: one.count.saturating_add(other.count),
        smallest: one.smallest.min(other.smallest),
    };
    let Some(Interval { high: deviations, .. }) = means::interval(&scatter, alpha, TRIALS) else {
        return Interval::EVERYTHING;
    };
    // With both signs turned the ratio is the same.
    let sign = if one.value < 0.0 { -1.0 } else { 1.0 };
    let (a, b) = (sign * one.value, sign * other.value);
    let ratios = match together {
        Together::Apart => quadratic(a, b, [one.variance, other.variance, 0.0], deviations, false),
        Together::By(covariance) => {
            quadratic(a, b, [one.variance, other.variance, covariance], deviations, false)
        }
        Together::ByAndPositive(covariance) => {
            quadratic(a, b, [one.variance, other.variance, covariance], deviations, true)
        }
        Together::Somehow => {
            bounded(a, b, [one, other].map(|arm| deviations * arm.variance.sqrt()))
        }
    };
    let Some(Interval { low, high }) =
        ratios.filter(|ratios| ratios.low.is_finite() && !ratios.high.is_nan())
    else {
        return Interval::EVERYTHING;
    };
    let more = Interval { low: low - 1.0, high: high - 1.0 };
    if one.value < 0.0 { mirrored(more) } else { more }
}

/// `(b − q a)² ≤ deviations² (V_b − 2 q C + q² V_a)`, solved for `q`.
fn quadratic(
    a: f64,
    b: f64,
    [v_a, v_b, c]: [f64; 3],
    deviations: f64,
    positive: bool,
) -> Option<Interval> {
    let square = deviations * deviations;
    let leading = a * a - square * v_a;
    let half = a * b - square * c;
    let constant = b * b - square * v_b;
    let root = half * half - leading * constant;
    // Rounding may make nothing a little less.
    let root = if root > -1e-12 * half * half { root.max(0.0).sqrt() } else { return None };
    let low = (half - root) / leading;
    if leading > 0.0 {
        Interval::new(low, (half + root) / leading)
    } else if leading < 0.0 && constant > 0.0 && b > 0.0 && positive {
        // `a` may be 0, `b` is not: all above the only positive root are possible.
        Interval::new(low, f64::INFINITY)
    } else {
        None
    }
}

/// `|b − q a| ≤ s_b + |q| s_a`, solved for `q`: the deviation of a difference is at most the sum of those of
/// its parts, whatever they have to do with each other.
fn bounded(a: f64, b: f64, [s_a, s_b]: [f64; 2]) -> Option<Interval> {
    let (near, far) = (a - s_a, a + s_a);
    let (low, high) = (b - s_b, b + s_b);
    let low = if low < 0.0 { low / near } else { low / far };
    let high = if high < 0.0 { high / far } else { high / near };
    (near > 0.0).then(|| Interval::new(low, high))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(count: u64, value: f64, variance: f64) -> Estimate {
        Estimate { value, variance: variance / count as f64, count, smallest: count }
    }

    #[test]
    fn far_from_zero_it_is_nearly_the_interval_of_the_delta_method() {
        let (one, other) = (arm(40_000, 10.0, 25.0), arm(40_000, 10.5, 25.0));
        let near = means::interval(&other.relative_to(&one), 0.05, TRIALS).unwrap();
        for together in [Together::Apart, Together::ByAndPositive(0.0)] {
            let exact = interval(&one, &other, together, 0.05);
            assert!((exact.low - near.low).abs() < 1e-3, "{exact:?} {near:?}");
            assert!((exact.high - near.high).abs() < 1e-3, "{exact:?} {near:?}");
            assert!(exact.low > 0.0 && exact.contains(0.05));
        }
    }

    #[test]
    fn fewer_values_scatter_as_much_as_those_of_the_arm_with_more() {
        let variances = |one, other| evened(one, other).map(|mean| mean.variance * 100.0);
        let few = arm(100, 1.0, 1.0);
        // As many, nearly as many, and far fewer, of which none is large.
        assert_eq!(variances(arm(100, 1.0, 5.0), few), [5.0, 1.0]);
        let [_, nearly] = variances(arm(110, 1.0, 5.0), few);
        assert!(nearly > 1.0 && nearly < 1.4, "{nearly}");
        let [_, far] = variances(arm(1_000_000, 1.0, 5.0), few);
        assert!((far - 5.0).abs() < 1e-3, "{far}");
        // On either side; and what is known to scatter more does so.
        assert_eq!(variances(few, arm(1_000_000, 1.0, 5.0))[0], far);
        assert_eq!(variances(arm(400, 1.0, 0.5), few), [0.125, 1.0]);
        assert_eq!(variances(arm(400, 1.0, 0.5), arm(0, 0.0, 0.0))[0], 0.125);
    }

    #[test]
    fn of_few_observations_or_near_zero_nothing_is_said() {
        for (one, other) in [
            (arm(99, 10.0, 25.0), arm(5_000, 20.0, 25.0)),
            (arm(5_000, 0.0, 0.0), arm(5_000, 0.1, 0.09)),
            (arm(5_000, 0.000_2, 0.000_2), arm(5_000, 0.006, 0.006)),
        ] {
            for together in [Together::Apart, Together::By(0.0), Together::Somehow] {
                assert_eq!(interval(&one, &other, together, 0.05), Interval::EVERYTHING);
            }
        }
    }

    #[test]
    fn what_goes_together_is_sharper_and_what_may_do_so_in_any_way_is_wider() {
        let (one, other) = (arm(5_000, 10.0, 25.0), arm(5_000, 10.0, 25.0));
        let of = |together| interval(&one, &other, together, 0.05);
        let paired = of(Together::By(0.99 * one.variance));
        let (apart, somehow) = (of(Together::Apart), of(Together::Somehow));
        assert!(paired.width() < 0.2 * apart.width(), "{paired:?} {apart:?}");
        assert!(somehow.width() > 1.3 * apart.width(), "{somehow:?} {apart:?}");
        assert!(somehow.contains(0.0) && apart.contains(0.0) && paired.contains(0.0));
    }

    #[test]
    fn below_zero_more_is_still_more() {
        for together in [Together::Apart, Together::Somehow] {
            let (low, high) = (arm(40_000, -10.0, 25.0), arm(40_000, -9.0, 25.0));
            let more = interval(&low, &high, together, 0.05);
            assert!(more.low > 0.0 && more.contains(0.1), "{more:?}");
            assert_eq!(difference(&low, &high), Some(0.1));
            // From below it to above it.
            let more = interval(&low, &arm(40_000, 5.0, 25.0), together, 0.05);
            assert!(more.contains(1.5) && more.low > 1.4, "{more:?}");
        }
    }
}
