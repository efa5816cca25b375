//! Requests that chance did not assign are no evidence.

use super::support::{Behaviour, Random, STEADY, Store, Traffic, block_on, of, only, templates};
use serde_json::json;
use tower::{Layer, Service, ServiceExt, util::BoxCloneService};
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    assign::{Ramp, Reason},
    branch::Role,
    record::{LoggerBackend, Loss, LossReason, MemoryBackend},
    report::{Measure, Metric, Plan, Report, Verdict},
    service_fn,
    store::{Outcome, Snapshot, Snapshots},
};

/// A request, as far as it matters who gets what.
#[derive(Clone, Default)]
struct Ask {
    unit: Option<String>,
    tester: Option<&'static str>,
    is_left_out: bool,
}

type Inner = BoxCloneService<Trial<Ask>, (), String>;

/// What a round robin makes of these requests.
fn assigned<S>(asks: Vec<Ask>, layer: impl FnOnce(RoundRobinLayer, Inner) -> S) -> Vec<Branch>
where
    S: Service<Ask, Response = (), Error = String>,
{
    let ids = ["stable", "candidate"];
    let pool = ConfigPool::from_values(ids.map(|id| json!({ "config_id": id }))).unwrap();
    block_on(async {
        let memory = MemoryBackend::with_capacity(asks.len().max(1));
        let (recorder, recording) = Recorder::with_capacity(memory.clone(), asks.len().max(1));
        tokio::spawn(recording);
        let answer = service_fn(|_: Trial<Ask>| async { Ok::<_, String>(()) });
        let log = LogLayer::new(recorder.clone());
        let layered = RoundRobinLayer::new(pool).experiment("ranker");
        let mut service = layer(layered, BoxCloneService::new(log.layer(answer)));
        for ask in asks {
            service.ready().await.unwrap().call(ask).await.unwrap();
        }
        recorder.drain(std::time::Duration::from_secs(60)).await.unwrap();
        let mut branches = memory.take();
        branches.sort_by_key(|branch| branch.id);
        branches
    })
}

/// The same in time, and each as its config behaves.
fn in_time(
    seed: u64,
    assigned: &[Branch],
    behaviour: impl Fn(usize, &Branch) -> Behaviour,
) -> Vec<Branch> {
    let mut traffic = Traffic::new(seed, assigned.len() as u64);
    for (number, branch) in assigned.iter().enumerate() {
        traffic.add(branch, Role::Primary, behaviour(number, branch), None);
        traffic.branches.last_mut().unwrap().epoch = branch.epoch;
    }
    traffic.branches
}

fn requests(count: usize) -> Vec<Ask> {
    vec![Ask::default(); count]
}

/// Half and half of a tenth of the requests.
fn ramped(seed: u64, asks: Vec<Ask>) -> Vec<Branch> {
    assigned(asks, |layer, inner| {
        let layer = layer.weighted([("stable", 1.0), ("candidate", 1.0)]).unwrap();
        layer.seed(seed).ramp(Ramp::share(0.1)).layer(inner)
    })
}

/// Half and half, but one request in twenty is a tester's, who asks for the candidate.
fn tested(seed: u64, count: usize) -> Vec<Branch> {
    let mut chance = Random(seed);
    let ask = |_| Ask { tester: (chance.unit() < 0.05).then_some("candidate"), ..Ask::default() };
    assigned((0..count).map(ask).collect(), |layer, inner| {
        let layer = layer.weighted([("stable", 1.0), ("candidate", 1.0)]).unwrap().seed(seed);
        layer.testers(|ask: &Ask| ask.tester.map(str::to_owned)).layer(inner)
    })
}

fn plan() -> Plan {
    Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.01),
        Metric::guardrail(Measure::LatencyP50, 0.1),
    ])
}

fn not_by_chance(branches: &[Branch], reason: Reason) -> u64 {
    branches.iter().filter(|branch| branch.reason == reason).count() as u64
}

#[test]
fn those_that_a_ramp_does_not_admit_are_in_no_arm_and_no_split() {
    let branches = in_time(1, &ramped(1, requests(20_000)), |_, _| STEADY);
    let refused = not_by_chance(&branches, Reason::Ramp);
    assert!((17_800..18_200).contains(&refused), "{refused}");
    let report = Store::with(&branches).report(&plan());
    let ratio = report.sample_ratio.as_ref().unwrap();
    assert_eq!((ratio.broken, ratio.total, ratio.unchecked_epochs), (false, 20_000 - refused, 0));
    assert!(ratio.arms.iter().all(|arm| (arm.share - 0.5).abs() < 1e-9), "{ratio:#?}");
    let arms = [&report.baseline, &only(&report).figures].map(|arm| arm.requests);
    assert_eq!(arms.iter().sum::<u64>(), 20_000 - refused, "{arms:?}");
    assert_ne!(only(&report).verdict, Verdict::Broken);
    let said = format!(
        "{refused} requests were not assigned by chance (ramp {refused}): they are in no comparison"
    );
    assert_eq!(report.set_aside().as_deref(), Some(&*said));
    let json = serde_json::to_value(&report).unwrap();
    let expected = json!([{ "reason": "ramp", "config_id": "stable", "requests": refused }]);
    assert_eq!(json["aside"], expected);
}

#[test]
fn what_testers_ask_for_is_in_no_arm_and_no_split() {
    let branches = in_time(2, &tested(2, 10_000), |_, _| STEADY);
    let asked = not_by_chance(&branches, Reason::Override);
    let report = Store::with(&branches).report(&plan());
    let ratio = report.sample_ratio.as_ref().unwrap();
    assert_eq!((ratio.broken, ratio.total), (false, 10_000 - asked));
    assert_eq!(report.aside.len(), 1);
    let aside = &report.aside[0];
    assert_eq!((aside.reason, aside.config_id.as_str()), (Reason::Override, "candidate"));
    assert_eq!(aside.requests, asked);
}

/// A fifth of the requests takes part in nothing, and takes half as long again.
#[test]
fn slow_requests_that_are_left_out_make_the_default_no_slower() {
    let mut chance = Random(5);
    let ask = |_| Ask { is_left_out: chance.unit() < 0.2, ..Ask::default() };
    let asks: Vec<Ask> = (0..20_000).map(ask).collect();
    let left_out: Vec<bool> = asks.iter().map(|ask| ask.is_left_out).collect();
    let found = assigned(asks, |layer, inner| {
        let layer = layer.weighted([("stable", 1.0), ("candidate", 1.0)]).unwrap().seed(5);
        let layer = layer.default("candidate").unwrap();
        layer.eligible(|ask: &Ask| !ask.is_left_out).layer(inner)
    });
    let slow = Behaviour { ms: 15.0, ..STEADY };
    let branches = in_time(5, &found, |at, _| if left_out[at] { slow } else { STEADY });
    let report = Store::with(&branches).report(&plan());
    let (candidate, p50) = (only(&report), of(only(&report), Measure::LatencyP50));
    assert!(p50.interval.contains(0.0), "{p50:#?}");
    assert_eq!(candidate.verdict, Verdict::Undecided, "{candidate:#?}");
    assert_eq!(report.aside[0].reason, Reason::Ineligible);
}

#[test]
fn of_simulated_experiments_with_a_ramp_or_testers_none_is_broken_at_any_look() {
    for seed in 0..8 {
        for found in [ramped(seed, requests(2_000)), tested(seed, 2_000)] {
            let branches = in_time(seed, &found, |_, _| STEADY);
            let store = Store::with(&[]);
            for look in branches.chunks(500) {
                store.add(look);
                let report = store.report(&plan());
                let candidate = only(&report);
                assert_eq!(candidate.verdict, Verdict::Undecided, "{seed}: {candidate:#?}");
            }
        }
    }
}

/// While the load falls, more and more take part: those that do not are slow, and get the default.
#[test]
fn a_ramp_that_grows_while_the_load_falls_makes_no_candidate_faster() {
    let asks = requests(4_000);
    let parts = [0.05, 0.2, 0.5, 1.0].map(|share| {
        assigned(asks.clone(), |layer, inner| {
            let layer = layer.weighted([("stable", 1.0), ("candidate", 1.0)]).unwrap();
            layer.seed((share * 100.0) as u64).ramp(Ramp::share(share)).layer(inner)
        })
    });
    let mut branches = parts.concat();
    // One version of the rules, as that of a ramp over time is.
    let epoch = branches[0].epoch;
    branches.iter_mut().for_each(|branch| branch.epoch = epoch);
    let load =
        |at: usize, _: &Branch| Behaviour { ms: 40.0 - 10.0 * (at / 4_000) as f64, ..STEADY };
    let plan = Plan::new().baseline("stable").metrics([Metric::success(Measure::LatencyP50, 0.0)]);
    let report = Store::with(&in_time(7, &branches, load)).report(&plan);
    let p50 = of(only(&report), Measure::LatencyP50);
    assert!(p50.interval.contains(0.0), "{p50:#?}");
    assert!(!report.sample_ratio.unwrap().broken);
}

/// Each of these units comes three times, first while hardly any of them takes part.
fn admitted_later() -> (Vec<String>, Vec<Branch>) {
    let units: Vec<String> = (0..600).map(|unit| format!("user-{unit}")).collect();
    let of = |share| {
        let asks = units.iter().map(|unit| Ask { unit: Some(unit.clone()), ..Ask::default() });
        assigned(asks.collect(), |layer, inner| {
            let layer = layer.weighted([("stable", 1.0), ("candidate", 1.0)]).unwrap();
            let layer = layer.sticky("ranker", |ask: &Ask| ask.unit.clone());
            layer.ramp(Ramp::share(share)).layer(inner)
        })
    };
    let mut branches = [of(0.1), of(1.0), of(1.0)].concat();
    let epoch = branches[0].epoch;
    branches.iter_mut().for_each(|branch| branch.epoch = epoch);
    (units, in_time(11, &branches, |_, _| STEADY))
}

#[test]
fn a_unit_is_exposed_once_it_takes_part_and_to_what_it_gets_then() {
    let (units, branches) = admitted_later();
    let store = Store::with(&branches);
    let second = &branches[600..1_200];
    for branch in second {
        let exposures = store.store.exposures(branch.unit.unwrap()).unwrap();
        let first: Vec<_> = exposures.iter().map(|first| &first.config_id).collect();
        assert_eq!(first, [&branch.config_id]);
    }
    let plan = plan().metrics([Metric::success(Measure::named("purchase"), 0.0)]);
    let bought = branches.last().unwrap().end_ns / 1_000_000;
    let outcomes: Vec<_> = second
        .iter()
        .zip(&units)
        .filter(|(branch, _)| branch.config_id.as_str() == "candidate")
        .map(|(_, unit)| Outcome::new(&**unit, &**unit, "purchase").at_ms(bought))
        .collect();
    store.store.record_outcomes(&outcomes).unwrap();
    let report = store.report(&plan);
    let found = of(only(&report), Measure::named("purchase"));
    assert_eq!((found.baseline, found.candidate), (Some(0.0), Some(1.0)));
    assert_eq!(report.sample_ratio.unwrap().total, 600);
}

#[test]
fn snapshots_set_aside_the_same() {
    let (_, sticky) = admitted_later();
    for branches in [in_time(1, &ramped(1, requests(4_000)), |_, _| STEADY), sticky] {
        let whole = Store::with(&branches).report(&plan());
        let mut all = Snapshots::new();
        for of in 0..3 {
            let some = branches.iter().enumerate().filter(|(at, _)| at % 3 == of);
            let some: Vec<_> = some.map(|(_, branch)| branch.clone()).collect();
            let json = serde_json::to_vec(&Store::with(&some).store.snapshot().unwrap()).unwrap();
            all.add(Snapshot::from_json(&json).unwrap());
        }
        let merged = Report::merged(&all, &plan()).unwrap().remove(0);
        assert_eq!(merged.aside, whole.aside);
        let [one, other] = [&merged, &whole].map(|report| {
            let arms = [&report.baseline, &only(report).figures];
            (arms.map(|arm| (arm.requests, arm.failed, arm.p50_ns)), report.sample_ratio.clone())
        });
        assert_eq!(one.0, other.0);
        let [one, other] = [one, other].map(|(_, ratio)| ratio.unwrap());
        assert_eq!((one.total, one.log10_evidence), (other.total, other.log10_evidence));
    }
}

#[test]
fn a_config_that_only_testers_saw_is_no_candidate() {
    let mut branches = tested(3, 2_000);
    branches.retain(|branch| {
        branch.config_id.as_str() == "stable" || branch.reason == Reason::Override
    });
    let report = Store::with(&in_time(3, &branches, |_, _| STEADY)).report(&Plan::new());
    assert!(report.candidates.is_empty(), "{report:#?}");
    assert_eq!(report.aside[0].config_id.as_str(), "candidate");
}

#[test]
fn an_experiment_that_nobody_takes_part_in_yet_says_so() {
    let found = assigned(requests(10), |layer, inner| layer.ramp(Ramp::share(0.0)).layer(inner));
    let report = Store::with(&in_time(3, &found, |_, _| STEADY)).report(&plan());
    assert_eq!((report.baseline.config_id.as_str(), report.baseline.requests), ("stable", 0));
    assert_eq!(report.aside[0].requests, 10);
}

/// 1 % of what `stable` answered, but a sixth of what chance gave it.
#[test]
fn lost_branches_are_held_against_all_that_their_config_answered() {
    let branches = in_time(1, &ramped(1, requests(4_000)), |_, _| STEADY);
    let of_stable = branches.iter().find(|branch| branch.config_id.as_str() == "stable");
    let id = of_stable.unwrap().config_id.clone();
    let store = Store::with(&branches);
    let loss = Loss::new("ranker", "round_robin", id, Role::Primary, LossReason::QueueFull, 38);
    block_on(store.store.log_losses(&[loss])).unwrap();
    let report = store.report(&plan());
    let [lost] = &report.losses[..] else { panic!("{report:#?}") };
    assert!(!lost.broken && lost.share < 0.0101, "{lost:?}");
}

#[test]
fn beside_a_shadow_nothing_is_left_out_whatever_brought_the_request_there() {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    for (template, reason) in templates.iter_mut().zip([Reason::Override, Reason::Sample]) {
        (template.strategy, template.probability) = ("shadow".into(), 1.0);
        template.reason = reason;
    }
    let mut traffic = Traffic::new(7, 1_000);
    for n in 0..1_000 {
        let mut primary = templates[0].clone();
        primary.reason = if n % 4 == 0 { Reason::Override } else { Reason::Primary };
        let request = traffic.add(&primary, Role::Primary, STEADY, None);
        traffic.add(&templates[1], Role::Shadow, STEADY, Some(request));
    }
    let report = Store::with(&traffic.branches).report(&plan());
    let coverage = only(&report).coverage.as_ref().unwrap();
    assert_eq!((coverage.due, coverage.pairs, coverage.is_whole()), (Some(1_000), 1_000, true));
    assert_eq!((report.baseline.requests, report.set_aside()), (1_000, None));
}
