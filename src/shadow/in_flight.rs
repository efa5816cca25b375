//! How many shadows run, and the way to wait for all of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::{Notify, Semaphore};

/// How long a shadow that was told to stop may take to do so: until it is next polled.
const STOPPING: Duration = Duration::from_secs(1);

/// All shadows of a layer, running now.
#[derive(Debug)]
pub(super) struct InFlight {
    count: AtomicUsize,
    none_left: Notify,
    /// Closed when those still running are to stop. (A semaphore that has no permits is a flag
    /// that can be waited for.)
    cut: Semaphore,
    /// Those that did stop.
    stopped: AtomicUsize,
}

impl Default for InFlight {
    fn default() -> Self {
        Self {
            count: AtomicUsize::new(0),
            none_left: Notify::new(),
            cut: Semaphore::new(0),
            stopped: AtomicUsize::new(0),
        }
    }
}

impl InFlight {
    pub(super) fn count(&self) -> usize {
        self.count.load(SeqCst)
    }

    /// Resolves when the shadows are to stop.
    pub(super) async fn cut(&self) {
        let _ = self.cut.acquire().await;
    }

    /// Waits until none is running; after `deadline` stops the rest. Returns how many that were.
    /// One that keeps its thread busy cannot be stopped; it is not waited for.
    pub(super) async fn drain(&self, deadline: Duration) -> usize {
        if tokio::time::timeout(deadline, self.none()).await.is_ok() {
            return 0;
        }
        self.cut.close();
        let _ = tokio::time::timeout(STOPPING, self.none()).await;
        // One may have come to its own end in the last moment.
        self.stopped.swap(0, SeqCst) + self.count()
    }

    async fn none(&self) {
        loop {
            let none_left = self.none_left.notified();
            if self.count() == 0 {
                return;
            }
            none_left.await;
        }
    }
}

/// The right of one shadow to run: counted for its config and for the layer.
#[derive(Debug)]
pub(super) struct Permit {
    all: Arc<InFlight>,
    own: Arc<AtomicUsize>,
}

impl Permit {
    /// `None` if `max` of this config's shadows are running.
    pub(super) fn take(all: &Arc<InFlight>, own: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        own.fetch_update(SeqCst, SeqCst, |count| (count < max).then_some(count + 1)).ok()?;
        all.count.fetch_add(1, SeqCst);
        Some(Self { all: all.clone(), own: own.clone() })
    }

    pub(super) async fn cut(&self) {
        self.all.cut().await;
    }

    /// It stops because it was told to.
    pub(super) fn count_stopped(&self) {
        self.all.stopped.fetch_add(1, SeqCst);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.own.fetch_sub(1, SeqCst);
        if self.all.count.fetch_sub(1, SeqCst) == 1 {
            self.all.none_left.notify_waiters();
        }
    }
}
