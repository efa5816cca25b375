//! What several snapshots come to together.

use super::{Arm, Exposed, Snapshot, Snapshots};
use crate::{
    branch::Role,
    config::ConfigId,
    record::Loss,
    store::{Rollup, UnitBucket},
};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

/// Experiment and strategy.
type Named = (Arc<str>, Arc<str>);
type Key = (Named, ConfigId, Role, Option<u64>);

/// What all replicas come to together.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) rollups: BTreeMap<Key, Rollup>,
    /// Until when it was seen, and what it was.
    shares: BTreeMap<Key, (u64, f64)>,
    pub(crate) buckets: BTreeMap<(Key, u32), UnitBucket>,
    pub(crate) exposed: BTreeMap<Named, Exposed>,
    pub(crate) losses: Vec<Loss>,
}

impl Totals {
    pub(crate) fn of(snapshots: &Snapshots) -> Self {
        let mut totals = Self::default();
        snapshots.iter().for_each(|snapshot| totals.add(snapshot));
        totals
    }

    fn add(&mut self, snapshot: &Snapshot) {
        for Arm { rollup, share } in &snapshot.arms {
            let named = (rollup.experiment.clone(), rollup.strategy.clone());
            let key = (named, rollup.config_id.clone(), rollup.role, rollup.epoch);
            if let Some(share) = share {
                let found = (rollup.end_ns(), *share);
                let newest = self.shares.entry(key.clone()).or_insert(found);
                if *newest < found {
                    *newest = found;
                }
            }
            match self.rollups.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(rollup.clone());
                }
                Entry::Occupied(mut entry) => entry.get_mut().merge(rollup),
            }
        }
        for bucket in &snapshot.unit_buckets {
            let named = (bucket.experiment.clone(), bucket.strategy.clone());
            let epoch = bucket.epoch.map(|epoch| epoch.fingerprint());
            let key = (named, bucket.config_id.clone(), bucket.role, epoch);
            match self.buckets.entry((key, bucket.bucket)) {
                Entry::Vacant(entry) => {
                    entry.insert(bucket.clone());
                }
                Entry::Occupied(mut entry) => entry.get_mut().merge(bucket),
            }
        }
        for of in &snapshot.exposures {
            let named = (of.experiment.clone(), of.strategy.clone());
            self.exposed.entry(named).or_default().merge(&of.exposed);
        }
        self.losses.extend(snapshot.losses.iter().cloned());
    }

    /// The probability with which a config was chosen, as the last branch recorded it.
    pub(crate) fn share(
        &self,
        experiment: &str,
        config_id: &ConfigId,
        role: Role,
        epoch: u64,
    ) -> Option<f64> {
        let mut found = self.shares.iter().filter(|(((name, _), config, of, fingerprint), _)| {
            **name == *experiment
                && config == config_id
                && *of == role
                && *fingerprint == Some(epoch)
        });
        found.next().map(|(_, (_, share))| *share)
    }
}
