//! Looks at several stores.

use super::{
    metamorphic::{assert_alike, json},
    support::{Behaviour, Halves, Random, STEADY, Store, of, only},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_spearmint::{
    Branch,
    report::{Measure, Metric, Plan, Report, Verdict},
    store::{Snapshot, Snapshots},
};

const FASTER: Behaviour = Behaviour { ms: 8.0, ..STEADY };

fn plan() -> Plan {
    Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.1),
        Metric::success(Measure::LatencyP50, 0.02),
    ])
}

fn at(minute: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(60 * minute)
}

/// So many requests in each of three parts.
fn parts() -> Vec<Vec<Branch>> {
    let mut halves = Halves::new(3_000);
    (0..3).map(|_| halves.come(1_000, FASTER)).collect()
}

fn together(stores: &[Store]) -> Snapshots {
    let mut snapshots = Snapshots::new();
    for store in stores {
        let json = serde_json::to_vec(&store.store.snapshot().unwrap()).unwrap();
        snapshots.add(Snapshot::from_json(&json).unwrap());
    }
    snapshots
}

fn look(stores: &[Store], looks: &Store, minute: u64) -> Report {
    let found = Report::look_together(&together(stores), &plan(), &looks.store, at(minute));
    found.unwrap().remove(0)
}

/// Each of the branches to any of the stores.
fn spread(branches: &[Branch], stores: &[Store], random: &mut Random) {
    let mut each = vec![Vec::new(); stores.len()];
    for branch in branches {
        each[(random.unit() * stores.len() as f64) as usize].push(branch.clone());
    }
    stores.iter().zip(&each).for_each(|(store, branches)| store.add(branches));
}

#[test]
fn looks_at_several_stores_come_to_what_looks_at_one_come_to_that_recorded_it_all() {
    for count in [1, 3, 16] {
        let (whole, looks) = (Store::with(&[]), Store::with(&[]));
        let stores: Vec<_> = (0..count).map(|_| Store::with(&[])).collect();
        let mut random = Random(count);
        for (minute, part) in (1..).zip(parts()) {
            whole.add(&part);
            spread(&part, &stores, &mut random);
            let one = Report::look(&whole.store, &plan(), at(minute)).unwrap().remove(0);
            let several = look(&stores, &looks, minute);
            assert_alike(&json(&several), &json(&one), "report");
            assert_eq!(several.looks.unwrap().count, minute);
        }
        let kept = look(&stores, &looks, 9);
        // Nothing is new.
        assert_eq!(kept.looks.as_ref().unwrap().count, 3);
        assert_eq!(only(&kept).verdict, Verdict::Ship, "{kept:#?}");
        assert_eq!(kept.history(&looks.store).unwrap().len(), 3);
    }
}

#[test]
fn a_look_at_less_of_a_store_than_before_stands_alone_and_is_not_kept() {
    let (stores, looks) = ([Store::with(&[]), Store::with(&[])], Store::with(&[]));
    let mut random = Random(3);
    let mut parts = parts().into_iter();
    spread(&parts.next().unwrap(), &stores, &mut random);
    let early = stores[0].store.snapshot().unwrap();
    look(&stores, &looks, 1);
    spread(&parts.next().unwrap(), &stores, &mut random);
    assert_eq!(look(&stores, &looks, 2).looks.unwrap().count, 2);

    // One is not there, or the newest of it is late.
    let mut late = together(&stores[1..]);
    for _ in 0..2 {
        let report = Report::look_together(&late, &plan(), &looks.store, at(3)).unwrap().remove(0);
        assert_eq!(report.looks, None);
        assert_eq!(json(&report), json(&Report::merged(&late, &plan()).unwrap()[0]));
        late.add(early.clone());
    }
    spread(&parts.next().unwrap(), &stores, &mut random);
    assert_eq!(look(&stores, &looks, 4).looks.unwrap().count, 3);
}

#[test]
fn a_store_that_is_new_only_adds_to_what_is_looked_at() {
    let (stores, looks) = ([Store::with(&[]), Store::with(&[])], Store::with(&[]));
    let parts = parts();
    stores[0].add(&parts[0]);
    look(&stores[..1], &looks, 1);
    stores[1].add(&parts[1]);
    let report = look(&stores, &looks, 2);
    assert_eq!(report.looks.as_ref().unwrap().count, 2);
    let finding = of(only(&report), Measure::LatencyP50);
    assert!(finding.intersection.low >= finding.interval.low);
    assert!(finding.intersection.high <= finding.interval.high);
}

#[test]
fn a_store_that_keeps_looks_at_several_keeps_its_own_apart() {
    let stores = [Store::with(&[]), Store::with(&[])];
    spread(&parts().concat(), &stores, &mut Random(5));
    let own = Report::look(&stores[0].store, &plan(), at(1)).unwrap().remove(0);
    let several = look(&stores, &stores[0], 2);
    assert_eq!(several.looks.as_ref().unwrap().count, 1);
    assert!(several.looks.unwrap().has_others);
    let again = stores[0].report(&plan());
    assert_eq!(again.looks.unwrap().first_ns, own.looks.unwrap().first_ns);
}

#[test]
fn a_look_since_a_certain_time_is_none() {
    let (stores, looks) = ([Store::with(&parts().concat())], Store::with(&[]));
    let since = plan().since_ns(1);
    let found = Report::look_together(&together(&stores), &since, &looks.store, at(1)).unwrap();
    assert_eq!(found[0].looks, None);
    assert!(looks.store.looks("ranker").unwrap().is_empty());
}
