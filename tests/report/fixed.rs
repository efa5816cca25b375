//! The textbook's tests, of each branch.

use super::support::{Behaviour, STEADY, split};
use tower_spearmint::{
    report::{
        Measure, Metric, OneLook, Plan,
        fixed::{FixedReport, FixedTest},
    },
    store::SqliteStore,
};

const SLOWER: Behaviour = Behaviour { ms: 12.0, ..STEADY };

fn look(store: &SqliteStore, plan: Plan) -> FixedReport {
    let mut reports = OneLook::new(plan).read([store], |_| {}).unwrap();
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn of(report: &FixedReport, measure: &Measure) -> FixedTest {
    let tests = &report.candidates[0].tests;
    tests.iter().find(|test| test.metric.measure == *measure).unwrap().clone()
}

#[test]
fn what_is_slower_is_found_and_what_is_the_same_is_not() {
    let store = split(4_000, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, SLOWER, 0.0)]);
    let plan = Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.005),
        Metric::success(Measure::LatencyP50, 0.0),
    ]);
    let report = look(&store.store, plan);
    let slower = of(&report, &Measure::LatencyP50);
    assert!(slower.interval.contains(2e6) && slower.interval.low > 1e6, "{slower:#?}");
    assert!(slower.p.unwrap() < 0.001, "{slower:#?}");
    assert_eq!(slower.baseline_count + slower.candidate_count, 4_000);
    let errors = of(&report, &Measure::ErrorRate);
    assert!(errors.interval.contains(0.0) && errors.p.unwrap() > 0.05, "{errors:#?}");
}
