//! A backend that keeps the last branches in memory.

use super::{BatchError, LoggerBackend, RunId};
use crate::{
    BoxError,
    branch::{Branch, Failure},
    compare::Comparison,
};
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Keeps the last branches and comparisons in memory: for tests, and for programs that look at their own runs.
/// Clones share what is kept.
#[derive(Debug, Clone)]
pub struct MemoryBackend {
    branches: Arc<Mutex<VecDeque<Branch>>>,
    comparisons: Arc<Mutex<VecDeque<Comparison>>>,
    capacity: usize,
}

impl MemoryBackend {
    /// Keeps the last 100,000 branches, and as many comparisons.
    pub fn new() -> Self {
        Self::with_capacity(100_000)
    }

    /// Keeps the last `capacity` branches (at least 1), and as many comparisons; older ones make
    /// room.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { branches: Arc::default(), comparisons: Arc::default(), capacity: capacity.max(1) }
    }

    /// The branches that are kept, oldest first.
    pub fn branches(&self) -> Vec<Branch> {
        lock(&self.branches).iter().cloned().collect()
    }

    /// The comparisons that are kept, oldest first.
    pub fn comparisons(&self) -> Vec<Comparison> {
        lock(&self.comparisons).iter().cloned().collect()
    }

    /// The branches that are kept, oldest first, leaving none.
    pub fn take(&self) -> Vec<Branch> {
        std::mem::take(&mut *lock(&self.branches)).into()
    }

    fn keep<T: Clone>(&self, all: &Mutex<VecDeque<T>>, one: &T) {
        let mut all = lock(all);
        if all.len() == self.capacity {
            all.pop_front();
        }
        all.push_back(one.clone());
    }

    /// Changes the branch of a run, if it is still kept.
    fn update(&self, run: &RunId, change: impl FnOnce(&mut Branch)) {
        let mut branches = lock(&self.branches);
        if let Some(branch) = branches.iter_mut().rev().find(|b| b.id.to_string() == run.0) {
            change(branch);
        }
    }
}

fn lock<T>(all: &Mutex<VecDeque<T>>) -> MutexGuard<'_, VecDeque<T>> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for MemoryBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl LoggerBackend for MemoryBackend {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        self.keep(&self.branches, branch);
        Ok(RunId(branch.id.to_string()))
    }

    async fn log_status(&self, run: &RunId, branch: &Branch) -> Result<(), BoxError> {
        self.update(run, |kept| *kept = branch.clone());
        Ok(())
    }

    async fn log_exception(&self, run: &RunId, failure: &Failure) -> Result<(), BoxError> {
        self.update(run, |kept| kept.failure = Some(failure.clone()));
        Ok(())
    }

    /// The branch carries its config; there is nothing to add.
    async fn log_params(&self, _: &RunId, _: &Value) -> Result<(), BoxError> {
        Ok(())
    }

    async fn log_batch(&self, batch: &[Branch]) -> Result<(), BatchError> {
        batch.iter().for_each(|branch| self.keep(&self.branches, branch));
        Ok(())
    }

    async fn log_comparisons(&self, batch: &[Comparison]) -> Result<(), BatchError> {
        batch.iter().for_each(|comparison| self.keep(&self.comparisons, comparison));
        Ok(())
    }
}
