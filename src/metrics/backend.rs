//! A backend that counts.

use super::{Exposition, tally::Tallies};
use crate::{
    BoxError,
    branch::{Branch, Failure},
    compare::Comparison,
    record::{BatchError, LoggerBackend, RunId},
};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts branches and comparisons by experiment, config and role, and how long they took. It
/// stands beside the backend that keeps them: `Recorder::pair((store, metrics.clone()))`. Cheap to
/// clone; the clones share the counts.
///
/// What the recorder's queue had no room for never comes here; that is in
/// `spearmint_records_dropped_total`.
#[derive(Debug, Clone, Default)]
pub struct MetricsBackend {
    tallies: Arc<Mutex<Tallies>>,
}

impl MetricsBackend {
    /// How many configs have lines of their own, counted for each experiment anew.
    pub const MAX_CONFIGS: usize = 200;

    /// Nothing is counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds all that was counted to a page.
    pub fn collect(&self, page: &mut Exposition) {
        // Written from a copy: whoever records waits for no text to be made.
        let tallies = self.tallies().clone();
        tallies.write(page);
    }

    fn tallies(&self) -> MutexGuard<'_, Tallies> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoggerBackend for MetricsBackend {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        Ok(RunId(branch.id.to_string()))
    }

    async fn log_status(&self, _: &RunId, branch: &Branch) -> Result<(), BoxError> {
        self.tallies().count(branch);
        Ok(())
    }

    /// The branch carries its failure.
    async fn log_exception(&self, _: &RunId, _: &Failure) -> Result<(), BoxError> {
        Ok(())
    }

    /// The branch names its config.
    async fn log_params(&self, _: &RunId, _: &Value) -> Result<(), BoxError> {
        Ok(())
    }

    async fn log_batch(&self, batch: &[Branch]) -> Result<(), BatchError> {
        let mut tallies = self.tallies();
        batch.iter().for_each(|branch| tallies.count(branch));
        Ok(())
    }

    async fn log_comparisons(&self, batch: &[Comparison]) -> Result<(), BatchError> {
        let mut tallies = self.tallies();
        batch.iter().for_each(|comparison| tallies.count_comparison(comparison));
        Ok(())
    }
}
