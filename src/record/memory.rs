//! A backend that keeps the last branches in memory.

use super::{BatchError, LoggerBackend, RunId};
use crate::{
    BoxError,
    branch::{Branch, Failure},
};
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Keeps the last branches in memory: for tests, and for programs that look at their own runs.
/// Clones share what is kept.
#[derive(Debug, Clone)]
pub struct MemoryBackend {
    branches: Arc<Mutex<VecDeque<Branch>>>,
    capacity: usize,
}

impl MemoryBackend {
    /// Keeps the last 100,000 branches.
    pub fn new() -> Self {
        Self::with_capacity(100_000)
    }

    /// Keeps the last `capacity` branches (at least 1); older ones make room.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { branches: Arc::default(), capacity: capacity.max(1) }
    }

    /// What is kept, oldest first.
    pub fn branches(&self) -> Vec<Branch> {
        self.lock().iter().cloned().collect()
    }

    /// What is kept, oldest first, leaving nothing.
    pub fn take(&self) -> Vec<Branch> {
        std::mem::take(&mut *self.lock()).into()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Branch>> {
        self.branches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, branch: &Branch) {
        let mut branches = self.lock();
        if branches.len() == self.capacity {
            branches.pop_front();
        }
        branches.push_back(branch.clone());
    }

    /// Changes the branch of a run, if it is still kept.
    fn update(&self, run: &RunId, change: impl FnOnce(&mut Branch)) {
        if let Some(branch) = self.lock().iter_mut().rev().find(|b| b.id.to_string() == run.0) {
            change(branch);
        }
    }
}

impl Default for MemoryBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl LoggerBackend for MemoryBackend {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        self.keep(branch);
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
        batch.iter().for_each(|branch| self.keep(branch));
        Ok(())
    }
}
