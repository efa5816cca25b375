//! One run of a scenario: its traffic, summed up as a store sums it up.

mod later;
mod said;
mod shadow;
mod units;

use crate::{
    random::Random,
    scenario::{Arm, Numbers, Scenario, Split, Times},
};
use later::Later;
use serde_json::json;
use tower_spearmint::{
    ConfigPool,
    branch::Role,
    report::{Candidate, Plan, Report},
    store::Rollup,
};
use units::Units;

pub(crate) struct World<'a> {
    scenario: &'a Scenario,
    random: Random,
    done: u64,
    /// By epoch, and in each the two arms; of a shadow's the control as well.
    epochs: Vec<[Rollup; 3]>,
    units: Units,
    later: Later,
    plan: Plan,
}

impl<'a> World<'a> {
    pub(crate) fn new(scenario: &'a Scenario, run: u64) -> Self {
        Self {
            scenario,
            random: Random::new(run + 1),
            done: 0,
            epochs: (0..2).map(|epoch| arms(scenario, epoch)).collect(),
            units: Units::new(run),
            later: Later::new(scenario, run),
            plan: Plan::new()
                .baseline("stable")
                .metrics(scenario.metrics.iter().cloned().chain(said::metric(scenario))),
        }
    }

    pub(crate) fn go_on_to(&mut self, requests: u64) {
        while self.done < requests {
            self.later.come(self.done);
            self.request();
            self.done += 1;
        }
    }

    /// What a report says now; `None` before both arms have a branch.
    pub(crate) fn look(&self) -> Option<Candidate> {
        let rollups = self.epochs.iter().flatten().filter(|rollup| rollup.requests() > 0).cloned();
        let share = |id: &tower_spearmint::ConfigId, epoch: u64| {
            let (Split::Requests(first, then) | Split::Units(.., first, then)) =
                self.scenario.split
            else {
                return None;
            };
            let second = if epoch == 0 { first } else { then };
            Some(if id.as_str() == "stable" { 1.0 - second } else { second })
        };
        // (Of outcomes, buckets tell nothing.)
        let buckets = matches!(self.scenario.numbers, Numbers::Nothing | Numbers::OfRequests(_))
            .then(|| self.units.buckets());
        let reports = Report::with_outcomes(
            rollups,
            buckets.into_iter().flatten(),
            self.later.sums(),
            &self.plan,
            share,
        );
        reports.unwrap_or_default().into_iter().next()?.candidates.into_iter().next()
    }

    /// (Failures, requests) of each arm, all epochs together.
    pub(crate) fn errors(&self) -> [(u64, u64); 2] {
        [0, 1].map(|arm| {
            self.epochs.iter().fold((0, 0), |(failed, all), epoch| {
                let Rollup { failed: more, success, .. } = epoch[arm];
                (failed + more, all + more + success)
            })
        })
    }

    fn request(&mut self) {
        let scenario = self.scenario;
        // Up to its worst in the middle, and down again.
        let at = self.done as f64 / scenario.requests as f64;
        let worst = 1.0 - (2.0 * at - 1.0).abs();
        let by = |factor: f64| 1.0 + (factor - 1.0) * worst;
        let load = Load { slower: by(scenario.load), failing: by(scenario.load * scenario.outage) };
        let later = self.done * 2 >= scenario.requests;
        match scenario.split {
            Split::Shadow => self.shadowed(load, false),
            Split::ShadowAndControl => self.shadowed(load, true),
            Split::Requests(first, then) => {
                let (share, epoch) = epoch(first, then, later);
                let at = usize::from(self.random.happens(share));
                let arm = scenario.arms[at];
                let need = self.random.normal();
                let end = self.end(arm, load, need);
                let number = self.number(arm, load, need);
                if !self.random.happens(arm.lost) {
                    let rollup = &mut self.epochs[epoch][at];
                    add(rollup, end);
                    said::add(rollup, number);
                }
            }
            Split::Units(traffic, luck, first, then) => {
                let (share, epoch) = epoch(first, then, later);
                let unit = units::next(traffic, self.done, scenario.requests, &mut self.random);
                let (at, need, failing) =
                    self.units.of(unit, share, luck, &scenario.arms, load.failing);
                let arm = scenario.arms[at];
                let end = self.end(Arm { failing, ..arm }, Load { failing: 1.0, ..load }, need);
                let number = self.number(arm, load, need);
                let rollup = &mut self.epochs[epoch][at];
                add(rollup, end);
                said::add(rollup, number);
                if self.units.add(rollup, unit, at, epoch, end, number) {
                    self.later.expose(unit, at, epoch, self.done);
                }
            }
        }
    }

    /// Whether it failed, and how long it took, in ns.
    fn end(&mut self, arm: Arm, load: Load, need: f64) -> (bool, u64) {
        let failed = self.random.happens((arm.failing * load.failing).min(1.0));
        let scattered = (need + self.random.normal()) / std::f64::consts::SQRT_2;
        let times = match self.scenario.times {
            Times::LogNormal(spread) => (scattered * spread).exp(),
            Times::Pareto(exponent) => (1.0 - self.random.unit()).powf(-exponent.recip()),
        };
        (failed, (arm.ms * 1e6 * load.slower * times) as u64)
    }
}

#[derive(Clone, Copy)]
struct Load {
    slower: f64,
    failing: f64,
}

/// The share of the second arm, and which epoch it is: another one where the share is.
fn epoch(first: f64, then: f64, later: bool) -> (f64, usize) {
    if later && first != then { (then, 1) } else { (first, 0) }
}

fn add(rollup: &mut Rollup, (failed, ns): (bool, u64)) {
    *if failed { &mut rollup.failed } else { &mut rollup.success } += 1;
    rollup.duration.add(ns);
}

fn arms(scenario: &Scenario, epoch: u64) -> [Rollup; 3] {
    let pool =
        ConfigPool::from_values(["stable", "candidate"].map(|id| json!({ "config_id": id })))
            .expect("two configs");
    let beside = matches!(scenario.split, Split::Shadow | Split::ShadowAndControl);
    let (strategy, second) =
        if beside { ("shadow", Role::Shadow) } else { ("round_robin", Role::Primary) };
    [(0, Role::Primary), (1, second), (0, Role::Control)].map(|(config, role)| {
        let id = pool[config].id().clone();
        let mut rollup = Rollup::new("simulated", strategy, id, role, epoch * 60_000_000_000);
        rollup.epoch = Some(epoch);
        rollup
    })
}
