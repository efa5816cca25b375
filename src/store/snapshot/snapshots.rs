//! The newest snapshots of several replicas.

use super::{ReplicaId, Snapshot};
use std::collections::{BTreeMap, btree_map::Entry};

impl Snapshot {
    /// The greater, the newer. (Of the same state, less is under way later.)
    const fn progress(&self) -> (u64, u64) {
        (self.sequence, self.taken_ns)
    }
}

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
            Entry::Occupied(mut entry) if entry.get().progress() < snapshot.progress() => {
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
