//! The bounded queue between a request and the backend.

use super::{LoggerBackend, Recording};
use crate::{
    branch::{Branch, Failure},
    compare::Comparison,
    config::SecretKeys,
    trial::{Record, Sink},
};
use crossbeam_queue::ArrayQueue;
use serde::Serialize;
use serde_json::Value;
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// What the queue holds: a branch that just ended, or one handed on by another recorder.
#[derive(Debug)]
pub(super) enum Entry {
    Record(Record),
    Branch(Box<Branch>),
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) queue: ArrayQueue<Entry>,
    /// The background task waits for the first record; only then is it worth waking.
    pub(super) idle: AtomicBool,
    pub(super) wake: Notify,
    /// Somebody wants everything written now.
    pub(super) hurry: AtomicBool,
    pub(super) settled: Notify,
    pub(super) accepted: AtomicU64,
    pub(super) written: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) dropped: AtomicU64,
    /// How many the backend is busy with.
    pub(super) writing: AtomicU64,
    /// The last recorder is gone.
    pub(super) closing: AtomicBool,
    /// The background task has ended, or was dropped.
    pub(super) closed: AtomicBool,
    pub(super) secrets: OnceLock<SecretKeys>,
    /// All ones up to about half the capacity: so often the task is woken while it lets branches
    /// gather.
    nudge: u64,
}

impl Shared {
    /// Nobody will write what is in the queue any more.
    pub(super) fn abandon(&self) {
        while self.queue.pop().is_some() {
            self.lost.fetch_add(1, Relaxed);
        }
        self.settled.notify_waiters();
    }

    #[cold]
    fn refuse(&self) {
        self.accepted.fetch_sub(1, SeqCst);
        self.dropped.fetch_add(1, Relaxed);
        // A drain may have waited for this one.
        self.settled.notify_waiters();
    }
}

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

/// What became of the branches a recorder was handed. Counts since its start.
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
}

impl RecorderStats {
    /// Taken, but neither kept nor lost yet.
    pub const fn waiting(&self) -> u64 {
        self.accepted.saturating_sub(self.written + self.lost)
    }
}

/// Not everything was written by the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{waiting} branches were not written in time")]
pub struct NotDrained {
    /// How many are still waiting.
    pub waiting: u64,
}

impl Recorder {
    /// How many finished branches wait at most, unless [`with_capacity`](Self::with_capacity)
    /// says otherwise. At 144 bytes each this is 4.5 MiB.
    pub const CAPACITY: usize = 1 << 15;

    /// A recorder and the background task behind it, to be spawned on any executor with a Tokio
    /// clock: `tokio::spawn(recording)`.
    pub fn pair<B: LoggerBackend>(backend: B) -> (Self, Recording) {
        Self::with_capacity(backend, Self::CAPACITY)
    }

    /// As [`Recorder::pair`], with the most branches that may wait (at least 1).
    pub fn with_capacity<B: LoggerBackend>(backend: B, capacity: usize) -> (Self, Recording) {
        let capacity = capacity.max(1);
        let shared = Arc::new(Shared {
            queue: ArrayQueue::new(capacity),
            idle: AtomicBool::new(false),
            wake: Notify::new(),
            hurry: AtomicBool::new(false),
            settled: Notify::new(),
            accepted: AtomicU64::new(0),
            written: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            writing: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            secrets: OnceLock::new(),
            nudge: (1 << (capacity / 2).max(1).ilog2()) - 1,
        });
        let recording = Recording::new(shared.clone(), backend);
        (Self { front: Arc::new(Front { shared }) }, recording)
    }

    pub(crate) fn record_branch(&self, branch: Branch) {
        self.push(Entry::Branch(Box::new(branch)));
    }

    /// Whether it was taken.
    fn push(&self, entry: Entry) -> bool {
        let shared = &*self.front.shared;
        // Counted first: the background task goes to sleep only when it has had as many as were
        // counted, after it said that it is idle. So either it sees this one, or we see that it
        // is idle. (All four are sequentially consistent.)
        let count = shared.accepted.fetch_add(1, SeqCst) + 1;
        if shared.closed.load(SeqCst) || shared.queue.push(entry).is_err() {
            shared.refuse();
            return false;
        }
        if shared.idle.load(SeqCst) {
            if shared.idle.swap(false, SeqCst) {
                shared.wake.notify_one();
            }
        } else if count & shared.nudge == 0 {
            shared.wake.notify_one();
        }
        if shared.closed.load(SeqCst) {
            shared.abandon();
        }
        true
    }

    /// What became of the branches so far.
    pub fn stats(&self) -> RecorderStats {
        let shared = &self.front.shared;
        // `accepted` last: a branch in between counts as waiting, never as more than there are.
        let (written, lost) = (shared.written.load(Relaxed), shared.lost.load(Relaxed));
        let dropped = shared.dropped.load(Relaxed);
        RecorderStats { accepted: shared.accepted.load(Relaxed), written, dropped, lost }
    }

    /// Waits until every branch taken so far is kept or lost, at most for `deadline`.
    ///
    /// # Errors
    ///
    /// When the deadline passes, or the background task ended, with branches still waiting.
    ///
    /// # Cancel safety
    ///
    /// Safe: the branches are written all the same.
    pub async fn drain(&self, deadline: Duration) -> Result<(), NotDrained> {
        let shared = &self.front.shared;
        let wanted = shared.accepted.load(SeqCst);
        let done = || {
            let stats = self.stats();
            // One that was counted and then refused is wanted no more.
            stats.written + stats.lost >= wanted.min(stats.accepted)
        };
        let written = async {
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
        let _ = tokio::time::timeout(deadline, written).await;
        if done() { Ok(()) } else { Err(NotDrained { waiting: self.stats().waiting() }) }
    }
}

impl Sink for Recorder {
    fn record(&self, record: Record) {
        self.push(Entry::Record(record));
    }

    fn compared(&self, _: Comparison) {}
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
}

const NO_ROOM: &str = "the queue of the recorder behind is full, or its background task has ended";
