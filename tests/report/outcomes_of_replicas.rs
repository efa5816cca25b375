//! Outcomes that several replicas were told, of units that several replicas saw.

use super::{
    metamorphic::{assert_alike, json},
    outcomes::earlier,
    support::{Random, STEADY, Store, Traffic, of, only, templates},
};
use proptest::prelude::*;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_spearmint::{
    Branch,
    assign::Epoch,
    branch::Role,
    report::{Finding, Measure, Metric, Plan, Report},
    store::{Outcome, OutcomeRules, OutcomeUnit, Snapshot, Snapshots},
};

/// What happened, whoever records it.
struct Shop {
    branches: Vec<Branch>,
    outcomes: Vec<Outcome>,
}

impl Shop {
    /// So many requests of units that come now and then, in two epochs, and buy before, in between and after.
    fn new(seed: u64, requests: u64) -> Self {
        let mut templates = templates("ranker", &["stable", "candidate"]);
        let mut traffic = Traffic::new(seed, requests);
        let mut chance = Random(seed ^ 5);
        let mut outcomes = Vec::new();
        for number in 0..requests {
            let (epoch, share) = if number < requests / 2 { (7, 0.5) } else { (8, 0.25) };
            for (template, probability) in templates.iter_mut().zip([1.0 - share, share]) {
                template.probability = probability;
            }
            let unit = (chance.unit() * requests as f64 * 0.6) as u64;
            let key = format!("user-{unit}");
            let at = usize::from(Random(unit << 8 | epoch).unit() < share);
            traffic.add(&templates[at], Role::Primary, STEADY, None);
            let OutcomeUnit::Hash(hash) = OutcomeUnit::hashed("ranker", &key) else { panic!() };
            let branch = traffic.branches.last_mut().unwrap();
            branch.unit = Some(hash);
            branch.epoch = Epoch::recorded(epoch, epoch);
            if chance.unit() < 0.4 {
                let off = (chance.unit() * 200_000.0) as u64;
                let at_ms = (branch.start_ns / 1_000_000 + off).saturating_sub(60_000);
                let id = format!("order-{number}");
                outcomes.push(Outcome::new(&*id, &*key, "purchase").at_ms(at_ms));
                let worth = Outcome::new(id + "/worth", key, "revenue");
                outcomes.push(worth.value(chance.unit() * 20.0).at_ms(at_ms));
            }
        }
        Self { branches: traffic.branches, outcomes }
    }

    /// Once five hours earlier and once more now, of units of which many are the same.
    fn twice(seed: u64) -> Self {
        let mut all = Self::new(seed, 1_500);
        earlier(&mut all.branches, &mut all.outcomes, 5 * HOUR.as_millis() as u64);
        let late = Self::new(seed + 1, 1_500);
        all.branches.extend(late.branches);
        for mut outcome in late.outcomes {
            outcome.id.push_str("/late");
            all.outcomes.push(outcome);
        }
        all
    }

    fn whole(&self) -> Store {
        let store = Store::with(&self.branches);
        store.store.record_outcomes(&self.outcomes).unwrap();
        store
    }

    /// Each request goes to any of them, and each outcome is reported to any number.
    fn replicas(&self, count: usize, random: &mut Random) -> Vec<Store> {
        let stores: Vec<_> = (0..count).map(|_| replica()).collect();
        let mut any = || (random.unit() * count as f64) as usize;
        let mut branches = vec![Vec::new(); count];
        for branch in &self.branches {
            branches[any()].push(branch.clone());
        }
        let mut outcomes = vec![Vec::new(); count];
        for outcome in &self.outcomes {
            // To one; to one and perhaps another; to all.
            let told: Vec<_> = match any() % 3 {
                0 => vec![any()],
                1 => vec![any(), any()],
                _ => (0..count).collect(),
            };
            told.into_iter().for_each(|at| outcomes[at].push(outcome.clone()));
        }
        for (at, store) in stores.iter().enumerate() {
            // Some hear of them before they see the unit.
            if at % 2 == 0 {
                store.store.record_outcomes(&outcomes[at]).unwrap();
            }
            store.add(&branches[at]);
            store.store.record_outcomes(&outcomes[at]).unwrap();
        }
        stores
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

fn two_hours_ago_ns() -> u64 {
    let since = (SystemTime::now() - 2 * HOUR).duration_since(UNIX_EPOCH).unwrap();
    since.as_nanos() as u64
}

fn replica() -> Store {
    let store = Store::with(&[]);
    store.store.set_outcome_rules(&OutcomeRules::new("ranker")).unwrap();
    store
}

fn taken(store: &Store) -> Vec<u8> {
    serde_json::to_vec(&store.store.snapshot().unwrap()).unwrap()
}

fn together<'a>(all: impl IntoIterator<Item = &'a Vec<u8>>) -> Snapshots {
    let mut snapshots = Snapshots::new();
    for json in all {
        snapshots.add(Snapshot::from_json(json).unwrap());
    }
    snapshots
}

fn merged(snapshots: &Snapshots, plan: &Plan) -> Report {
    let mut reports = Report::merged(snapshots, plan).unwrap();
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn purchase() -> Measure {
    Measure::named("purchase")
}

fn plan() -> Plan {
    Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.05),
        Metric::guardrail(Measure::named("revenue"), 0.1).increasing(),
        Metric::success(purchase(), 0.01).increasing(),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..Default::default() })]

    #[test]
    fn outcomes_come_to_the_same_however_many_replicas_see_the_units_and_whichever_hear_of_it(
        seed in any::<u64>(), count in prop::sample::select(vec![1_usize, 3, 16]),
    ) {
        let shop = Shop::new(seed, 1_500);
        let mut random = Random(seed);
        let mut sent: Vec<_> = shop.replicas(count, &mut random).iter().map(taken).collect();
        let again: Vec<_> = sent.iter().step_by(2).cloned().collect();
        sent.extend(again);
        for at in (1..sent.len()).rev() {
            sent.swap(at, (random.unit() * (at + 1) as f64) as usize);
        }
        let report = merged(&together(&sent), &plan());
        let whole = shop.whole().report(&plan());
        let finding = of(only(&report), purchase());
        prop_assert!(finding.baseline_count.min(finding.candidate_count) > 100, "{finding:#?}");
        prop_assert!(finding.interval.low.is_finite());
        assert_alike(&json(&report), &json(&whole), "report");
    }
}

#[test]
fn with_a_time_units_count_that_were_exposed_since_anywhere() {
    let shop = Shop::twice(3);
    let since_ns = two_hours_ago_ns();
    let mut snapshots = Snapshots::new();
    for store in shop.replicas(3, &mut Random(5)) {
        snapshots.add(store.store.snapshot_since(since_ns).unwrap());
    }
    let since = plan().since_ns(since_ns);
    let whole = shop.whole();
    let [late, expected, all] =
        [merged(&snapshots, &since), whole.report(&since), whole.report(&plan())]
            .map(|report| of(only(&report), purchase()).clone());
    assert_eq!(late.baseline_count, expected.baseline_count);
    assert_eq!(late.candidate_count, expected.candidate_count);
    assert!((late.baseline.unwrap() - expected.baseline.unwrap()).abs() < 1e-12);
    assert!(late.baseline_count < all.baseline_count);
}

#[test]
fn where_not_all_outcomes_are_held_a_sample_of_the_units_counts() {
    let shop = Shop::new(8, 6_000);
    let mut sent: Vec<_> = shop.replicas(3, &mut Random(9)).iter().map(taken).collect();
    let all = merged(&together(&sent), &plan());
    assert_eq!(all.outcomes_one_of, 1);
    // As if one of them had been told of more than it holds.
    let text = String::from_utf8(sent[1].clone()).unwrap();
    let (before, outcomes) = text.split_once("\"reported\":{\"level\":0").unwrap();
    sent[1] = format!("{before}\"reported\":{{\"level\":1{outcomes}").into_bytes();
    let half = merged(&together(&sent), &plan());
    assert_eq!(half.outcomes_one_of, 2);
    let [all, half] = [&all, &half].map(|report| of(only(report), purchase()).clone());
    let units = |finding: &Finding| (finding.baseline_count + finding.candidate_count) as f64;
    assert!((units(&half) / units(&all) - 0.5).abs() < 0.05, "{half:#?} {all:#?}");
    assert!((half.baseline.unwrap() / all.baseline.unwrap() - 1.0).abs() < 0.2, "{half:#?}");
    // Fewer units, and one more sample to be wrong about.
    let width = |finding: &Finding| finding.interval.high - finding.interval.low;
    assert!(width(&half) > 1.4 * width(&all), "{half:#?} {all:#?}");
}

#[test]
fn where_a_replica_has_removed_outcomes_the_units_count_that_were_exposed_since() {
    let shop = Shop::twice(6);
    let stores = shop.replicas(2, &mut Random(5));
    let find = || {
        let report = merged(&together(&stores.iter().map(taken).collect::<Vec<_>>()), &plan());
        of(only(&report), purchase()).clone()
    };
    let before = find();
    assert!(stores[1].store.prune_outcomes(2 * HOUR, |_| {}).unwrap() > 0);
    let after = find();
    let whole = shop.whole().report(&plan().since_ns(two_hours_ago_ns()));
    let expected = of(only(&whole), purchase());
    assert!(after.baseline_count < before.baseline_count);
    assert_eq!(after.baseline_count, expected.baseline_count);
    assert_eq!(after.candidate_count, expected.candidate_count);
    assert!((after.baseline.unwrap() - expected.baseline.unwrap()).abs() < 1e-12);
}
