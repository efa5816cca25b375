//! A candidate that fails at once is not faster for it.

use super::support::{Behaviour, Random, STEADY, Store, Traffic, of, only, templates};
use tower_spearmint::{
    Branch,
    branch::{Failure, FailureKind, Role, Status},
    report::{Measure, Metric, Plan, Report, Standing, Verdict},
};

fn fails_at_once(branch: &mut Branch) {
    branch.status = Status::Failed;
    branch.failure = Some(Failure::new(FailureKind::Status, "503"));
    branch.duration_ns = 100_000;
    branch.end_ns = branch.start_ns + branch.duration_ns;
}

/// Requests of which one in fifty is slow, halves of which go to each (of so many units, that stay with one); `fails` says which of the candidate's do so at
/// once, from whether they would be slow.
fn report(
    plan: &Plan,
    ms: [f64; 2],
    units: Option<u64>,
    mut fails: impl FnMut(usize, bool, &mut Random) -> bool,
) -> Report {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let mut traffic = Traffic::new(11, 40_000);
    let mut random = Random(13);
    for n in 0..40_000_u64 {
        let (at, slow) = ((n % 2) as usize, random.unit() < 0.02);
        let ms = ms[at] * if slow { 20.0 } else { 1.0 };
        traffic.add(&templates[at], Role::Primary, Behaviour { ms, failing: 0.0, ..STEADY }, None);
        let branch = traffic.branches.last_mut().unwrap();
        branch.unit = units.map(|units| (n % units).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if fails(at, slow, &mut random) {
            fails_at_once(traffic.branches.last_mut().unwrap());
        }
    }
    Store::with(&traffic.branches).report(plan)
}

#[test]
fn more_than_half_failing_at_once_is_no_faster_median() {
    let plan = Plan::new().baseline("stable").metrics([Metric::success(Measure::LatencyP50, 0.02)]);
    for units in [None, Some(2_000)] {
        let report =
            report(&plan, [10.0; 2], units, |at, _, random| at == 1 && random.unit() < 0.55);
        let candidate = only(&report);
        let median = of(candidate, Measure::LatencyP50);
        assert!(median.difference.unwrap() < -0.9 && median.interval.low < -0.9, "{median:#?}");
        assert_ne!(candidate.verdict, Verdict::Ship, "{candidate:#?}");
    }
}

#[test]
fn a_tail_that_is_answered_with_failures_at_once_is_not_shorter() {
    let plan = Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.03),
        Metric::success(Measure::LatencyP99, 0.02),
    ]);
    // Of the slow ones most.
    let report =
        report(&plan, [10.0; 2], None, |at, slow, random| at == 1 && slow && random.unit() < 0.9);
    let candidate = only(&report);
    assert_eq!(of(candidate, Measure::ErrorRate).standing, Standing::Within, "{candidate:#?}");
    assert!(of(candidate, Measure::LatencyP99).difference.unwrap() < -0.5, "{candidate:#?}");
    assert_ne!(candidate.verdict, Verdict::Ship, "{candidate:#?}");
}

#[test]
fn a_faster_candidate_ships_where_both_fail_alike() {
    let plan = Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.03),
        Metric::success(Measure::LatencyP95, 0.02),
    ]);
    let report = report(&plan, [10.0, 8.0], None, |_, _, random| random.unit() < 0.07);
    assert_eq!(only(&report).verdict, Verdict::Ship, "{report:#?}");
}
