//! Runs that were begun for branches that were lost, or begun twice.

use crate::branch::BranchId;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// An outage leaves at most as many as were being written at once.
const MAX: usize = 256;

/// A branch for which MLflow may have runs that it should not have.
#[derive(Debug, Clone)]
pub(super) struct Leftover {
    pub(super) experiment_id: String,
    pub(super) branch: BranchId,
    /// The id of its one good run, if there is one.
    pub(super) keep: Option<String>,
}

/// Leftovers to be removed when the server is back; the oldest make room.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    queue: Mutex<VecDeque<Leftover>>,
}

impl Unfinished {
    pub(super) fn push(&self, leftover: Leftover) {
        let mut queue = self.lock();
        if queue.len() == MAX {
            queue.pop_front();
            tracing::warn!("a run that was begun in vain stays in MLflow");
        }
        queue.push_back(leftover);
    }

    pub(super) fn pop(&self) -> Option<Leftover> {
        self.lock().pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Leftover>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
