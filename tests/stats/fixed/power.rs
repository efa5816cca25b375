//! Power and sample sizes, against statsmodels.

use super::oracle::{Case, Numbers, agrees};
use std::time::Duration;
use tower_spearmint::stats::{
    Summary,
    fixed::{
        Design, Sides, StillNeeded, detectable_effect, detectable_increase, power_of_means,
        power_of_proportions, size_for_means, size_for_proportions, still_needed,
    },
};

fn design(case: &Case) -> Design {
    let sides = if case.number("one") == 1.0 { Sides::One } else { Sides::Two };
    Design { alpha: case.number("alpha"), sides, ratio: case.number("ratio") }
}

/// That the last argument's answer is the table's `value`.
fn is_value(method: &str, function: impl Fn(Design, &Case) -> Option<f64>) {
    agrees(method, 1e-9, |case| {
        function(design(case), case).map(|value| Numbers::default().with("value", value))
    });
}

#[test]
fn the_power_of_a_t_test_is_as_in_statsmodels() {
    is_value("power_of_means", |design, case| {
        power_of_means(design, case.number("effect"), case.number("size"))
    });
}

#[test]
fn the_size_for_a_t_test_is_as_in_statsmodels() {
    is_value("size_for_means", |design, case| {
        size_for_means(design, case.number("effect"), case.number("power"))
    });
}

#[test]
fn the_effect_that_a_t_test_detects_is_as_in_statsmodels() {
    is_value("detectable_effect", |design, case| {
        detectable_effect(design, case.number("size"), case.number("power"))
    });
}

#[test]
fn the_power_of_a_test_of_shares_is_as_in_statsmodels() {
    is_value("power_of_proportions", |design, case| {
        let (control, difference) = (case.number("control"), case.number("difference"));
        power_of_proportions(design, control, difference, case.number("size"))
    });
}

#[test]
fn the_size_for_a_test_of_shares_is_as_in_statsmodels() {
    is_value("size_for_proportions", |design, case| {
        let (control, difference) = (case.number("control"), case.number("difference"));
        size_for_proportions(design, control, difference, case.number("power"))
    });
}

#[test]
fn the_increase_that_a_test_of_shares_detects_is_as_in_statsmodels() {
    is_value("detectable_increase", |design, case| {
        let (control, size) = (case.number("control"), case.number("size"));
        detectable_increase(design, control, size, case.number("power"))
    });
}

#[test]
fn what_is_enough_needs_no_more_time() {
    let side = Summary { count: 10_000, mean: 0.0, variance: 1.0 };
    let minute = Duration::from_secs(60);
    let more = still_needed(Design::default(), side, side, 0.5, 0.8, minute);
    assert_eq!(more, Some(StillNeeded { treatment: 0, control: 0, time: Duration::ZERO }));
}

#[test]
fn more_comes_in_the_proportion_in_which_it_came() {
    let control = Summary { count: 300, mean: 0.0, variance: 1.0 };
    let treatment = Summary { count: 100, ..control };
    let minute = Duration::from_secs(60);
    let more = still_needed(Design::default(), treatment, control, 0.1, 0.8, minute).unwrap();
    let size = size_for_means(Design { ratio: 3.0, ..Design::default() }, 0.1, 0.8).unwrap();
    assert_eq!(more.treatment, size.ceil() as u64 - 100);
    assert_eq!(more.control, (3.0 * size).ceil() as u64 - 300);
    assert_eq!(more.time.as_secs(), more.treatment * 60 / 100);
}
