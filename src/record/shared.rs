//! The bounded queues between a request and the backend.

use super::{lane::Lane, loss::Tally};
use crate::{branch::Branch, compare::Comparison, config::SecretKeys, trial::Record};
use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst},
};
use tokio::sync::Notify;

/// What the queue holds: a branch that just ended, or one handed on by another recorder.
#[derive(Debug)]
pub(super) enum Entry {
    Record(Record),
    Branch(Box<Branch>),
}

/// The most bytes that comparisons with differences hold together while they wait: what differs
/// may be long, and come all at once.
const COMPARISON_BYTES: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) branches: Lane<Entry>,
    pub(super) comparisons: Lane<Box<Comparison>>,
    /// What the comparisons that wait or are being written hold.
    pub(super) comparison_bytes: AtomicUsize,
    /// Numbers said of branches that were refused.
    pub(super) metrics_refused: AtomicU64,
    /// The background task waits for the first record; only then is it worth waking.
    pub(super) idle: AtomicBool,
    pub(super) wake: Notify,
    /// Somebody wants everything written now.
    pub(super) hurry: AtomicBool,
    pub(super) settled: Notify,
    /// The last recorder is gone.
    pub(super) closing: AtomicBool,
    /// The background task has ended, or was dropped.
    pub(super) closed: AtomicBool,
    pub(super) secrets: OnceLock<SecretKeys>,
    /// The branches that there was no room for.
    pub(super) losses: Tally,
}

impl Shared {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            branches: Lane::new(capacity),
            comparisons: Lane::new(capacity),
            comparison_bytes: AtomicUsize::new(0),
            metrics_refused: AtomicU64::new(0),
            idle: AtomicBool::new(false),
            wake: Notify::new(),
            hurry: AtomicBool::new(false),
            settled: Notify::new(),
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            secrets: OnceLock::new(),
            losses: Tally::default(),
        }
    }

    /// Whether it was taken.
    pub(super) fn push_branch(&self, entry: Entry) -> bool {
        let taken = self.push(&self.branches, entry);
        taken.map_err(|entry| self.losses.add_entry(&entry)).is_ok()
    }

    /// Gives it back if it was not taken.
    fn push<T>(&self, lane: &Lane<T>, entry: T) -> Result<(), T> {
        // Counted first: the background task goes to sleep only when it has had as many as were
        // counted, after it said that it is idle. So either it sees this one, or we see that it
        // is idle. (All four are sequentially consistent.)
        let count = lane.accepted.fetch_add(1, SeqCst) + 1;
        let taken = if self.closed.load(SeqCst) { Err(entry) } else { lane.push(count, entry) };
        if let Err(entry) = taken {
            self.refuse(lane);
            return Err(entry);
        }
        if self.idle.load(SeqCst) {
            if self.idle.swap(false, SeqCst) {
                self.wake.notify_one();
            }
        } else if count & lane.nudge == 0 {
            self.wake.notify_one();
        }
        if self.closed.load(SeqCst) {
            lane.abandon();
            self.settled.notify_waiters();
        }
        Ok(())
    }

    #[cold]
    fn refuse<T>(&self, lane: &Lane<T>) {
        lane.accepted.fetch_sub(1, SeqCst);
        lane.dropped.fetch_add(1, Relaxed);
        // A drain may have waited for this one.
        self.settled.notify_waiters();
    }

    pub(super) fn push_comparison(&self, comparison: Comparison) -> bool {
        let bytes = bytes_of(&comparison);
        // An equal one is small, and the queue bounds those.
        if bytes > 0 && self.comparison_bytes.fetch_add(bytes, Relaxed) + bytes > COMPARISON_BYTES {
            self.comparison_bytes.fetch_sub(bytes, Relaxed);
            self.comparisons.dropped.fetch_add(1, Relaxed);
            return false;
        }
        let taken = self.push(&self.comparisons, Box::new(comparison)).is_ok();
        if !taken {
            self.comparison_bytes.fetch_sub(bytes, Relaxed);
        }
        taken
    }
}

/// What a comparison holds beside itself: the places that differ, and the samples.
pub(super) fn bytes_of(comparison: &Comparison) -> usize {
    let sample = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let list = comparison.differences.list().iter();
    list.map(|d| size_of_val(d) + d.path.len() + sample(&d.primary) + sample(&d.shadow)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `Recorder::CAPACITY` says: with the eight bytes that the queue adds.
    #[test]
    fn what_the_queue_holds_is_small() {
        assert_eq!(size_of::<Entry>() + 8, 120);
    }
}
