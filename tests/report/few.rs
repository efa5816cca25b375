//! Too little to say anything.

use super::support::{Behaviour, STEADY, Store, Traffic, of, only, shadowed, split, templates};
use tower_spearmint::{
    branch::Role,
    report::{Measure, Plan, Report, Standing, Verdict},
};

#[test]
fn ten_of_ten_is_undecided_and_says_what_it_waits_for() {
    let none = Behaviour { failing: 0.0, ..STEADY };
    let store = shadowed(10, none, none);
    let report = store.report(&Plan::new());
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Undecided, "{candidate:#?}");
    assert_eq!(candidate.because, "latency_p95 is open: so few say nothing of it yet");
    let errors = of(candidate, Measure::ErrorRate);
    assert_eq!((errors.baseline, errors.candidate), (Some(0.0), Some(0.0)));
    assert_eq!(errors.standing, Standing::Open);
}

#[test]
fn all_that_fail_on_one_side_is_certain_soon() {
    let (none, all) = (Behaviour { failing: 0.0, ..STEADY }, Behaviour { failing: 1.0, ..STEADY });
    let report = shadowed(50, none, all).report(&Plan::new());
    assert_eq!(only(&report).verdict, Verdict::Keep);
    let report = shadowed(50, all, all).report(&Plan::new());
    assert_ne!(only(&report).verdict, Verdict::Ship);
}

#[test]
fn one_request_is_undecided() {
    let report = split(1, [("stable", 1.0, STEADY, 0.0), ("candidate", 0.0, STEADY, 0.0)]);
    let report = report.report(&Plan::new());
    assert!(report.candidates.is_empty());
    let report = shadowed(1, STEADY, STEADY).report(&Plan::new());
    assert_eq!(only(&report).verdict, Verdict::Undecided);
}

#[test]
fn a_candidate_that_was_never_asked_is_undecided() {
    // Skipped each time: it has branches, and none that ended.
    let templates = templates("ranker", &["stable", "candidate"]);
    let mut traffic = Traffic::new(7, 100);
    for _ in 0..100 {
        let request = traffic.add(&templates[0], Role::Primary, STEADY, None);
        traffic.add(&templates[1], Role::Shadow, STEADY, Some(request));
        let shadow = traffic.branches.last_mut().unwrap();
        (shadow.status, shadow.failure) = (tower_spearmint::branch::Status::Skipped, None);
        shadow.skip = Some(tower_spearmint::branch::SkipReason::BreakerOpen);
    }
    let report = Store::with(&traffic.branches).report(&Plan::new());
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Undecided);
    let why = "error_rate is held open: 100% of the shadows of candidate were skipped because of itself (breaker_open 100)";
    assert!(candidate.because.starts_with(why), "{}", candidate.because);
    assert_eq!(candidate.figures.skipped, 100);
    assert_eq!(candidate.figures.error_rate, None);
}

#[test]
fn a_store_without_branches_has_no_report() {
    let store = Store::with(&[]);
    assert!(Report::read(&store.store, &Plan::new()).unwrap().is_empty());
}
