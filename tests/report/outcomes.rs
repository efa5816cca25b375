//! What units do later decides, by unit.

use super::support::{Random, STEADY, Store, Traffic, of, only, shadowed, templates};
use tower_spearmint::{
    Branch,
    assign::Epoch,
    branch::{BranchId, Role},
    report::{Measure, Metric, Plan, Report, Standing, Verdict},
    store::{Outcome, OutcomeUnit, RollupFilter},
};

/// Units that come, one after the other, each with three requests, and buy with a probability that depends on the
/// config.
pub(crate) struct Shop {
    templates: Vec<Branch>,
    traffic: Traffic,
    chance: Random,
    outcomes: Vec<Outcome>,
    units: u64,
}

impl Shop {
    pub(crate) fn new(seed: u64, units: u64) -> Self {
        Self {
            templates: templates("ranker", &["stable", "candidate"]),
            traffic: Traffic::new(seed, units * 3),
            chance: Random(seed + 1_000),
            outcomes: Vec::new(),
            units: 0,
        }
    }

    /// So many more: the candidate gets this share of them, and they buy so often.
    pub(crate) fn come(&mut self, units: u64, share: f64, buying: [f64; 2], epoch: u64) {
        for _ in 0..units {
            let key = format!("user-{}", self.units);
            let arm = usize::from(self.chance.unit() < share);
            let OutcomeUnit::Hash(hash) = OutcomeUnit::hashed("ranker", &key) else { panic!() };
            for _ in 0..3 {
                self.traffic.add(&self.templates[arm], Role::Primary, STEADY, None);
                let branch = self.traffic.branches.last_mut().unwrap();
                branch.unit = Some(hash);
                branch.probability = [1.0 - share, share][arm];
                branch.epoch = Epoch::recorded(epoch, epoch);
            }
            let last = self.traffic.branches.last().unwrap();
            if self.chance.unit() < buying[arm] {
                let id = format!("order-{}", self.units);
                let at = last.end_ns / 1_000_000;
                let worth = self.chance.unit() * 20.0;
                self.outcomes.push(Outcome::new(&*id, &*key, "purchase").at_ms(at));
                let revenue = Outcome::new(id + "/worth", key, "revenue").value(worth);
                self.outcomes.push(revenue.at_ms(at));
            }
            self.units += 1;
        }
    }

    /// All of it so far was three hours earlier.
    fn was_earlier(&mut self) {
        earlier(&mut self.traffic.branches, &mut self.outcomes, 3 * 3_600_000);
    }

    pub(crate) fn store(&self) -> Store {
        let store = Store::with(&self.traffic.branches);
        store.store.record_outcomes(&self.outcomes).unwrap();
        assert!(store.store.check(|_| {}).unwrap().is_whole());
        store
    }
}

/// All of it was so many ms earlier.
pub(crate) fn earlier(branches: &mut [Branch], outcomes: &mut [Outcome], ms: u64) {
    for branch in branches {
        let mut bytes = *branch.id.as_bytes();
        let at_ms = branch.start_ns / 1_000_000 - ms;
        bytes[..6].copy_from_slice(&at_ms.to_be_bytes()[2..]);
        branch.id = BranchId::from_bytes(bytes);
        branch.request_id = branch.id;
        branch.start_ns -= ms * 1_000_000;
        branch.end_ns -= ms * 1_000_000;
    }
    for outcome in outcomes {
        outcome.at_ms = outcome.at_ms.map(|at| at - ms);
    }
}

fn purchase() -> Measure {
    Measure::named("purchase")
}

pub(crate) fn plan() -> Plan {
    Plan::new().baseline("stable").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.05),
        Metric::success(purchase(), 0.01).increasing(),
    ])
}

#[test]
fn a_candidate_whose_units_buy_more_is_shipped() {
    let mut shop = Shop::new(3, 4_000);
    shop.come(4_000, 0.5, [0.2, 0.3], 1);
    let report = shop.store().report(&plan());
    let candidate = only(&report);
    assert_eq!(candidate.verdict, Verdict::Ship, "{candidate:#?}");
    assert!(
        candidate.because.starts_with("purchase: 0.299 after 0.203, +"),
        "{}",
        candidate.because
    );
    let finding = of(candidate, purchase());
    assert!(finding.by_unit && finding.interval.contains(0.5), "{finding:#?}");
    // Every unit counts once, with a purchase or without.
    assert_eq!(finding.baseline_count + finding.candidate_count, 4_000);
    let bought = finding.baseline.unwrap() * finding.baseline_count as f64
        + finding.candidate.unwrap() * finding.candidate_count as f64;
    assert!((bought - (shop.outcomes.len() / 2) as f64).abs() < 1e-6);
}

#[test]
fn a_candidate_whose_units_buy_less_is_not() {
    let mut shop = Shop::new(4, 4_000);
    shop.come(4_000, 0.5, [0.3, 0.2], 1);
    let store = shop.store();
    let report = store.report(&plan());
    assert_eq!(only(&report).verdict, Verdict::Keep, "{report:#?}");
    assert!(only(&report).because.ends_with(": worse"), "{}", only(&report).because);
    // As a guardrail on what they spend, too.
    let revenue = Metric::guardrail(Measure::named("revenue"), 0.05).increasing();
    let report = store.report(&Plan::new().baseline("stable").metrics([revenue]));
    assert_eq!(only(&report).verdict, Verdict::Keep);
    assert_eq!(of(only(&report), Measure::named("revenue")).standing, Standing::Worse);
}

#[test]
fn where_nothing_differs_nothing_is_said_however_often_one_looks() {
    for seed in 20..26 {
        let mut shop = Shop::new(seed, 1_500);
        let store = Store::with(&[]);
        for _ in 0..10 {
            shop.come(150, 0.5, [0.05; 2], 1);
            store.add(&std::mem::take(&mut shop.traffic.branches));
            store.store.record_outcomes(&std::mem::take(&mut shop.outcomes)).unwrap();
            let report = store.report(&plan());
            let candidate = only(&report);
            assert_eq!(candidate.verdict, Verdict::Undecided, "{candidate:#?}");
        }
    }
}

#[test]
fn a_few_purchases_are_no_reason() {
    let mut shop = Shop::new(5, 180);
    shop.come(180, 0.5, [0.02, 0.5], 1);
    let report = shop.store().report(&plan());
    let finding = of(only(&report), purchase());
    assert!(finding.baseline_count.min(finding.candidate_count) < 100, "{finding:#?}");
    assert!(finding.candidate > finding.baseline, "{finding:#?}");
    assert_eq!(finding.standing, Standing::Open);
    assert_eq!(only(&report).verdict, Verdict::Undecided);
    // None at all on one side, of many.
    let mut shop = Shop::new(5, 600);
    shop.come(600, 0.5, [0.0, 0.1], 1);
    let report = shop.store().report(&plan());
    assert_eq!(of(only(&report), purchase()).standing, Standing::Open);
}

#[test]
fn what_it_waits_for_is_counted_in_units() {
    let mut shop = Shop::new(6, 2_000);
    shop.come(2_000, 0.5, [0.3, 0.32], 1);
    let report = shop.store().report(&plan());
    let because = &only(&report).because;
    assert!(because.starts_with("purchase is open: about "), "{because}");
    assert!(because.ends_with(" more units of the candidate at this rate"), "{because}");
}

#[test]
fn a_split_that_changes_while_people_buy_less_is_not_taken_for_an_effect() {
    let mut shop = Shop::new(7, 6_000);
    shop.come(3_000, 0.1, [0.4; 2], 1);
    shop.come(3_000, 0.9, [0.05; 2], 2);
    let report = shop.store().report(&plan());
    let finding = of(only(&report), purchase());
    assert!(finding.interval.contains(0.0), "{finding:#?}");
    assert!(finding.difference.unwrap().abs() < 0.3, "{finding:#?}");
    assert_eq!(only(&report).verdict, Verdict::Undecided);
}

#[test]
fn since_a_time_the_units_count_that_were_exposed_since() {
    let mut shop = Shop::new(8, 4_000);
    shop.come(2_000, 0.5, [0.0; 2], 1);
    shop.was_earlier();
    let until = shop.traffic.branches.last().unwrap().start_ns;
    shop.come(2_000, 0.5, [0.2, 0.3], 1);
    let store = shop.store();
    let whole = store.report(&plan());
    // (Units are told apart by the hour.)
    let late = store.report(&plan().since_ns(until));
    let [whole, late] = [&whole, &late].map(|report| of(only(report), purchase()).clone());
    assert_eq!(whole.baseline_count + whole.candidate_count, 4_000);
    assert_eq!(late.baseline_count + late.candidate_count, 2_000);
    assert!((late.baseline.unwrap() - 0.2).abs() < 0.03, "{late:#?}");
    assert!((whole.baseline.unwrap() - 0.1).abs() < 0.02, "{whole:#?}");
}

#[test]
fn a_shadow_that_nobody_sees_has_no_outcomes() {
    let metrics = [Metric::success(purchase(), 0.01).increasing()];
    let report = shadowed(200, STEADY, STEADY).report(&Plan::new().metrics(metrics));
    let finding = of(only(&report), purchase());
    assert_eq!((finding.baseline, finding.candidate), (None, None));
    assert_eq!(
        only(&report).because,
        "purchase was never measured: nobody said it of any branch or unit"
    );
}

#[test]
fn a_report_of_roll_ups_alone_knows_no_outcomes() {
    let mut shop = Shop::new(9, 300);
    shop.come(300, 0.5, [0.5; 2], 1);
    let store = shop.store();
    let rollups = store.store.rollups(&RollupFilter::new()).unwrap();
    let reports = Report::of(rollups.map(Result::unwrap), [], &plan(), |_, _| Some(0.5)).unwrap();
    assert_eq!(of(only(&reports[0]), purchase()).baseline, None);
}

#[test]
fn a_report_of_roll_ups_and_sums_of_outcomes_is_that_of_their_store() {
    let mut shop = Shop::new(9, 300);
    shop.come(300, 0.5, [0.5; 2], 1);
    let store = shop.store();
    let filter = RollupFilter::new();
    let rollups = store.store.rollups(&filter).unwrap().map(Result::unwrap);
    let sums = store.store.outcome_sums(&filter).unwrap();
    let reports = Report::with_outcomes(rollups, [], sums, &plan(), |_, _| Some(0.5)).unwrap();
    let (found, read) = (of(only(&reports[0]), purchase()), store.report(&plan()));
    assert_eq!(found.sentence, of(only(&read), purchase()).sentence);
    assert!(found.interval.width().is_finite());
}
