//! Shadows: every request has its pair.

use super::support::{Behaviour, STEADY, Store, Traffic, of, only, shadowed, templates};
use tower_spearmint::{
    ConfigId,
    branch::Role,
    report::{Candidate, Measure, Metric, Plan, Report, Standing, Verdict},
    store::Rollup,
};

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

/// What is said of 10,000 answers of a candidate, so many of which differ, and so many of the control's.
fn agreeing(differ: u64, noise: u64) -> (Verdict, String) {
    let plan = Plan::new().metrics([Metric::guardrail(Measure::Agreement, 0.05)]);
    let candidate = agreement(&plan, differ, Some(noise));
    (candidate.verdict, candidate.because)
}

/// The same, of a candidate without a control, too.
fn agreement(plan: &Plan, differ: u64, noise: Option<u64>) -> Candidate {
    let [stable, candidate] =
        ["stable", "candidate"].map(|id| templates("ranker", &[id]).remove(0).config_id);
    let arm = |id: &ConfigId, role, different| {
        let mut arm = Rollup::new("ranker", "shadow", id.clone(), role, 0);
        arm.success = 10_000;
        if role != Role::Primary {
            arm.pairs.both_succeeded = 10_000;
            arm.pairs.different = different;
            arm.pairs.equal = 10_000 - different;
        }
        arm
    };
    let beside = [arm(&stable, Role::Primary, 0), arm(&candidate, Role::Shadow, differ)];
    let control = noise.map(|noise| arm(&stable, Role::Control, noise));
    let rollups = beside.into_iter().chain(control);
    let report = Report::of(rollups, [], plan, |_, _| None).unwrap().remove(0);
    only(&report).clone()
}

#[test]
fn without_a_control_nobody_knows_how_much_is_noise_unless_every_difference_is_to_count() {
    let said = |plan: &Plan, noise| {
        let candidate = agreement(plan, 300, noise);
        let found = of(&candidate, Measure::Agreement);
        (candidate.verdict == Verdict::Keep, found.standing, found.sentence.clone())
    };
    let (is_kept, standing, sentence) = said(&Plan::new(), None);
    assert_eq!((is_kept, standing), (false, Standing::Open));
    assert!(sentence.ends_with(": worse, or noise, which only a control could tell"), "{sentence}");
    let asked = Plan::new().metrics([Metric::guardrail(Measure::Agreement, 0.01)]);
    for (plan, noise) in [(asked, None), (Plan::new(), Some(0))] {
        let (is_kept, standing, _) = said(&plan, noise);
        assert_eq!((is_kept, standing), (true, Standing::Worse), "{noise:?}");
    }
    // That few differ needs no control.
    assert_eq!(
        of(&agreement(&Plan::new(), 0, None), Measure::Agreement).standing,
        Standing::Within
    );
}

#[test]
fn answers_may_differ_as_often_as_the_primarys_own_second_ones() {
    assert_eq!(agreeing(2_000, 2_000).0, Verdict::Ship);
    assert_eq!(agreeing(3_000, 2_000).0, Verdict::Keep);
    assert_eq!(
        agreeing(10_000, 10_000),
        (
            Verdict::Undecided,
            "agreement tells nothing: the control's answers differ, too; let the comparison ignore \
             what always does (`spearmint diff` shows it)"
                .to_owned()
        )
    );
}

/// `stable` answers, and then `ranked`, which was a shadow until then; `candidate` is one all the time, and fails
/// less often than `stable`, and more often than `ranked`.
fn promoted() -> Vec<Rollup> {
    let [stable, ranked, candidate] =
        ["stable", "ranked", "candidate"].map(|id| templates("ranker", &[id]).remove(0).config_id);
    let arm = |id: &ConfigId, role, epoch, [primary_failed, other_failed]: [u64; 2]| {
        let mut arm = Rollup::new("ranker", "shadow", id.clone(), role, 0);
        arm.epoch = Some(epoch);
        arm.failed = other_failed;
        arm.success = 10_000 - other_failed;
        if role != Role::Primary {
            arm.pairs.primary_failed = primary_failed;
            arm.pairs.other_failed = other_failed;
            arm.pairs.both_succeeded = 10_000 - primary_failed - other_failed;
            arm.pairs.equal = 10_000;
        }
        arm
    };
    vec![
        arm(&stable, Role::Primary, 1, [0, 3_000]),
        arm(&stable, Role::Control, 1, [3_000, 3_000]),
        arm(&ranked, Role::Shadow, 1, [3_000, 100]),
        arm(&candidate, Role::Shadow, 1, [3_000, 1_000]),
        arm(&ranked, Role::Primary, 2, [0, 100]),
        arm(&candidate, Role::Shadow, 2, [100, 1_000]),
    ]
}

#[test]
fn a_shadow_is_held_against_the_primary_that_it_ran_beside() {
    let told = |baseline| {
        let plan =
            Plan::new().baseline(baseline).metrics([Metric::guardrail(Measure::ErrorRate, 0.01)]);
        Report::of(promoted(), [], &plan, |_, _| None).unwrap().remove(0)
    };
    let now = told("ranked");
    let candidate = only(&now);
    assert_eq!(candidate.config_id.as_str(), "candidate");
    assert_eq!(candidate.verdict, Verdict::Keep, "{candidate:#?}");
    assert_eq!(
        (candidate.figures.requests, of(candidate, Measure::ErrorRate).baseline_count),
        (10_000, 10_000)
    );
    assert!(now.control.is_none(), "the control ran beside another primary");
    let before = told("stable");
    let each: Vec<_> = before
        .candidates
        .iter()
        .map(|one| (one.config_id.as_str(), one.verdict, one.figures.requests))
        .collect();
    assert_eq!(each, [("candidate", Verdict::Ship, 10_000), ("ranked", Verdict::Ship, 10_000)]);
    assert!(before.control.is_some());
}
