//! Ratios, lifts and CUPED, against GrowthBook's statistics.

use super::oracle::{Numbers, agrees};
use tower_spearmint::stats::{JointSummary, cuped::cuped, delta};

#[test]
fn a_ratio_of_means_scatters_as_in_growthbook() {
    agrees("ratio", 1e-9, |case| {
        let ratio = delta::ratio(&case.pairs(""))?;
        Some(Numbers::default().with("mean", ratio.mean).with("variance", ratio.variance))
    });
}

#[test]
fn a_lift_scatters_as_in_growthbook() {
    agrees("lift", 1e-9, |case| {
        let (treatment, control) = (case.summary("treatment"), case.summary("control"));
        let lift = delta::lift(treatment, control, case.number("alpha"))?;
        let numbers = Numbers::default().with("lift", lift.lift).interval(lift.interval);
        Some(numbers.with("standard_error", lift.standard_error))
    });
}

#[test]
fn cuped_adjusts_as_growthbook_does() {
    agrees("cuped", 1e-9, |case| {
        let adjusted = cuped(&case.pairs("treatment"), &case.pairs("control"))?;
        let numbers = Numbers::default().with("theta", adjusted.theta);
        let numbers = numbers.with("treatment_mean", adjusted.treatment.mean);
        let numbers = numbers.with("treatment_variance", adjusted.treatment.variance);
        let numbers = numbers.with("control_mean", adjusted.control.mean);
        Some(numbers.with("control_variance", adjusted.control.variance))
    });
}

#[test]
fn sums_and_the_units_themselves_come_to_the_same() {
    let units = [(1.0, 10.0), (0.0, 3.0), (2.0, 8.0), (1.0, 4.0)];
    let sum = |of: fn(f64, f64) -> f64| units.iter().map(|(x, y)| of(*x, *y)).sum::<f64>();
    let from_sums = JointSummary::from_sums(
        4,
        sum(|x, _| x),
        sum(|_, y| y),
        sum(|x, _| x * x),
        sum(|x, y| x * y),
        sum(|_, y| y * y),
    )
    .unwrap();
    let of = JointSummary::of(units);
    for (a, b) in [
        (from_sums.x_mean, of.x_mean),
        (from_sums.y_mean, of.y_mean),
        (from_sums.x_variance, of.x_variance),
        (from_sums.y_variance, of.y_variance),
        (from_sums.covariance, of.covariance),
    ] {
        assert!((a - b).abs() < 1e-12, "{from_sums:?} {of:?}");
    }
}

#[test]
fn sums_that_no_units_have_are_refused() {
    assert_eq!(JointSummary::from_sums(4, 8.0, 0.0, 1.0, 0.0, 0.0), None);
    assert_eq!(JointSummary::from_sums(4, f64::INFINITY, 0.0, 1.0, 0.0, 0.0), None);
    assert_eq!(JointSummary::from_sums(0, 0.0, 0.0, 0.0, 0.0, 0.0), Some(JointSummary::default()));
}
