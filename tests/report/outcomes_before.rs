//! What units did before they were exposed makes a report certain earlier.

use super::support::{STEADY, Store, Traffic, of, only, templates};
use std::time::Duration;
use tower_spearmint::{
    assign::Epoch,
    branch::Role,
    report::{Finding, Measure, Metric, OneLook, Plan, Standing},
    store::{Outcome, OutcomeRules, OutcomeUnit},
};

const HOUR_MS: u64 = 3_600_000;

/// 400 units of each config. Of the baseline's half have bought for 2 before, of the candidate's three in four; then
/// all buy for three times that, half of them for 2 more, and with the candidate for 1 more; unless they do not `go_on`.
fn shop(go_on: bool) -> Store {
    let templates = templates("ranker", &["stable", "candidate"]);
    let mut traffic = Traffic::new(21, 800);
    let mut outcomes = Vec::new();
    for n in 0..800_u64 {
        let (arm, of_arm) = ((n % 2) as usize, n / 2);
        let key = format!("user-{n}");
        let OutcomeUnit::Hash(hash) = OutcomeUnit::hashed("ranker", &key) else { panic!() };
        traffic.add(&templates[arm], Role::Primary, STEADY, None);
        let branch = traffic.branches.last_mut().unwrap();
        (branch.unit, branch.probability, branch.epoch) = (Some(hash), 0.5, Epoch::recorded(1, 1));
        let at = branch.start_ns / 1_000_000;
        let before = if of_arm % 4 < [2, 3][arm] { 2.0 } else { 0.0 };
        let after = 3.0 * before + [0.0, 2.0][(of_arm / 4 % 2) as usize] + arm as f64;
        for (what, value, at) in [("before", before, at - HOUR_MS), ("after", after, at)] {
            if value > 0.0 && (go_on || what == "before") {
                let id = format!("{n}/{what}");
                outcomes.push(Outcome::new(id, &*key, "revenue").value(value).at_ms(at));
            }
        }
    }
    let store = Store::with(&traffic.branches);
    store.store.record_outcomes(&outcomes).unwrap();
    assert!(store.store.check(|_| {}).unwrap().is_whole());
    store
}

fn plan() -> Plan {
    let metric = Metric::success(Measure::named("revenue"), 0.01).increasing();
    Plan::new().baseline("stable").metrics([metric])
}

fn revenue(store: &Store) -> Finding {
    let report = store.report(&plan());
    of(only(&report), Measure::named("revenue")).clone()
}

#[test]
fn what_came_before_is_taken_off_as_by_hand() {
    let store = shop(true);
    let finding = revenue(&store);
    // The means as they are: 3 · 1 + 1, and 3 · 1.5 + 1 + 1.
    assert_eq!((finding.baseline, finding.candidate), (Some(4.0), Some(6.5)));
    assert_eq!((finding.baseline_count, finding.candidate_count), (400, 400));
    // θ is 3, and the candidate's had bought for 0.5 more: half of 1.5 for the baseline, half against it.
    let difference = finding.difference.unwrap();
    assert!((difference - (5.75 / 4.75 - 1.0)).abs() < 1e-9, "{difference}");
    // 1 of each side is left, of 9 · 1 + 1 and 9 · 0.75 + 1.
    let less = finding.variance_less.unwrap();
    assert!((less - (1.0 - 2.0 / 17.75)).abs() < 1e-9, "{less}");
    assert_eq!(finding.standing, Standing::Better, "{finding:#?}");
    assert!(finding.interval.contains(difference));
    assert!(finding.sentence.starts_with("revenue: 6.50 after 4.00, +"), "{}", finding.sentence);
    let end = "% (89% less variance by what came before): better";
    assert!(finding.sentence.ends_with(end), "{}", finding.sentence);

    let nothing = OutcomeRules::new("ranker").before(Duration::ZERO);
    store.store.set_outcome_rules(&nothing).unwrap();
    let plain = revenue(&store);
    assert_eq!((plain.difference, plain.variance_less), (Some(0.625), None));
    assert!(plain.sentence.contains("revenue: 6.50 after 4.00, +"), "{}", plain.sentence);
    assert!(!plain.sentence.contains("variance"), "{}", plain.sentence);
    let width = finding.interval.width() / plain.interval.width();
    assert!(width < 0.3, "{width} {finding:#?} {plain:#?}");
}

#[test]
fn what_only_came_before_is_no_outcome() {
    let store = shop(false);
    let finding = revenue(&store);
    assert_eq!((finding.baseline, finding.candidate), (None, None));
    assert!(!finding.by_unit);
    // Nor is it one for a textbook's test.
    let look = OneLook::new(plan()).read([&store.store], |_| {}).unwrap();
    let test = &look[0].candidates[0].tests[0];
    assert_eq!((test.baseline, test.candidate), (None, None));
}
