//! A bounded queue, and what became of all that was handed to it.

use crossbeam_queue::SegQueue;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

/// How many records gather before the background task has enough to begin with, a power of two. Few:
/// where there are fewer cores than threads with something to do, a batch of thousands holds up
/// those that answer requests for milliseconds. (When it falls behind, its batches grow.)
const GATHERED: usize = 256;

/// A bounded queue of one kind of record, with its counters. It takes up memory as it fills.
#[derive(Debug)]
pub(super) struct Lane<T> {
    queue: SegQueue<T>,
    capacity: u64,
    pub(super) accepted: AtomicU64,
    /// How many have left the queue; told once a batch, so that both ends seldom meet.
    left: AtomicU64,
    pub(super) written: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) dropped: AtomicU64,
    /// How many the backend is busy with.
    pub(super) writing: AtomicU64,
    /// All ones up to [`GATHERED`], or half a small capacity: so often the background task is woken while
    /// it lets records gather.
    pub(super) nudge: u64,
}

/// The counters of a lane, read at one time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) written: u64,
    pub(super) dropped: u64,
    pub(super) lost: u64,
}

impl<T> Lane<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            queue: SegQueue::new(),
            capacity: capacity as u64,
            accepted: AtomicU64::new(0),
            left: AtomicU64::new(0),
            written: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            writing: AtomicU64::new(0),
            nudge: (1 << (capacity / 2).clamp(1, GATHERED).ilog2()) - 1,
        }
    }

    /// Takes the `count`-th of all that were accepted, if there is room for it; or gives it back.
    pub(super) fn push(&self, count: u64, entry: T) -> Result<(), T> {
        if count.saturating_sub(self.left.load(Relaxed)) > self.capacity {
            return Err(entry);
        }
        self.queue.push(entry);
        Ok(())
    }

    /// Moves what is in the queue to the end of a batch, through `each`, until that has `most`.
    pub(super) fn drain_into<U>(&self, batch: &mut Vec<U>, most: usize, each: impl Fn(T) -> U) {
        let before = batch.len();
        while batch.len() < most
            && let Some(entry) = self.queue.pop()
        {
            batch.push(each(entry));
        }
        self.left.fetch_add((batch.len() - before) as u64, Relaxed);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn counts(&self) -> Counts {
        // `accepted` last: one in between counts as waiting, never as more than there are.
        let (written, lost) = (self.written.load(Relaxed), self.lost.load(Relaxed));
        let dropped = self.dropped.load(Relaxed);
        Counts { accepted: self.accepted.load(Relaxed), written, dropped, lost }
    }

    pub(super) fn has_all(&self, taken: u64) -> bool {
        self.accepted.load(SeqCst) == taken
    }

    /// Whether the first `wanted` are written or lost.
    pub(super) fn is_done(&self, wanted: u64) -> bool {
        let counts = self.counts();
        // One that was counted and then refused is wanted no more.
        counts.written + counts.lost >= wanted.min(counts.accepted)
    }

    /// A batch has come to its end, with `lost` of it lost.
    pub(super) fn settle(&self, count: u64, lost: u64) {
        let lost = lost.min(count);
        self.writing.store(0, SeqCst);
        self.lost.fetch_add(lost, Relaxed);
        self.written.fetch_add(count - lost, Relaxed);
    }

    /// Nobody will write what is in the queue any more.
    pub(super) fn abandon(&self) {
        while self.queue.pop().is_some() {
            self.left.fetch_add(1, Relaxed);
            self.lost.fetch_add(1, Relaxed);
        }
    }

    /// As [`abandon`](Self::abandon), and whether an interrupted batch was kept is not known.
    pub(super) fn abort(&self) {
        self.lost.fetch_add(self.writing.swap(0, SeqCst), Relaxed);
        self.abandon();
    }
}
