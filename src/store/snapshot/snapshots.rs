//! The newest snapshots of several replicas.

use super::{Arm, ReplicaId, Snapshot};
use std::collections::{BTreeMap, btree_map::Entry};

/// The newest snapshot of each replica.
///
/// Adding is idempotent, and in any order comes to the same; so is [merging](Self::merge) two of these. It may
/// be sent again, late or twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshots(BTreeMap<ReplicaId, Snapshot>);

impl Snapshots {
    /// Of no replica.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, unless there is one of the same replica that is as new. Says whether it was added.
    pub fn add(&mut self, snapshot: Snapshot) -> bool {
        match self.0.entry(snapshot.replica) {
            Entry::Vacant(entry) => {
                entry.insert(snapshot);
                true
            }
            Entry::Occupied(mut entry) if entry.get().sequence < snapshot.sequence => {
                entry.insert(snapshot);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: Self) {
        other.0.into_values().for_each(|snapshot| {
            self.add(snapshot);
        });
    }

    /// Of how many replicas there is one.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By replica.
    pub fn iter(&self) -> impl Iterator<Item = &Snapshot> {
        self.0.values()
    }
}

#[cfg(feature = "report")]
pub(crate) use totals::Totals;

#[cfg(feature = "report")]
mod totals {
    use super::*;
    use crate::{
        branch::Role,
        config::ConfigId,
        record::Loss,
        store::{Rollup, UnitBucket, snapshot::Exposed},
    };
    use std::sync::Arc;

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
            let mut found =
                self.shares.iter().filter(|(((name, _), config, of, fingerprint), _)| {
                    **name == *experiment
                        && config == config_id
                        && *of == role
                        && *fingerprint == Some(epoch)
                });
            found.next().map(|(_, (_, share))| *share)
        }
    }
}
