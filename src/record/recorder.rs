//! The handle that takes what happened.

use super::{
    LoggerBackend, Recording,
    shared::{Entry, Shared},
};
use crate::{
    branch::{Branch, Failure},
    compare::Comparison,
    trial::{Record, Sink},
};
use serde::Serialize;
use serde_json::Value;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::Ordering::{Relaxed, SeqCst},
    },
    time::Duration,
};

/// Takes finished branches and never waits. Cheap to clone; the background task ends when the
/// last clone is gone and everything is written.
pub struct Recorder {
    front: Arc<Front>,
}

/// What the clones of a recorder share, and the background task does not: gone with the last.
struct Front {
    shared: Arc<Shared>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shared.closing.store(true, SeqCst);
        self.shared.wake.notify_one();
    }
}

/// What became of the branches a recorder was handed, and of the comparisons. Counts since its
/// start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct RecorderStats {
    /// Taken into the queue.
    pub accepted: u64,
    /// Kept by the backend.
    pub written: u64,
    /// Dropped because the queue was full or the background task had ended.
    pub dropped: u64,
    /// Taken but not kept: the backend failed to, or the background task ended first.
    pub lost: u64,
    /// Numbers that were said of the branches taken out so far and are not recorded with them: under
    /// what is no name, without a finite value, or beyond
    /// [what a branch may have](crate::branch::BranchMetrics::MAX).
    pub metrics_refused: u64,
    /// The same for comparisons.
    pub comparisons: ComparisonStats,
}

impl RecorderStats {
    /// Branches taken, but neither kept nor lost yet.
    pub const fn waiting(&self) -> u64 {
        self.accepted.saturating_sub(self.written + self.lost)
    }
}

/// What became of the comparisons a recorder was handed. Counts since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct ComparisonStats {
    /// Taken into their queue.
    pub accepted: u64,
    /// Taken by the backend. (One that has no place for comparisons takes and forgets them.)
    pub written: u64,
    /// Dropped because their queue was full, in number or in bytes, or the background task had
    /// ended.
    pub dropped: u64,
    /// Taken but not kept: the backend failed to, or the background task ended first.
    pub lost: u64,
}

impl ComparisonStats {
    /// Taken, but neither kept nor lost yet.
    pub const fn waiting(&self) -> u64 {
        self.accepted.saturating_sub(self.written + self.lost)
    }
}

/// Not everything was written by the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{waiting} branches and {comparisons} comparisons were not written in time")]
#[non_exhaustive]
pub struct NotDrained {
    /// How many branches are still waiting.
    pub waiting: u64,
    /// How many comparisons are.
    pub comparisons: u64,
}

impl Recorder {
    /// How many finished branches wait at most, unless [`with_capacity`](Self::with_capacity)
    /// says otherwise. At 120 bytes each this is 3.75 MiB when it is full. There is room for as many comparisons
    /// beside, at about 200 bytes each while they wait, and for 16 MiB of what differs in them.
    pub const CAPACITY: usize = 1 << 15;

    /// A recorder and the background task behind it, to be spawned on any executor with a Tokio
    /// clock: `tokio::spawn(recording)`.
    pub fn pair<B: LoggerBackend>(backend: B) -> (Self, Recording) {
        Self::with_capacity(backend, Self::CAPACITY)
    }

    /// As [`Recorder::pair`], with the most branches that may wait (at least 1), and as many
    /// comparisons beside them.
    pub fn with_capacity<B: LoggerBackend>(backend: B, capacity: usize) -> (Self, Recording) {
        let shared = Arc::new(Shared::new(capacity));
        let recording = Recording::new(shared.clone(), backend);
        (Self { front: Arc::new(Front { shared }) }, recording)
    }

    pub(crate) fn record_branch(&self, branch: Branch) {
        self.push(Entry::Branch(Box::new(branch)));
    }

    /// Whether it was taken.
    fn push(&self, entry: Entry) -> bool {
        self.front.shared.push_branch(entry)
    }

    /// What became of the branches and comparisons so far.
    pub fn stats(&self) -> RecorderStats {
        let shared = &self.front.shared;
        let (branches, comparisons) = (shared.branches.counts(), shared.comparisons.counts());
        RecorderStats {
            accepted: branches.accepted,
            written: branches.written,
            dropped: branches.dropped,
            lost: branches.lost,
            metrics_refused: shared.metrics_refused.load(Relaxed),
            comparisons: ComparisonStats {
                accepted: comparisons.accepted,
                written: comparisons.written,
                dropped: comparisons.dropped,
                lost: comparisons.lost,
            },
        }
    }

    /// Waits until every branch and comparison taken so far is kept or lost, and the backend was told what
    /// there was no room for; at most for `deadline`.
    ///
    /// # Errors
    ///
    /// When the deadline passes, or the background task ended, with some still waiting.
    ///
    /// # Cancel safety
    ///
    /// Safe: they are written all the same.
    pub async fn drain(&self, deadline: Duration) -> Result<(), NotDrained> {
        let shared = &self.front.shared;
        let branches = shared.branches.accepted.load(SeqCst);
        let comparisons = shared.comparisons.accepted.load(SeqCst);
        let written =
            || shared.branches.is_done(branches) && shared.comparisons.is_done(comparisons);
        let done = || written() && !shared.losses.is_untold();
        let settled = async {
            loop {
                let settled = shared.settled.notified();
                if done() || shared.closed.load(SeqCst) {
                    return;
                }
                shared.hurry.store(true, SeqCst);
                shared.wake.notify_one();
                settled.await;
            }
        };
        // The deadline's error says no more than the count below.
        let _ = tokio::time::timeout(deadline, settled).await;
        if written() {
            return Ok(());
        }
        let stats = self.stats();
        Err(NotDrained { waiting: stats.waiting(), comparisons: stats.comparisons.waiting() })
    }
}

impl Sink for Recorder {
    fn record(&self, record: Record) {
        self.push(Entry::Record(record));
    }

    fn branch(&self, branch: Branch) {
        self.record_branch(branch);
    }

    fn compared(&self, comparison: Comparison) {
        self.front.shared.push_comparison(comparison);
    }
}

impl Clone for Recorder {
    fn clone(&self) -> Self {
        Self { front: self.front.clone() }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("stats", &self.stats()).finish()
    }
}

/// A recorder is a backend, too: behind another recorder it gives a slow backend a queue of its
/// own, so that a quick one beside it is not held up. What that queue has no room for counts as
/// lost in front and as dropped behind.
impl LoggerBackend for Recorder {
    async fn start_run(&self, branch: &Branch) -> Result<super::RunId, crate::BoxError> {
        if self.push(Entry::Branch(Box::new(branch.clone()))) {
            Ok(super::RunId(branch.id.to_string()))
        } else {
            Err(NO_ROOM.into())
        }
    }

    async fn log_status(&self, _: &super::RunId, _: &Branch) -> Result<(), crate::BoxError> {
        Ok(())
    }

    async fn log_exception(&self, _: &super::RunId, _: &Failure) -> Result<(), crate::BoxError> {
        Ok(())
    }

    async fn log_params(&self, _: &super::RunId, _: &Value) -> Result<(), crate::BoxError> {
        Ok(())
    }

    async fn log_batch(&self, batch: &[Branch]) -> Result<(), super::BatchError> {
        let taken = |branch: &&Branch| self.push(Entry::Branch(Box::new((*branch).clone())));
        match batch.len() - batch.iter().filter(taken).count() {
            0 => Ok(()),
            lost => Err(super::BatchError { lost, source: NO_ROOM.into() }),
        }
    }

    async fn log_comparisons(&self, batch: &[Comparison]) -> Result<(), super::BatchError> {
        let taken = |one: &&Comparison| self.front.shared.push_comparison((*one).clone());
        match batch.len() - batch.iter().filter(taken).count() {
            0 => Ok(()),
            lost => Err(super::BatchError { lost, source: NO_ROOM.into() }),
        }
    }

    async fn log_losses(&self, losses: &[super::Loss]) -> Result<(), crate::BoxError> {
        self.front.shared.losses.add(losses);
        self.front.shared.wake.notify_one();
        Ok(())
    }

    fn keeps_losses(&self) -> bool {
        true
    }
}

const NO_ROOM: &str = "the queue of the recorder behind is full, or its background task has ended";
