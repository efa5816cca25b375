//! Units that stay with their arm.

use super::said;
use crate::{
    random::Random,
    scenario::{Arm, Luck, Traffic},
};
use std::collections::{HashMap, HashSet};
use tower_spearmint::{
    assign::Epoch,
    branch::Role,
    store::{Rollup, UnitBucket},
};

/// As many units as there are.
pub(super) const COUNT: f64 = 2_000.0;
const MANY: f64 = 10.0 * COUNT;

/// So many requests has a unit that passes by.
const EACH: u64 = 3;

/// As many buckets as the store has.
const BUCKETS: u64 = 4_096;

/// Whose the next request is.
pub(super) fn next(traffic: Traffic, done: u64, requests: u64, random: &mut Random) -> u64 {
    match traffic {
        Traffic::Uniform => (random.unit() * COUNT) as u64,
        Traffic::Zipf => random.zipf(COUNT),
        Traffic::Many => (random.unit() * MANY) as u64,
        Traffic::Passing => done / EACH,
        Traffic::Returning => done % (requests / 2) / EACH,
    }
}

/// The units of a run, and what their requests come to.
pub(super) struct Units {
    run: u64,
    /// By bucket, arm and epoch.
    buckets: HashMap<(u32, usize, usize), UnitBucket>,
    /// Which were answered in which epoch.
    seen: HashSet<(u64, usize)>,
}

impl Units {
    pub(super) fn new(run: u64) -> Self {
        Self { run, buckets: HashMap::new(), seen: HashSet::new() }
    }

    /// The arm of a unit where the second has this share, how long its requests take, and how often they fail
    /// where all together fail `more` times as often as they do at first.
    pub(super) fn of(
        &self,
        unit: u64,
        share: f64,
        luck: Luck,
        arms: &[Arm; 2],
        more: f64,
    ) -> (usize, f64, f64) {
        let mut own = Random::new(self.run << 32 | unit);
        let at = usize::from(own.happens(share));
        let (need, luck_of_it) = (own.normal(), own.unit());
        let failing = (arms[at].failing * more).min(1.0);
        let failing = match luck {
            Luck::Own => (failing * 2.0 * luck_of_it).min(1.0),
            Luck::AllOrNothing => f64::from(u8::from(luck_of_it < failing)),
        };
        (at, need, failing)
    }

    /// Adds a request; is it the first of its unit in this epoch?
    pub(super) fn add(
        &mut self,
        rollup: &mut Rollup,
        unit: u64,
        arm: usize,
        epoch: usize,
        (failed, ns): (bool, u64),
        number: Option<f64>,
    ) -> bool {
        let first = self.seen.insert((unit, epoch));
        rollup.first_exposures += u64::from(first);
        let bucket = (unit.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % BUCKETS;
        let key = (bucket as u32, arm, epoch);
        let bucket = self.buckets.entry(key).or_insert_with(|| {
            let epoch = Epoch::recorded(1, epoch as u64);
            let id = rollup.config_id.clone();
            UnitBucket::new("simulated", "round_robin", id, Role::Primary, Some(epoch), key.0)
        });
        *if failed { &mut bucket.failed } else { &mut bucket.success } += 1;
        bucket.latencies.add(ns);
        if let Some(number) = number {
            said::of(&mut bucket.metrics).add(number);
        }
        first
    }

    pub(super) fn buckets(&self) -> impl Iterator<Item = UnitBucket> {
        self.buckets.values().cloned()
    }
}
