//! Arms that each answer requests of their own.

use super::support::{Behaviour, Random, STEADY, Store, Traffic, of, only, split, templates};
use tower_spearmint::{
    assign::Epoch,
    branch::Role,
    report::{Finding, Measure, Metric, Plan, Report, Standing, Verdict},
    store::Rollup,
};

const BETTER: Behaviour = Behaviour { ms: 8.0, ..STEADY };

fn plan() -> Plan {
    Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.01),
        Metric::success(Measure::LatencyP50, 0.05),
    ])
}

#[test]
fn an_arm_that_is_faster_and_fails_no_more_ships() {
    let store = split(20_000, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, BETTER, 0.0)]);
    let report = store.report(&plan());
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Ship, "{candidate:#?}");
    assert_eq!(of(candidate, Measure::LatencyP50).standing, Standing::Better);
    let ratio = report.sample_ratio.as_ref().unwrap();
    assert!(!ratio.broken && ratio.log10_evidence < 0.0, "{ratio:#?}");
    assert_eq!(ratio.total, 20_000);
}

#[test]
fn with_the_arms_swapped_the_answer_is_the_other_one() {
    let store = split(20_000, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, BETTER, 0.0)]);
    let report = store.report(&plan());
    let swapped = store.report(&plan().baseline("candidate"));
    let (one, other) = (only(&report), only(&swapped));
    assert_eq!((one.verdict, other.verdict), (Verdict::Ship, Verdict::Keep));
    let [a, b] = [one, other].map(|candidate| of(candidate, Measure::LatencyP50));
    assert_eq!((a.baseline, a.candidate), (b.candidate, b.baseline));
    let (a, b) = (1.0 + a.difference.unwrap(), 1.0 + b.difference.unwrap());
    assert!((a * b - 1.0).abs() < 1e-12);
}

#[test]
fn an_arm_that_can_gain_less_than_is_worth_it_is_not_waited_for() {
    let store = split(40_000, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, STEADY, 0.0)]);
    let report = store.report(&plan());
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Keep, "{candidate:#?}");
    assert_eq!(
        candidate.because,
        "latency_p50 can be better by less than what is worth it at most"
    );
}

#[test]
fn without_a_success_nothing_ships() {
    let store = split(20_000, [("stable", 0.9, STEADY, 0.0), ("candidate", 0.1, STEADY, 0.0)]);
    let report = store.report(&Plan::new().metrics([Metric::guardrail(Measure::ErrorRate, 0.05)]));
    let candidate = only(&report);
    assert_eq!(report.baseline.config_id.as_str(), "stable");
    assert_eq!(candidate.verdict, Verdict::Undecided);
    assert_eq!(
        candidate.because,
        "no guardrail is broken, and no metric says what would be better: name one with the role \
         `success`"
    );
}

#[test]
fn a_baseline_that_has_no_branches_is_an_error_that_names_those_that_have() {
    let store = split(100, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, STEADY, 0.0)]);
    let plan = Plan::new().baseline("sable");
    let error = tower_spearmint::report::Report::read(&store.store, &plan).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no config's id is or begins with `sable`; there is candidate, stable"
    );
}

#[test]
fn weights_that_change_while_the_load_does_make_no_arm_slower() {
    // The candidate gets one in 100 while all is fast, and half when all is three times as slow.
    let mut templates = templates("ranker", &["stable", "candidate"]);
    let mut traffic = Traffic::new(5, 20_000);
    let mut chance = Random(17);
    for n in 0..20_000 {
        let (epoch, share, ms) = if n < 10_000 { (7, 0.01, 10.0) } else { (8, 0.5, 30.0) };
        let at = usize::from(chance.unit() < share);
        templates[at].probability = [1.0 - share, share][at];
        let behaviour = Behaviour { ms, failing: 0.001 * ms, ..STEADY };
        traffic.add(&templates[at], Role::Primary, behaviour, None);
        traffic.branches.last_mut().unwrap().epoch = Epoch::recorded(epoch, epoch);
    }
    let report = Store::with(&traffic.branches).report(&plan());
    let findings = &only(&report).findings;
    assert!(findings.iter().all(|finding| finding.interval.contains(0.0)), "{findings:#?}");
    let ratio = report.sample_ratio.as_ref().unwrap();
    assert_eq!((ratio.broken, ratio.total, ratio.unchecked_epochs), (false, 20_000, 0));
}

#[test]
fn many_requests_of_few_units_are_few() {
    // One unit makes half of the candidate's traffic, and is slow wherever it goes.
    let mut templates = templates("ranker", &["stable", "candidate"]);
    templates.iter_mut().for_each(|template| template.probability = 0.5);
    let mut traffic = Traffic::new(5, 20_000);
    let mut add = |unit: Option<u64>, at: usize, behaviour| {
        traffic.add(&templates[at], Role::Primary, behaviour, None);
        traffic.branches.last_mut().unwrap().unit = unit;
    };
    let slow = Behaviour { ms: 30.0, ..STEADY };
    let spread = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for n in 0..5_000 {
        add(Some(spread(n % 400)), 0, STEADY);
        add(Some(spread(1_000 + n % 400)), 1, STEADY);
        add(Some(spread(n % 400)), 0, STEADY);
        add(Some(spread(2_000)), 1, slow);
    }
    let report = Store::with(&traffic.branches).report(&plan());
    assert_eq!(only(&report).verdict, Verdict::Undecided, "{report:#?}");
    // The same without units is no accident.
    traffic.branches.iter_mut().for_each(|branch| branch.unit = None);
    let report = Store::with(&traffic.branches).report(&plan());
    assert_eq!(only(&report).verdict, Verdict::Keep, "{report:#?}");
}

/// Of two epochs, in each (failed, all) of either arm.
fn error_rates(epochs: [[(u64, u64); 2]; 2]) -> Finding {
    let configs = templates("ranker", &["stable", "candidate"]);
    let rollups = epochs.iter().enumerate().flat_map(|(epoch, arms)| {
        configs.iter().zip(arms).map(move |(config, (failed, all))| {
            let id = config.config_id.clone();
            let mut rollup = Rollup::new("ranker", "round_robin", id, Role::Primary, 0);
            (rollup.epoch, rollup.failed) = (Some(epoch as u64), *failed);
            rollup.success = all - failed;
            rollup
        })
    });
    let report = Report::of(rollups, [], &plan(), |_, _| None).unwrap().remove(0);
    of(only(&report), Measure::ErrorRate).clone()
}

#[test]
fn errors_that_were_more_while_the_candidate_had_few_requests_are_no_difference() {
    let errors = error_rates([[(9_900, 99_000), (100, 1_000)], [(500, 50_000), (500, 50_000)]]);
    assert!(errors.interval.contains(0.0), "{errors:#?}");
    assert!(errors.difference.unwrap().abs() < 1e-12, "{errors:#?}");
    assert!((errors.candidate.unwrap() - 0.055).abs() < 1e-12, "{errors:#?}");
}

#[test]
fn twice_as_many_errors_are_so_many_more_whatever_the_split_was_when() {
    // A hundredth, and then half; of all requests the baseline fails in 5.5 %, or in 2.75 %.
    for ([before, after], more) in [([0.1, 0.01], 0.055), ([0.005, 0.05], 0.0275)] {
        let of = |rate: f64, all: u64| ((rate * all as f64).round() as u64, all);
        let errors = error_rates([
            [of(before, 990_000), of(2.0 * before, 10_000)],
            [of(after, 500_000), of(2.0 * after, 500_000)],
        ]);
        assert!(errors.interval.contains(more), "{more}: {errors:#?}");
        assert!((errors.difference.unwrap() - more).abs() < 1e-3, "{more}: {errors:#?}");
    }
}
