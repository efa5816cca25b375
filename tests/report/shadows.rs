//! Shadows: every request has its pair.

use super::support::{Behaviour, STEADY, of, only, shadowed};
use tower_spearmint::report::{Measure, Metric, Plan, Standing, Verdict};

#[test]
fn a_shadow_that_is_no_worse_ships() {
    let store = shadowed(20_000, STEADY, STEADY);
    let report = store.report(&Plan::new());
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Ship, "{candidate:#?}");
    assert_eq!(
        candidate.because,
        "error_rate, latency_p95 within the margins: nothing is worse than allowed"
    );
    assert!(report.sample_ratio.is_none());
}

#[test]
fn one_point_more_of_errors_keeps_the_baseline() {
    let worse = Behaviour { failing: 0.03, ..STEADY };
    let candidate = shadowed(20_000, STEADY, worse);
    let report = candidate.report(&Plan::new());
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Keep, "{candidate:#?}");
    assert_eq!(of(candidate, Measure::ErrorRate).standing, Standing::Worse);
    assert_eq!(of(candidate, Measure::LatencyP95).standing, Standing::Within);
}

#[test]
fn a_fifth_slower_keeps_the_baseline() {
    let slower = Behaviour { ms: 12.0, ..STEADY };
    let store = shadowed(20_000, STEADY, slower);
    let report = store.report(&Plan::new());
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Keep, "{candidate:#?}");
    let latency = of(candidate, Measure::LatencyP95);
    assert_eq!(latency.standing, Standing::Worse);
    let difference = latency.difference.unwrap();
    assert!((difference - 0.2).abs() < 0.03, "{difference}");
    assert!(latency.interval.contains(difference));
}

#[test]
fn a_shadow_whose_slow_requests_never_end_does_not_look_faster() {
    // One in 50 hangs and is given up after 100 ms.
    let hung = Behaviour { hanging: 0.02, failing: 0.0, ..STEADY };
    let store = shadowed(20_000, Behaviour { failing: 0.02, ..STEADY }, hung);
    let plan = Plan::new().metrics([Metric::success(Measure::LatencyP99, 0.0)]);
    let report = store.report(&plan);
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Keep, "{candidate:#?}");
    assert_eq!(of(candidate, Measure::LatencyP99).standing, Standing::Worse);
    assert_eq!(candidate.figures.timed_out, 406);
}

#[test]
fn the_times_of_a_primary_that_answers_others_too_are_those_of_the_same_requests() {
    // Half of what the primary answers is fast, and not shadowed.
    use super::support::{Store, Traffic, templates};
    use tower_spearmint::branch::Role;
    let templates = templates("ranker", &["stable", "candidate"]);
    let mut traffic = Traffic::new(7, 40_000);
    for _ in 0..20_000 {
        traffic.add(&templates[0], Role::Primary, Behaviour { ms: 1.0, ..STEADY }, None);
        let request = traffic.add(&templates[0], Role::Primary, STEADY, None);
        traffic.add(&templates[1], Role::Shadow, STEADY, Some(request));
    }
    let store = Store::with(&traffic.branches);
    let report = store.report(&Plan::new());
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Ship, "{candidate:#?}");
    let median = of(candidate, Measure::LatencyP50);
    assert!(median.difference.unwrap().abs() < 0.021, "{median:#?}");
    assert_eq!(median.baseline_count, 20_000);
}

#[test]
fn the_first_bytes_of_a_shadow_are_not_held_against_those_of_other_requests() {
    let plan = Plan::new().metrics([Metric::guardrail(Measure::FirstByteP95, 0.1)]);
    let report = shadowed(1_000, STEADY, STEADY).report(&plan);
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Undecided);
    assert_eq!(candidate.because, "first_byte_p95 was not measured on both sides");
}
