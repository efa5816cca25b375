//! All that a store has summed up, as one value: what several replicas recorded, each in a store of its own,
//! is put together from their snapshots.
//!
//! A snapshot is cumulative: it holds everything since the store began, so that the newest of a replica stands
//! for all before it. To add one twice, in another order, or after a newer one, changes nothing.

#[cfg(feature = "report")]
mod attributed;
mod error;
mod exposed;
mod json;
mod plans;
mod read;
mod recent;
mod replica;
mod reported;
mod sample;
mod snapshots;
#[cfg(feature = "report")]
mod totals;

pub use error::SnapshotError;
pub use replica::ReplicaId;
pub use snapshots::Snapshots;

#[cfg(feature = "report")]
pub(crate) use exposed::Exposed;
#[cfg(feature = "report")]
pub(crate) use plans::KeptPlan;
#[cfg(feature = "report")]
pub(crate) use recent::RECENT_NS;
pub(super) use replica::{VERSION_6, grow};
#[cfg(feature = "report")]
pub(crate) use totals::{Recent, Totals};

use super::{Rollup, UnitBucket};
use crate::record::Loss;
use recent::RecentMinute;
use reported::Outcomes;
use serde::Serialize;
use std::sync::Arc;

/// All that one store has summed up, from its beginning: what its branches come to, of which units they are,
/// which config each unit met first and its outcomes, what was not recorded, and by what reports decide.
///
/// It serialises to JSON, of which [`from_json`](Self::from_json) makes the same again. Its size depends neither
/// on how many branches there are nor on how long: some 2 kB for each config, role and version of the weights
/// and rules, and up to 25 kB for the minutes of the last day, if it answers; under sticky assignment up to 1.1 MB
/// more of it for buckets of units, and some 8 bytes for each step of their latencies; up to 2.6 MB an experiment for
/// first exposures; and up to 8.4 MB for outcomes.
///
/// ```
/// use tower_spearmint::store::{Snapshot, Snapshots, SqliteStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let file = std::env::temp_dir().join(format!("spearmint-doc-snapshot-{}.db", std::process::id()));
/// # let _ = std::fs::remove_file(&file);
/// let store = SqliteStore::open(&file)?;
/// let sent = serde_json::to_vec(&store.snapshot()?)?;
///
/// let mut all = Snapshots::new();
/// all.add(Snapshot::from_json(&sent)?);
/// all.add(Snapshot::from_json(&sent)?);
/// assert_eq!(all.len(), 1);
/// # std::fs::remove_file(&file)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "json::Content")]
pub struct Snapshot {
    replica: ReplicaId,
    sequence: u64,
    /// By the clock of the machine that took it, in ns since the Unix epoch.
    taken_ns: u64,
    arms: Vec<Arm>,
    unit_buckets: Vec<UnitBucket>,
    exposures: Vec<Exposures>,
    losses: Vec<Loss>,
    plans: Vec<plans::KeptPlan>,
    outcomes: Outcomes,
}

/// A config in one role under the same weights and rules; what chance did not assign apart, by reason.
#[derive(Debug, Clone, PartialEq)]
struct Arm {
    /// Over all the time.
    rollup: Rollup,
    /// The probability that its last branch recorded, if there still is one.
    share: Option<f64>,
    /// Of what answers: the minutes that may not have ended when it was taken.
    recent: Vec<RecentMinute>,
}

/// The first exposures of an experiment.
#[derive(Debug, Clone, PartialEq)]
struct Exposures {
    experiment: Arc<str>,
    strategy: Arc<str>,
    exposed: exposed::Exposed,
}

impl Snapshot {
    /// Whose it is.
    pub const fn replica(&self) -> ReplicaId {
        self.replica
    }

    /// How far the store had come: more with each batch it wrote.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When it was taken, in ns since the Unix epoch: what had begun shortly before, may still have been under way.
    pub const fn taken_ns(&self) -> u64 {
        self.taken_ns
    }

    /// By what reports on its experiments decide.
    #[cfg(feature = "report")]
    pub(crate) fn plans(&self) -> &[KeptPlan] {
        &self.plans
    }
}
