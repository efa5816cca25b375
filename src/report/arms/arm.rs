//! One arm: what the branches of one config come to, epoch by epoch.

use crate::{
    assign::Reason,
    branch::Role,
    config::ConfigId,
    report::{SetAside, completions::Clusters, outcome::Followed, settled::Tally, units::Units},
    store::{Rollup, UnitBucket, UnitSums},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The branches of one config in one role, summed up.
#[derive(Debug, Clone)]
pub(in crate::report) struct Arm {
    pub(in crate::report) config_id: ConfigId,
    pub(in crate::report) role: Role,
    /// All epochs together.
    pub(in crate::report) whole: Rollup,
    /// By the fingerprint of the weights and rules.
    pub(in crate::report) epochs: BTreeMap<Option<u64>, InEpoch>,
    /// Requests that are in none of this: chance did not assign them.
    pub(in crate::report) aside: BTreeMap<Reason, u64>,
    /// The place among the arms of its experiment, in the order in which they were read.
    pub(super) place: usize,
}

/// What is told apart by epoch: its share of the requests was another one in each.
#[derive(Debug, Clone)]
pub(in crate::report) struct InEpoch {
    pub(in crate::report) whole: Rollup,
    /// Where its last minute ends, in ns since the Unix epoch.
    pub(in crate::report) until_ns: u64,
    /// What of it is of minutes whose requests may still be under way.
    pub(in crate::report) unsettled: Tally,
    /// The part of it that is known to be of units.
    pub(in crate::report) units: Units,
    /// What its units did later.
    pub(in crate::report) followed: Followed,
    /// What was said of the branches of units, by name and bucket.
    pub(in crate::report) metric_units: BTreeMap<Arc<str>, BTreeMap<u32, UnitSums>>,
    /// Those without an end of their own, by unit.
    pub(in crate::report) clusters: Clusters,
}

impl InEpoch {
    fn new(rollup: &Rollup) -> Self {
        Self {
            whole: rollup.clone(),
            until_ns: rollup.end_ns(),
            unsettled: Tally::default(),
            units: Units::default(),
            followed: Followed::default(),
            metric_units: BTreeMap::new(),
            clusters: Clusters::default(),
        }
    }

    fn add(&mut self, rollup: &Rollup) {
        self.whole.merge(rollup);
        self.until_ns = self.until_ns.max(rollup.end_ns());
    }

    pub(super) fn add_bucket(&mut self, bucket: &UnitBucket) {
        self.clusters.add(bucket);
        self.units.add(bucket);
        for (name, sums) in &bucket.metrics {
            let of = self.metric_units.entry(name.clone()).or_default();
            of.entry(bucket.bucket).or_default().merge(sums);
        }
    }

    /// What of it is of minutes that are settled.
    pub(in crate::report) fn settled(&self) -> Tally {
        Tally::of(&self.whole) - self.unsettled
    }

    /// How many values of a metric stand in buckets of units.
    pub(in crate::report) fn metric_count(&self, name: &str) -> u64 {
        let sums = self.metric_units.get(name).into_iter().flat_map(BTreeMap::values);
        sums.map(|sums| sums.count).sum()
    }

    /// So many requests tell no more than one.
    pub(in crate::report) fn design_effect(&self) -> f64 {
        self.units.design_effect()
    }
}

impl Arm {
    /// Without any branches.
    pub(super) fn empty(rollup: &Rollup, place: usize) -> Self {
        let Rollup { experiment, strategy, config_id, role, start_ns, .. } = rollup;
        let (experiment, strategy) = (experiment.clone(), strategy.clone());
        Self {
            config_id: config_id.clone(),
            role: *role,
            epochs: BTreeMap::new(),
            whole: Rollup::new(experiment, strategy, config_id.clone(), *role, *start_ns),
            aside: BTreeMap::new(),
            place,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }

    pub(super) fn set_aside(&self) -> impl Iterator<Item = SetAside> {
        self.aside.iter().map(|(reason, requests)| SetAside {
            reason: *reason,
            config_id: self.config_id.clone(),
            requests: *requests,
        })
    }

    pub(super) fn add(&mut self, rollup: &Rollup) {
        if self.is_empty() {
            self.whole = rollup.clone();
        } else {
            self.whole.merge(rollup);
        }
        match self.epochs.get_mut(&rollup.epoch) {
            Some(epoch) => epoch.add(rollup),
            None => {
                self.epochs.insert(rollup.epoch, InEpoch::new(rollup));
            }
        }
    }

    /// What of it is of minutes that are settled.
    pub(in crate::report) fn settled(&self) -> Tally {
        self.epochs.values().fold(Tally::default(), |sum, epoch| sum + epoch.settled())
    }

    /// Forgets what is of other epochs. Nothing is left of an arm that has none of these.
    pub(super) fn keep_epochs(&mut self, epochs: &BTreeSet<Option<u64>>) {
        let before = self.epochs.len();
        self.epochs.retain(|epoch, _| epochs.contains(epoch));
        if self.epochs.len() == before {
            return;
        }
        let mut kept = self.epochs.values().map(|epoch| &epoch.whole);
        if let Some(first) = kept.next() {
            self.whole = first.clone();
            kept.for_each(|epoch| self.whole.merge(epoch));
        }
    }
}
