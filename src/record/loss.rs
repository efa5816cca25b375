//! What was not recorded, arm by arm.

use super::shared::Entry;
use crate::{
    branch::{Branch, Role, named},
    config::ConfigId,
};
use serde::Serialize;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    },
};

named! {
    /// Why a branch was not recorded.
    LossReason {
        /// The recorder's queue was full, or its background task had ended.
        QueueFull = "queue_full",
        /// The store could not write the batch it was in.
        NotWritten = "not_written",
    }
}

/// Branches of one config and role that ended and were not recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "store", derive(serde::Deserialize))]
#[non_exhaustive]
pub struct Loss {
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// The id of the config.
    pub config_id: ConfigId,
    /// What the branches did for their requests.
    #[cfg_attr(feature = "store", serde(deserialize_with = "crate::named::read"))]
    pub role: Role,
    /// Why.
    #[cfg_attr(feature = "store", serde(deserialize_with = "crate::named::read"))]
    pub reason: LossReason,
    /// How many.
    pub branches: u64,
}

impl Loss {
    /// So many branches of an arm.
    pub fn new(
        experiment: impl Into<Arc<str>>,
        strategy: impl Into<Arc<str>>,
        config_id: ConfigId,
        role: Role,
        reason: LossReason,
        branches: u64,
    ) -> Self {
        let (experiment, strategy) = (experiment.into(), strategy.into());
        Self { experiment, strategy, config_id, role, reason, branches }
    }

    /// Whether the other is of the same arm, for the same reason.
    fn is_like(&self, of: &Of<'_>, reason: LossReason) -> bool {
        self.role == of.role
            && self.reason == reason
            && self.config_id == *of.config_id
            && self.experiment == *of.experiment
            && self.strategy == *of.strategy
    }
}

/// More arms than are lost from at a time; what is lost of others is in the recorder's counters only.
const MOST: usize = 1_024;

/// Whose a branch is.
#[derive(Clone, Copy)]
struct Of<'a> {
    experiment: &'a Arc<str>,
    strategy: &'a Arc<str>,
    config_id: &'a ConfigId,
    role: Role,
}

impl<'a> Of<'a> {
    fn branch(branch: &'a Branch) -> Self {
        let Branch { experiment, strategy, config_id, role, .. } = branch;
        Self { experiment, strategy, config_id, role: *role }
    }

    fn entry(entry: &'a Entry) -> Self {
        match entry {
            Entry::Branch(branch) => Self::branch(branch),
            Entry::Record(record) => {
                let (arm, role) = (&record.place.arm, record.place.role());
                let (experiment, strategy) = (&arm.experiment.name, &arm.experiment.strategy);
                Self { experiment, strategy, config_id: arm.config.id(), role }
            }
        }
    }
}

/// Losses that nobody was told yet. Only what is lost comes here, so that a branch that is recorded costs
/// nothing; and whoever reads it takes it away whole, so that nobody waits.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    losses: Mutex<Vec<Loss>>,
    /// Something was lost since it was taken last.
    untold: AtomicBool,
    /// It was taken, and is being told.
    telling: AtomicBool,
}

impl Tally {
    /// A branch that there was no room for.
    pub(super) fn add_entry(&self, entry: &Entry) {
        self.count(&Of::entry(entry), LossReason::QueueFull, 1);
        self.untold.store(true, Release);
    }

    /// Branches that could not be written.
    #[cfg(feature = "store")]
    pub(crate) fn add_batch(&self, batch: &[Branch]) {
        batch.iter().for_each(|b| self.count(&Of::branch(b), LossReason::NotWritten, 1));
        self.untold.store(true, Release);
    }

    /// What somebody else lost.
    pub(super) fn add(&self, losses: &[Loss]) {
        self.put_back(losses);
        self.untold.store(true, Release);
    }

    /// What could not be told: it is tried again when there is occasion.
    pub(crate) fn put_back(&self, losses: &[Loss]) {
        for loss in losses {
            let Loss { experiment, strategy, config_id, role, reason, branches } = loss;
            let of = Of { experiment, strategy, config_id, role: *role };
            self.count(&of, *reason, *branches);
        }
    }

    fn count(&self, of: &Of<'_>, reason: LossReason, branches: u64) {
        let mut losses = self.lock();
        if let Some(known) = losses.iter_mut().find(|loss| loss.is_like(of, reason)) {
            known.branches += branches;
        } else if losses.len() < MOST {
            let (experiment, strategy) = (of.experiment.clone(), of.strategy.clone());
            let (config_id, role) = (of.config_id.clone(), of.role);
            losses.push(Loss { experiment, strategy, config_id, role, reason, branches });
        }
    }

    /// Whether there is something that nobody has tried to tell yet.
    pub(super) fn is_untold(&self) -> bool {
        self.untold.load(Acquire) || self.telling.load(Acquire)
    }

    /// All of it; it counts as untold until [`told`](Self::told).
    pub(crate) fn take(&self) -> Vec<Loss> {
        let mut losses = self.lock();
        self.telling.store(true, Release);
        self.untold.store(false, Release);
        std::mem::take(&mut losses)
    }

    /// What was taken was told, or put back.
    pub(crate) fn told(&self) {
        self.telling.store(false, Release);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Loss>> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
