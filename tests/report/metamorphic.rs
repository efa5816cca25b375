//! The same traffic, recorded otherwise, has the same report.

use super::support::{Behaviour, Random, STEADY, Store, Traffic, templates};
use proptest::prelude::*;
use serde_json::Value;
use tower_spearmint::{
    Branch,
    assign::Epoch,
    branch::Role,
    report::{Measure, Metric, Plan, Report},
    store::{Snapshot, Snapshots},
};

/// Whose requests they are, and where they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Requests,
    Units,
    Shadow,
}

const SLOWER: Behaviour = Behaviour { ms: 11.0, failing: 0.03, hanging: 0.01 };

/// The branches of so many requests, request by request, in two epochs with other weights.
fn stream(kind: Kind, names: [&str; 2], seed: u64, requests: u64) -> Vec<Vec<Branch>> {
    let mut templates = templates("ranker", &names);
    let mut traffic = Traffic::new(seed, requests);
    let mut chance = Random(seed ^ 1);
    let mut all = Vec::new();
    for n in 0..requests {
        let (epoch, share) = if n < requests / 3 { (7, 0.5) } else { (8, 0.25) };
        for (template, probability) in templates.iter_mut().zip([1.0 - share, share]) {
            template.probability = if kind == Kind::Shadow { 1.0 } else { probability };
        }
        if kind == Kind::Shadow {
            templates.iter_mut().for_each(|template| template.strategy = "shadow".into());
            let request = traffic.add(&templates[0], Role::Primary, STEADY, None);
            traffic.add(&templates[1], Role::Shadow, SLOWER, Some(request));
        } else {
            let unit = (chance.unit() * 200.0) as u64;
            let point = match kind {
                Kind::Units => Random(unit << 8 | epoch).unit(),
                _ => chance.unit(),
            };
            let at = usize::from(point < share);
            traffic.add(&templates[at], Role::Primary, [STEADY, SLOWER][at], None);
            if kind == Kind::Units {
                let hash = (unit + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                traffic.branches.last_mut().unwrap().unit = Some(hash);
            }
        }
        let mut request = std::mem::take(&mut traffic.branches);
        request.iter_mut().for_each(|branch| branch.epoch = Epoch::recorded(epoch, epoch));
        all.push(request);
    }
    all
}

fn plan(baseline: &str) -> Plan {
    Plan::new().baseline(baseline).metrics([
        Metric::guardrail(Measure::ErrorRate, 0.01),
        Metric::guardrail(Measure::LatencyP95, 0.1),
        Metric::success(Measure::LatencyP50, 0.02),
    ])
}

fn whole(stream: &[Vec<Branch>], baseline: &str) -> Report {
    Store::with(&stream.concat()).report(&plan(baseline))
}

/// Each replica gets some of the requests, and says what it has after each of three parts; all that was said
/// arrives in any order, and some of it again.
fn in_replicas(stream: &[Vec<Branch>], replicas: usize, random: &mut Random) -> Snapshots {
    let stores: Vec<_> = (0..replicas).map(|_| Store::with(&[])).collect();
    let mut sent = Vec::new();
    for part in stream.chunks(stream.len() / 3 + 1) {
        let mut batches = vec![Vec::new(); replicas];
        for request in part {
            batches[(random.unit() * replicas as f64) as usize].extend(request.iter().cloned());
        }
        for (store, batch) in stores.iter().zip(&batches) {
            store.add(batch);
            sent.push(serde_json::to_vec(&store.store.snapshot().unwrap()).unwrap());
        }
    }
    for at in (1..sent.len()).rev() {
        sent.swap(at, (random.unit() * (at + 1) as f64) as usize);
    }
    let again = sent.iter().step_by(3).cloned().collect::<Vec<_>>();
    let mut snapshots = Snapshots::new();
    for json in sent.iter().chain(&again) {
        snapshots.add(Snapshot::from_json(json).unwrap());
    }
    assert_eq!(snapshots.len(), replicas);
    snapshots
}

/// Counts are the same, and numbers within one in 10¹².
#[track_caller]
pub(crate) fn assert_alike(one: &Value, other: &Value, at: &str) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()), "{at}");
            a.iter().for_each(|(key, value)| assert_alike(value, &b[key], &format!("{at}.{key}")));
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{at}");
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                assert_alike(a, b, &format!("{at}[{n}]"));
            }
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-12 * a.abs().max(b.abs()), "{at}: {a} {b}");
        }
        _ => assert_eq!(one, other, "{at}"),
    }
}

pub(crate) fn json(report: &Report) -> Value {
    serde_json::to_value(report).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_split_over_replicas_in_any_order_and_with_repeats_has_the_same_report(
        seed in any::<u64>(),
        kind in prop::sample::select(vec![Kind::Requests, Kind::Units, Kind::Shadow]),
        replicas in prop::sample::select(vec![1_usize, 3, 16]),
    ) {
        let stream = stream(kind, ["stable", "candidate"], seed, 600);
        let snapshots = in_replicas(&stream, replicas, &mut Random(seed));
        let merged = Report::merged(&snapshots, &plan("stable")).unwrap();
        prop_assert_eq!(merged.len(), 1);
        assert_alike(&json(&merged[0]), &json(&whole(&stream, "stable")), "report");
    }

    #[test]
    fn putting_together_is_associative_and_commutative(seed in any::<u64>()) {
        let stream = stream(Kind::Units, ["stable", "candidate"], seed, 200);
        let mut random = Random(seed);
        let [a, b] = [3, 2].map(|replicas| in_replicas(&stream, replicas, &mut random));
        let c = in_replicas(&stream[..50], 1, &mut random);
        let merged = |all: [&Snapshots; 3]| {
            all.into_iter().fold(Snapshots::new(), |mut sum, next| {
                sum.merge(next.clone());
                sum
            })
        };
        let one = merged([&a, &b, &c]);
        let mut inner = b.clone();
        inner.merge(c.clone());
        let other = merged([&a, &inner, &a]);
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(&one, &merged([&c, &b, &a]));
        prop_assert_eq!(one.len(), 6);
    }

    #[test]
    fn names_decide_nothing(
        seed in any::<u64>(), kind in prop::sample::select(vec![Kind::Requests, Kind::Units]),
    ) {
        let mut stream = stream(kind, ["alpha", "beta"], seed, 2_000);
        let report = json(&whole(&stream, "alpha"));
        let of = |id: &str| {
            stream.iter().flatten().find(|branch| branch.config_id.as_str() == id).unwrap().clone()
        };
        let [alpha, beta] = ["alpha", "beta"].map(of);
        for branch in stream.iter_mut().flatten() {
            let other = if branch.config_id == alpha.config_id { &beta } else { &alpha };
            branch.config_id = other.config_id.clone();
            branch.config = other.config.clone();
        }
        let swapped = json(&whole(&stream, "beta")).to_string();
        let swapped = swapped.replace("alpha", "\n").replace("beta", "alpha").replace('\n', "beta");
        assert_alike(&report, &serde_json::from_str(&swapped).unwrap(), "report");
    }
}

#[test]
fn a_snapshot_is_the_same_until_something_is_added_and_survives_a_restart() {
    let stream = stream(Kind::Requests, ["stable", "candidate"], 3, 100);
    let store = Store::with(&stream[..50].concat());
    let first = store.store.snapshot().unwrap();
    let content = |snapshot: &Snapshot| {
        let mut content = serde_json::to_value(snapshot).unwrap();
        content.as_object_mut().unwrap().remove("taken_ns").unwrap();
        content
    };
    assert_eq!(content(&store.store.snapshot().unwrap()), content(&first));
    let store = store.reopened();
    store.add(&stream[50..].concat());
    let second = store.store.snapshot().unwrap();
    assert_eq!(second.replica(), first.replica());
    assert!(second.sequence() > first.sequence());
    let mut newest = Snapshots::new();
    assert!(newest.add(second.clone()));
    assert!(!newest.add(first));
    assert_eq!(newest.iter().collect::<Vec<_>>(), [&second]);
}

#[test]
fn what_is_no_snapshot_is_told_apart_from_one_of_a_newer_program() {
    let error = |json: &str| Snapshot::from_json(json.as_bytes()).unwrap_err().to_string();
    assert_eq!(error("[]"), "not a snapshot, as `spearmint store snapshot` writes it");
    assert_eq!(error("{\"version\": 2}"), error("[]"));
    assert_eq!(
        error("{\"version\": 7, \"what\": []}"),
        "a snapshot of version 7, and this program knows version 2; use a newer one, at least as new as the one \
         that wrote it"
    );
    assert_eq!(
        error("{\"version\": 1, \"what\": []}"),
        "a snapshot of version 1, which lacks what this program needs; make it anew with `spearmint store snapshot` \
         of the same version as this one"
    );
    let store = Store::with(&stream(Kind::Requests, ["stable", "candidate"], 3, 10).concat());
    let json = serde_json::to_string(&store.store.snapshot().unwrap()).unwrap();
    assert_eq!(
        error(&json.replacen("\"success\":", "\"success\":9007199254740993,\"failed_\":", 1)),
        "a damaged snapshot: a count is beyond 2^53; make a new one with `spearmint store snapshot`"
    );
}

#[test]
fn more_units_than_are_held_are_a_sample_that_has_the_shares_of_all() {
    let mut templates = templates("ranker", &["stable", "candidate"]);
    for (template, share) in templates.iter_mut().zip([0.75, 0.25]) {
        template.probability = share;
    }
    let mut traffic = Traffic::new(3, 70_000);
    for unit in 1..=70_000_u64 {
        let at = usize::from(Random(unit).unit() < 0.25);
        traffic.add(&templates[at], Role::Primary, STEADY, None);
        let hash = unit.wrapping_mul(0xd134_2543_de82_ef95);
        traffic.branches.last_mut().unwrap().unit = Some(hash);
    }
    // Each replica holds all of its own.
    let (one, other) = traffic.branches.split_at(40_000);
    let mut snapshots = Snapshots::new();
    for part in [one, other] {
        snapshots.add(Store::with(part).store.snapshot().unwrap());
    }
    let report = Report::merged(&snapshots, &plan("stable")).unwrap().remove(0);
    let ratio = report.sample_ratio.unwrap();
    assert_eq!((ratio.one_of, ratio.broken), (2, false));
    assert!(ratio.total.abs_diff(35_000) < 1_000, "{ratio:#?}");
    let candidate = ratio.arms[1].count as f64 / ratio.total as f64;
    assert!((candidate - 0.25).abs() < 0.01, "{ratio:#?}");
    assert_eq!(report.baseline.requests + report.candidates[0].figures.requests, 70_000);
}
