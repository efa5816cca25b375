//! How many branches are on their way.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use tokio::sync::{Notify, watch};

/// Counts the branches that are not handed on yet.
#[derive(Debug, Default)]
pub(super) struct Underway {
    count: AtomicUsize,
    none_left: Notify,
    /// How many wait for the end: until they have it, nobody waits for what may never come.
    hurried: AtomicUsize,
    pub(super) hurry: Notify,
    stops: watch::Sender<()>,
}

impl Underway {
    pub(super) fn count(&self) -> usize {
        self.count.load(SeqCst)
    }

    pub(super) fn is_hurried(&self) -> bool {
        self.hurried.load(SeqCst) > 0
    }

    /// Those that are on their way now are to be handed on as they are.
    pub(super) fn stop(&self) {
        self.stops.send_replace(());
    }

    /// Changes with each [stop](Self::stop) from now on.
    pub(super) fn stops(&self) -> watch::Receiver<()> {
        self.stops.subscribe()
    }

    /// Waits until none are left. Until then nobody waits for what may never come.
    pub(super) async fn none_left(&self) {
        let _hurried = Hurried::new(self);
        loop {
            let none_left = self.none_left.notified();
            if self.count() == 0 {
                return;
            }
            none_left.await;
        }
    }
}

/// While somebody waits for all to end.
struct Hurried<'a>(&'a Underway);

impl<'a> Hurried<'a> {
    fn new(underway: &'a Underway) -> Self {
        underway.hurried.fetch_add(1, SeqCst);
        underway.hurry.notify_one();
        Self(underway)
    }
}

impl Drop for Hurried<'_> {
    fn drop(&mut self) {
        self.0.hurried.fetch_sub(1, SeqCst);
    }
}

/// One of them.
pub(super) struct Pending(Arc<Underway>);

impl Pending {
    pub(super) fn new(underway: &Arc<Underway>) -> Self {
        underway.count.fetch_add(1, SeqCst);
        Self(underway.clone())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, SeqCst) == 1 {
            self.0.none_left.notify_waiters();
        }
    }
}
