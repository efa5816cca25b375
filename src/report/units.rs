//! The requests of units in an epoch, and what is told from units that is not from their requests.

use super::{
    arms::{Arm, InEpoch},
    unit_times::Times,
};
use crate::{
    stats::sequential::clusters::{Cluster, Clusters},
    store::UnitBucket,
};
use std::collections::BTreeMap;

/// What the units in each bucket come to.
#[derive(Debug, Clone, Default)]
pub(super) struct Units {
    /// (Failed, ended by themselves), by bucket.
    buckets: BTreeMap<u32, (u64, u64)>,
    times: BTreeMap<u32, Times>,
}

impl Units {
    pub(super) fn add(&mut self, bucket: &UnitBucket) {
        let (failed, ended) = self.buckets.entry(bucket.bucket).or_default();
        *failed += bucket.failed;
        *ended += bucket.success + bucket.failed;
        let times = self.times.entry(bucket.bucket).or_default();
        times.add(&bucket.latencies, bucket.timed_out);
    }

    pub(super) fn times(&self) -> impl Iterator<Item = &Times> + Clone {
        self.times.values()
    }

    /// So many requests tell no more than one: Kish's design effect (*Survey Sampling*, 1965, section 8.2) where
    /// those of a unit are taken to be all alike, which is the worst there can be. 1 if they are
    /// independent.
    pub(super) fn design_effect(&self) -> f64 {
        let sizes = || self.buckets.values().map(|(_, ended)| *ended as f64);
        let (requests, squares): (f64, f64) =
            (sizes().sum(), sizes().map(|size| size * size).sum());
        if requests > 0.0 { (squares / requests).max(1.0) } else { 1.0 }
    }

    fn ended(&self) -> u64 {
        self.buckets.values().map(|(_, ended)| ended).sum()
    }
}

/// The failures of both arms by unit; `None` where it is not known of all requests which unit's they are (some have
/// none, or only some of the minutes were read).
pub(super) fn failures(baseline: &Arm, candidate: &Arm) -> Option<Clusters> {
    let both = baseline.epochs.iter().filter_map(|(epoch, one)| {
        let other = candidate.epochs.get(epoch)?;
        (ended(one) > 0 && ended(other) > 0).then_some([one, other])
    });
    let both: Vec<_> = both.collect();
    if !both.iter().flatten().all(|arm| arm.units.ended() == ended(arm)) {
        return None;
    }
    let mut clusters = Vec::new();
    for (epoch, [one, other]) in both.iter().enumerate() {
        let at = |bucket: &u32| Cluster { bucket: *bucket, epoch, ..Cluster::default() };
        let first = &one.units.buckets;
        let second = &other.units.buckets;
        clusters.extend(first.iter().map(|(bucket, own)| Cluster { first: *own, ..at(bucket) }));
        clusters.extend(second.iter().map(|(bucket, own)| Cluster { second: *own, ..at(bucket) }));
    }
    Clusters::of(&clusters)
}

fn ended(arm: &InEpoch) -> u64 {
    arm.whole.failed + arm.whole.success
}
