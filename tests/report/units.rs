//! Units that stay with their config.

use crate::support::{Behaviour, Random, STEADY, Store, Traffic, of, only, templates};
use std::ops::Range;
use tower_spearmint::{
    assign::Epoch,
    branch::Role,
    report::{Measure, Metric, Plan, Report, SampleRatio, Standing, Verdict},
};

const UNITS: u64 = 300;

/// Forty requests of each unit, in turn; a unit of the first or the second config fails as often as is said of it.
fn traffic(failing: impl Fn(u64, usize) -> f64) -> Traffic {
    traffic_of(|unit, at| Behaviour { failing: failing(unit, at), ..STEADY })
}

/// The same, if it behaves so.
fn traffic_of(behaviour: impl Fn(u64, usize) -> Behaviour) -> Traffic {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let mut traffic = Traffic::new(3, UNITS * 40);
    for n in 0..UNITS * 40 {
        let unit = n % UNITS;
        let hash = unit.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let at = usize::from(Random(hash).unit() < 0.5);
        traffic.add(&templates[at], Role::Primary, behaviour(unit, at), None);
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

/// How long the requests of a unit take, in ms, by its config.
fn taking(ms: impl Fn(u64, usize) -> f64) -> Traffic {
    traffic_of(|unit, at| Behaviour { ms: ms(unit, at), ..STEADY })
}

fn of_latencies(store: &Store, measures: [Measure; 2]) -> Report {
    let metrics = measures.map(|measure| Metric::success(measure, 0.0));
    store.report(&Plan::new().baseline("stable").metrics(metrics))
}

const LATENCIES: [Measure; 2] = [Measure::LatencyP50, Measure::LatencyP95];

#[test]
fn latencies_of_units_that_are_alike_are_compared_by_all_requests() {
    let store = Store::with(&taking(|_, at| [10.0, 9.0][at]).branches);
    let report = of_latencies(&store, LATENCIES);
    let faster = of(only(&report), Measure::LatencyP50);
    assert_eq!(faster.standing, Standing::Better, "{report:#?}");
    assert!(faster.interval.contains(-0.1) && faster.interval.low > -0.16, "{faster:#?}");
}

#[test]
fn a_few_units_that_are_slow_are_an_accident_of_theirs() {
    // As many requests above the 95th percentile, but eight units have them all.
    let all = taking(|_, _| 10.0);
    let first = all.branches.iter().take(UNITS as usize).enumerate();
    let of_stable = first.filter(|(_, branch)| branch.config_id.as_str() == "stable");
    let slow: Vec<_> = of_stable.map(|(unit, _)| unit as u64).take(8).collect();
    let store =
        Store::with(&taking(|unit, _| if slow.contains(&unit) { 30.0 } else { 10.0 }).branches);
    let report = of_latencies(&store, LATENCIES);
    let slower = of(only(&report), Measure::LatencyP95);
    assert_eq!(slower.standing, Standing::Open, "{report:#?}");
    assert!(slower.difference.unwrap() < -0.3, "{report:#?}");
}

#[test]
fn requests_of_units_that_time_out_count_as_longer_than_all() {
    let hanging = |_, at| Behaviour { hanging: [0.2, 0.0][at], ..STEADY };
    let report = of_latencies(&Store::with(&traffic_of(hanging).branches), LATENCIES);
    let better = of(only(&report), Measure::LatencyP95);
    assert_eq!(better.standing, Standing::Better, "{report:#?}");
}

#[test]
fn latencies_of_which_not_all_are_known_by_unit_are_each_like_all_of_its_unit() {
    let mut traffic = taking(|_, at| [10.0, 9.0][at]);
    let width = |traffic: &Traffic| {
        let report = of_latencies(&Store::with(&traffic.branches), LATENCIES);
        of(only(&report), Measure::LatencyP50).interval.width()
    };
    let known = width(&traffic);
    traffic.branches[0].unit = None;
    assert!(width(&traffic) > 2.0 * known, "{known}");
}

/// What is said of the split when of a thousand units, 560 of which go to the first config, these come in one epoch
/// after the other, whose shares are the same; without `sticky`, as if each request was one of its own.
fn ratio(epochs: &[Range<u64>], sticky: bool) -> SampleRatio {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let mut traffic = Traffic::new(3, epochs.iter().map(|units| units.end - units.start).sum());
    for (number, units) in (1..).zip(epochs) {
        for unit in units.clone() {
            let template = &templates[usize::from(unit >= 560)];
            traffic.add(template, Role::Primary, STEADY, None);
            let branch = traffic.branches.last_mut().unwrap();
            let hash = unit.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            branch.unit = sticky.then_some(hash);
            branch.epoch = Epoch::recorded(number, 100 - number);
        }
    }
    report(&traffic).sample_ratio.unwrap()
}

#[test]
fn units_that_come_back_in_other_epochs_are_no_evidence_of_another_split() {
    let epochs = vec![0..1_000; 10];
    let units = ratio(&epochs, true);
    assert_eq!((units.counted.as_str(), units.total), ("first exposures", 10_000));
    assert_eq!(units.log10_evidence, ratio(&epochs[..1], true).log10_evidence);
    assert!((units.log10_evidence - 1.40).abs() < 0.01 && !units.broken, "{units:#?}");
    // Requests are others in each epoch.
    let requests = ratio(&epochs, false);
    assert!(requests.log10_evidence > 10.0 && requests.broken, "{requests:#?}");
}

#[test]
fn an_epoch_that_begins_later_takes_nothing_from_what_an_earlier_one_says() {
    let all = [0..1_000, 460..660];
    let before = ratio(&all[..1], true).log10_evidence;
    assert_eq!(ratio(&all, true).log10_evidence, before);
}

#[test]
fn a_split_that_breaks_in_a_later_epoch_is_broken() {
    let found = ratio(&[460..660, 460..660, 0..700], true);
    assert!(found.broken, "{found:#?}");
}
