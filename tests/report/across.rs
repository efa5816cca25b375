//! Several experiments in one report.

use super::support::{Behaviour, Random, STEADY, Store, Traffic, templates};
use tower_spearmint::{
    branch::Role,
    report::{Measure, Metric, Plan, Report, Verdict},
};

/// Experiments with so many requests each, in which the candidate is so much faster.
pub(crate) fn experiments(of: &[(&str, u64, f64)]) -> Vec<Report> {
    let mut all = Vec::new();
    for (at, (name, requests, ms)) in of.iter().enumerate() {
        let mut templates = templates(name, &["stable", "candidate"]);
        templates.iter_mut().for_each(|template| template.probability = 0.5);
        let mut traffic = Traffic::new(7, *requests);
        let mut chance = Random(11);
        for _ in 0..*requests {
            let to = usize::from(chance.unit() < 0.5);
            let behaviour = Behaviour { ms: [10.0, *ms][to], ..STEADY };
            traffic.add(&templates[to], Role::Primary, behaviour, None);
        }
        for branch in &mut traffic.branches {
            // An id for each, whatever the experiment.
            let mut id = *branch.id.as_bytes();
            id[9] = at as u8;
            branch.id = tower_spearmint::branch::BranchId::from_bytes(id);
            branch.request_id = branch.id;
        }
        all.append(&mut traffic.branches);
    }
    let plan = Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.05),
        Metric::success(Measure::LatencyP50, 0.0),
    ]);
    Report::read(&Store::with(&all).store, &plan).unwrap()
}

#[test]
fn a_verdict_that_is_barely_reached_is_not_taken_out_of_many_and_a_firm_one_is() {
    let mut of = vec![("barely", 1_900, 9.0), ("firmly", 8_000, 8.0)];
    let names: Vec<String> = (0..20).map(|n| format!("open-{n}")).collect();
    of.extend(names.iter().map(|name| (name.as_str(), 40, 10.0)));
    let reports = experiments(&of);
    let of = |name: &str| {
        let report = reports.iter().find(|report| &*report.experiment == name).unwrap();
        let candidate = &report.candidates[0];
        (candidate.verdict, candidate.survives, candidate.holds_at)
    };
    let (verdict, survives, holds_at) = of("firmly");
    assert_eq!((verdict, survives), (Verdict::Ship, Some(true)));
    assert!(holds_at.unwrap() < 1e-12, "{holds_at:?}");
    let (verdict, survives, holds_at) = of("barely");
    assert_eq!((verdict, survives), (Verdict::Ship, Some(false)), "{holds_at:?}");
    assert!(holds_at.unwrap() <= 0.05);
    assert_eq!(of("open-3"), (Verdict::Undecided, None, None));
}

#[test]
fn of_one_experiment_the_verdict_is_all_there_is() {
    let reports = experiments(&[("firmly", 8_000, 8.0)]);
    let candidate = &reports[0].candidates[0];
    assert_eq!((candidate.verdict, candidate.survives), (Verdict::Ship, None));
}
