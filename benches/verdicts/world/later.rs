//! What units do later.

use super::{arms, said::NAME};
use crate::{
    random::Random,
    scenario::{Law, Numbers, Scenario},
};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};
use tower_spearmint::store::OutcomeSum;

/// The outcomes of a run, those that are there and those to come.
pub(super) struct Later {
    run: u64,
    requests: u64,
    /// How many have one in each arm, and what it is worth; `None` if nobody does anything later.
    law: Option<([f64; 2], Law)>,
    /// After how many requests, of which unit; and by these, what it is worth.
    coming: BinaryHeap<Reverse<(u64, u64)>>,
    worth: HashMap<(u64, u64), f64>,
    /// What the units that were exposed have so far, by unit and epoch, with the arm.
    totals: HashMap<(u64, usize), (usize, f64)>,
    /// By epoch and arm.
    sums: Vec<[OutcomeSum; 2]>,
}

impl Later {
    pub(super) fn new(scenario: &Scenario, run: u64) -> Self {
        let law = match scenario.numbers {
            Numbers::OfUnits(having, law) => {
                Some((scenario.arms.map(|arm| having * arm.more), law))
            }
            _ => None,
        };
        let none = |epoch| {
            let [one, other, _] = arms(scenario, epoch);
            [one, other].map(|arm| {
                let hour_ns = arm.start_ns;
                OutcomeSum::new(
                    arm.experiment,
                    arm.strategy,
                    arm.config_id,
                    arm.epoch,
                    NAME,
                    hour_ns,
                )
            })
        };
        Self {
            run,
            requests: scenario.requests,
            law,
            coming: BinaryHeap::new(),
            worth: HashMap::new(),
            totals: HashMap::new(),
            sums: (0..2).map(none).collect(),
        }
    }

    /// A unit is answered for the first time in an epoch: it may do something, and some do so more often than
    /// others, and more.
    pub(super) fn expose(&mut self, unit: u64, arm: usize, epoch: usize, done: u64) {
        let Some((having, law)) = self.law else { return };
        self.totals.insert((unit, epoch), (arm, 0.0));
        let mut own = Random::new(!(self.run << 32 | unit));
        let (often, need) = (2.0 * own.unit(), own.normal());
        let mut this = Random::new(own.next_seed() ^ epoch as u64);
        if this.happens((having[arm] * often).min(1.0)) {
            // Half of them within an eighth of the time that all takes.
            let after = 1 + (this.unit().powi(3) * self.requests as f64) as u64;
            let need = (need + this.normal()) / std::f64::consts::SQRT_2;
            self.coming.push(Reverse((done + after, unit)));
            *self.worth.entry((done + after, unit)).or_default() += law.draw(need, &mut this);
        }
    }

    /// What comes before the next request counts wherever its unit was exposed.
    pub(super) fn come(&mut self, done: u64) {
        while let Some(Reverse(next)) = self.coming.peek().filter(|next| next.0.0 <= done).copied()
        {
            self.coming.pop();
            let Some(worth) = self.worth.remove(&next) else { continue };
            for (epoch, sums) in self.sums.iter_mut().enumerate() {
                let Some((arm, total)) = self.totals.get_mut(&(next.1, epoch)) else { continue };
                let sum = &mut sums[*arm];
                let more = *total + worth;
                sum.units += u64::from(*total == 0.0);
                sum.total += worth;
                sum.squares += more * more - *total * *total;
                *total = more;
            }
        }
    }

    /// Those of arms whose units have any.
    pub(super) fn sums(&self) -> impl Iterator<Item = OutcomeSum> {
        self.sums.iter().flatten().filter(|sum| sum.units > 0).cloned()
    }
}
