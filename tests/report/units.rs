//! Units that stay with their config.

use crate::support::{Behaviour, Random, STEADY, Store, Traffic, of, only, templates};
use tower_spearmint::{
    branch::Role,
    report::{Measure, Metric, Plan, Report, Standing, Verdict},
};

const UNITS: u64 = 300;

/// Forty requests of each unit, in turn; a unit of the first or the second config fails as often as is said of it.
fn traffic(failing: impl Fn(u64, usize) -> f64) -> Traffic {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let mut traffic = Traffic::new(3, UNITS * 40);
    for n in 0..UNITS * 40 {
        let unit = n % UNITS;
        let hash = unit.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let at = usize::from(Random(hash).unit() < 0.5);
        let behaviour = Behaviour { failing: failing(unit, at), ..STEADY };
        traffic.add(&templates[at], Role::Primary, behaviour, None);
        traffic.branches.last_mut().unwrap().unit = Some(hash);
    }
    traffic
}

fn report(traffic: &Traffic) -> Report {
    let plan = Plan::new().baseline("stable").metrics([Metric::success(Measure::ErrorRate, 0.0)]);
    Store::with(&traffic.branches).report(&plan)
}

#[test]
fn failures_that_are_spread_over_units_are_compared_by_all_requests() {
    let report = report(&traffic(|_, at| [0.10, 0.03][at]));
    assert_eq!(only(&report).verdict, Verdict::Ship, "{report:#?}");
}

#[test]
fn failures_of_a_few_units_are_an_accident_of_theirs() {
    // As many failures, but eight units have nearly all of them.
    let all = traffic(|_, _| 0.0);
    let first = all.branches.iter().take(UNITS as usize).enumerate();
    let of_stable = first.filter(|(_, branch)| branch.config_id.as_str() == "stable");
    let failing: Vec<_> = of_stable.map(|(unit, _)| unit as u64).take(8).collect();
    let report = report(&traffic(|unit, _| if failing.contains(&unit) { 1.0 } else { 0.03 }));
    let errors = of(only(&report), Measure::ErrorRate);
    assert_eq!(errors.standing, Standing::Open, "{report:#?}");
    assert!(errors.baseline.unwrap() > 2.0 * errors.candidate.unwrap(), "{report:#?}");
}

#[test]
fn where_some_requests_have_no_unit_those_of_one_are_taken_to_be_alike() {
    let mut traffic = traffic(|_, at| [0.10, 0.03][at]);
    let before = of(only(&report(&traffic)), Measure::ErrorRate).interval;
    traffic.branches.iter_mut().take(10).for_each(|branch| branch.unit = None);
    let after = of(only(&report(&traffic)), Measure::ErrorRate).interval;
    assert!(after.width() > 2.0 * before.width(), "{before:?} {after:?}");
}
