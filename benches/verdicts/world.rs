//! One run of a scenario: its traffic, summed up as a store sums it up.

use crate::{
    random::Random,
    scenario::{Arm, Scenario, Split},
};
use serde_json::json;
use std::collections::HashMap;
use tower_spearmint::{
    ConfigPool,
    assign::Epoch,
    branch::Role,
    report::{Plan, Report, Verdict},
    store::{Rollup, UnitBucket},
};

/// As many units as there are.
const UNITS: f64 = 2_000.0;

pub(crate) struct World<'a> {
    scenario: &'a Scenario,
    random: Random,
    seed: u64,
    done: u64,
    /// By epoch, and in each the two arms.
    epochs: Vec<[Rollup; 2]>,
    /// How many requests of each unit, each in a bucket of its own, went to which arm.
    units: HashMap<u64, UnitBucket>,
    plan: Plan,
}

impl<'a> World<'a> {
    pub(crate) fn new(scenario: &'a Scenario, run: u64) -> Self {
        let epochs = if matches!(scenario.split, Split::Changing(..)) { 2 } else { 1 };
        Self {
            scenario,
            random: Random::new(run + 1),
            seed: run,
            done: 0,
            epochs: (0..epochs).map(|epoch| arms(scenario, epoch)).collect(),
            units: HashMap::new(),
            plan: Plan::new().baseline("stable").metrics(scenario.metrics.iter().cloned()),
        }
    }

    pub(crate) fn go_on_to(&mut self, requests: u64) {
        while self.done < requests {
            self.request();
            self.done += 1;
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let rollups = self.epochs.iter().flatten().filter(|rollup| rollup.requests() > 0).cloned();
        let share = |id: &tower_spearmint::ConfigId, epoch: u64| {
            let second = match self.scenario.split {
                Split::Shadow => return None,
                Split::Requests(share) => share,
                Split::Changing(first, then) => {
                    if epoch == 0 {
                        first
                    } else {
                        then
                    }
                }
                Split::Units => 0.5,
            };
            Some(if id.as_str() == "stable" { 1.0 - second } else { second })
        };
        let reports = Report::of(rollups, self.units.values().cloned(), &self.plan, share);
        // An arm without any branch yet is none.
        let reports = reports.unwrap_or_default();
        let candidate = reports.first().and_then(|report| report.candidates.first());
        candidate.map_or(Verdict::Undecided, |candidate| candidate.verdict)
    }

    fn request(&mut self) {
        let scenario = self.scenario;
        // Up to its worst in the middle, and down again.
        let at = self.done as f64 / scenario.requests as f64;
        let load = 1.0 + (scenario.drift - 1.0) * (1.0 - (2.0 * at - 1.0).abs());
        match scenario.split {
            Split::Shadow => {
                // What a request needs, it needs on both sides.
                let need = self.random.normal() * 0.5;
                let ends = scenario.arms.map(|arm| self.end(arm, load, need));
                let [primary, shadow] = &mut self.epochs[0];
                add(primary, ends[0]);
                add(shadow, ends[1]);
                shadow.primary_duration.add(ends[0].1);
                let pairs = &mut shadow.pairs;
                *match (ends[0].0, ends[1].0) {
                    (false, false) => &mut pairs.both_succeeded,
                    (true, false) => &mut pairs.primary_failed,
                    (false, true) => &mut pairs.other_failed,
                    (true, true) => &mut pairs.both_failed,
                } += 1;
            }
            Split::Requests(share) => self.one_of_both(0, share, load),
            Split::Changing(first, then) => {
                let second = self.done * 2 >= scenario.requests;
                self.one_of_both(usize::from(second), if second { then } else { first }, load);
            }
            Split::Units => {
                let unit = self.random.zipf(UNITS);
                let mut own = Random::new(self.seed << 32 | unit);
                let at = usize::from(own.happens(0.5));
                let (need, luck) = (own.normal(), own.unit() * 2.0);
                let arm = scenario.arms[at];
                let arm = Arm { failing: (arm.failing * luck).min(1.0), ..arm };
                let end = self.end(arm, load, need);
                let rollup = &mut self.epochs[0][at];
                add(rollup, end);
                let bucket = self.units.entry(unit).or_insert_with(|| {
                    rollup.first_exposures += 1;
                    let (id, epoch) = (rollup.config_id.clone(), Epoch::recorded(1, 0));
                    UnitBucket::new("simulated", "round_robin", id, Role::Primary, Some(epoch), 0)
                });
                *if end.0 { &mut bucket.failed } else { &mut bucket.success } += 1;
            }
        }
    }

    fn one_of_both(&mut self, epoch: usize, share: f64, load: f64) {
        let at = usize::from(self.random.happens(share));
        let arm = self.scenario.arms[at];
        let need = self.random.normal();
        let end = self.end(arm, load, need);
        if !self.random.happens(arm.lost) {
            add(&mut self.epochs[epoch][at], end);
        }
    }

    /// Whether it failed, and how long it took, in ns.
    fn end(&mut self, arm: Arm, load: f64, need: f64) -> (bool, u64) {
        let failed = self.random.happens((arm.failing * load).min(1.0));
        let scattered = (need + self.random.normal()) / std::f64::consts::SQRT_2;
        (failed, (arm.ms * 1e6 * load * (scattered * self.scenario.spread).exp()) as u64)
    }
}

fn add(rollup: &mut Rollup, (failed, ns): (bool, u64)) {
    *if failed { &mut rollup.failed } else { &mut rollup.success } += 1;
    rollup.duration.add(ns);
}

fn arms(scenario: &Scenario, epoch: u64) -> [Rollup; 2] {
    let pool =
        ConfigPool::from_values(["stable", "candidate"].map(|id| json!({ "config_id": id })))
            .expect("two configs");
    std::array::from_fn(|at| {
        let shadow = matches!(scenario.split, Split::Shadow);
        let role = if shadow && at == 1 { Role::Shadow } else { Role::Primary };
        let strategy = if shadow { "shadow" } else { "round_robin" };
        let mut rollup =
            Rollup::new("simulated", strategy, pool[at].id().clone(), role, epoch * 60_000_000_000);
        rollup.epoch = Some(epoch);
        rollup
    })
}
