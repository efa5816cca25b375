//! What several snapshots come to together.

use super::{
    Arm, Exposed, Snapshot, Snapshots,
    recent::{Began, minute_end_ns},
};
use crate::{
    assign::Reason,
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
    /// Of what chance did not assign.
    pub(crate) aside: BTreeMap<(Key, Reason), Rollup>,
    /// Until when it was seen, and what it was.
    shares: BTreeMap<Key, (u64, f64)>,
    pub(crate) buckets: BTreeMap<(Key, u32), UnitBucket>,
    pub(crate) exposed: BTreeMap<Named, Exposed>,
    pub(crate) losses: Vec<Loss>,
    pub(crate) recent: Vec<Recent>,
}

/// A minute of an arm that may not have ended in one of the snapshots.
#[derive(Debug)]
pub(crate) struct Recent {
    pub(crate) of: Key,
    /// When the snapshot was taken, in ns since the Unix epoch.
    pub(crate) taken_ns: u64,
    /// Where the minute ends, in ns since the Unix epoch.
    pub(crate) end_ns: u64,
    pub(crate) began: Began,
}

impl Totals {
    pub(crate) fn of(snapshots: &Snapshots) -> Self {
        let mut totals = Self::default();
        snapshots.iter().for_each(|snapshot| totals.add(snapshot));
        totals
    }

    fn add(&mut self, snapshot: &Snapshot) {
        for Arm { rollup, share, recent } in &snapshot.arms {
            let named = (rollup.experiment.clone(), rollup.strategy.clone());
            let key = (named, rollup.config_id.clone(), rollup.role, rollup.epoch);
            if let Some(share) = share {
                let found = (rollup.end_ns(), *share);
                let newest = self.shares.entry(key.clone()).or_insert(found);
                if *newest < found {
                    *newest = found;
                }
            }
            self.recent.extend(recent.iter().map(|minute| Recent {
                of: key.clone(),
                taken_ns: snapshot.taken_ns,
                end_ns: minute.end_ns(),
                began: minute.1,
            }));
            match rollup.aside {
                None => add(self.rollups.entry(key), rollup),
                Some(reason) => add(self.aside.entry((key, reason)), rollup),
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

    /// How many units of an experiment met a config first, by epoch, in minutes that are settled: `is_settled` is
    /// asked when a snapshot was taken, and where a minute ends (in ns since the Unix epoch).
    ///
    /// In each snapshot such a minute is complete, so all of them together lack none of any arm. (A unit that
    /// was first seen in one that is not settled elsewhere, and is still under way there, is in another arm
    /// as likely.)
    pub(crate) fn settled(
        &self,
        snapshots: &Snapshots,
        named: &Named,
        since_ns: Option<u64>,
        is_settled: impl Fn(u64, u64) -> bool,
    ) -> BTreeMap<(Option<u64>, ConfigId), u64> {
        let mut settled = self.exposed.get(named).map(Exposed::emptied).unwrap_or_default();
        for snapshot in snapshots.iter() {
            let here = |ms| is_settled(snapshot.taken_ns, minute_end_ns(ms));
            let parts = snapshot.exposures.iter();
            parts
                .filter(|of| (&of.experiment, &of.strategy) == (&named.0, &named.1))
                .for_each(|of| settled.merge_where(&of.exposed, here));
        }
        settled.counts(since_ns)
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

fn add<K: Ord>(to: Entry<'_, K, Rollup>, rollup: &Rollup) {
    match to {
        Entry::Vacant(entry) => {
            entry.insert(rollup.clone());
        }
        Entry::Occupied(mut entry) => entry.get_mut().merge(rollup),
    }
}
