//! A snapshot as JSON.

use super::{
    Arm, Exposures, ReplicaId, Snapshot, SnapshotError,
    exposed::Rows,
    plans::KeptPlan,
    recent::{Began, RecentMinute},
    reported,
};
use crate::{
    record::Loss,
    store::{Rollup, UnitBucket},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// 2 tells apart the last minutes, and has plans and outcomes.
const VERSION: u64 = 2;

/// What stands in it. (None of it is flattened: numbers of 128 bits would not survive that.)
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Content {
    version: u64,
    replica: ReplicaId,
    sequence: u64,
    taken_ns: u64,
    arms: Vec<ArmContent>,
    unit_buckets: Vec<UnitBucket>,
    exposures: Vec<ExposuresContent>,
    losses: Vec<Loss>,
    plans: Vec<KeptPlan>,
    outcomes: reported::Content,
}

#[derive(Debug, Serialize, Deserialize)]
struct ArmContent {
    share: Option<f64>,
    recent: Vec<RecentMinute>,
    rollup: Rollup,
}

#[derive(Debug, Serialize, Deserialize)]
struct ExposuresContent {
    experiment: Arc<str>,
    strategy: Arc<str>,
    first: Rows,
}

impl Snapshot {
    /// The snapshot that was serialised to this.
    ///
    /// # Errors
    ///
    /// When it is none, or one of another version.
    pub fn from_json(json: &[u8]) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Head {
            version: u64,
        }
        let Head { version } = serde_json::from_slice(json).map_err(SnapshotError::NotOne)?;
        match version {
            ..VERSION => return Err(SnapshotError::Older { found: version }),
            VERSION => {}
            _ => return Err(SnapshotError::Newer { found: version }),
        }
        let content: Content = serde_json::from_slice(json).map_err(SnapshotError::NotOne)?;
        content.snapshot()
    }
}

impl From<Snapshot> for Content {
    fn from(snapshot: Snapshot) -> Self {
        let arms = snapshot.arms.into_iter();
        let arms = arms.map(|Arm { rollup, share, recent }| ArmContent { share, recent, rollup });
        let exposures = snapshot.exposures.into_iter().map(|of| ExposuresContent {
            first: Rows::from(&of.exposed),
            experiment: of.experiment,
            strategy: of.strategy,
        });
        Self {
            version: VERSION,
            replica: snapshot.replica,
            sequence: snapshot.sequence,
            taken_ns: snapshot.taken_ns,
            arms: arms.collect(),
            unit_buckets: snapshot.unit_buckets,
            exposures: exposures.collect(),
            losses: snapshot.losses,
            plans: snapshot.plans,
            outcomes: snapshot.outcomes.into(),
        }
    }
}

/// More than anybody counts, and little enough that those of many replicas add up.
const MAX_COUNT: u64 = 1 << 53;

impl Content {
    fn snapshot(self) -> Result<Snapshot, SnapshotError> {
        let damaged = |what| SnapshotError::Damaged { what };
        let counts = self.arms.iter().flat_map(|arm| counts(&arm.rollup));
        let of_units = self
            .unit_buckets
            .iter()
            .flat_map(|bucket| [bucket.success, bucket.failed, bucket.unfinished]);
        let recent = self.arms.iter().flat_map(|arm| &arm.recent);
        let recent = recent.flat_map(|RecentMinute(_, Began(a, b, c, d))| [*a, *b, *c, *d]);
        let lost = self.losses.iter().map(|loss| loss.branches);
        if counts.chain(of_units).chain(recent).chain(lost).any(|count| count > MAX_COUNT) {
            return Err(damaged("a count is beyond 2^53"));
        }
        let mut exposures = Vec::with_capacity(self.exposures.len());
        for of in self.exposures {
            let exposed = of.first.exposed().ok_or_else(|| damaged("a first exposure"))?;
            exposures.push(Exposures { experiment: of.experiment, strategy: of.strategy, exposed });
        }
        let arms = self.arms.into_iter();
        let arms = arms.map(|ArmContent { share, recent, rollup }| Arm { rollup, share, recent });
        Ok(Snapshot {
            replica: self.replica,
            sequence: self.sequence,
            taken_ns: self.taken_ns,
            arms: arms.collect(),
            unit_buckets: self.unit_buckets,
            exposures,
            losses: self.losses,
            plans: self.plans,
            outcomes: self.outcomes.outcomes().ok_or_else(|| damaged("an outcome"))?,
        })
    }
}

fn counts(rollup: &Rollup) -> Vec<u64> {
    let Rollup { success, failed, skipped, cancelled, retries, pairs, first_exposures, .. } =
        rollup;
    let kinds = rollup.failures.values().chain(rollup.skips.values()).copied();
    let both = [pairs.both_succeeded, pairs.primary_failed, pairs.other_failed, pairs.both_failed];
    let all = [*success, *failed, *skipped, *cancelled, *retries, *first_exposures];
    kinds.chain(both).chain(all).chain([pairs.equal, pairs.different]).collect()
}
