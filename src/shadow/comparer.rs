//! The one thread that compares.
//!
//! Comparing two large answers takes time that no request should wait for, and there may be many:
//! they wait in a bounded queue for a thread of their own, so that at most one core is busy
//! with them, whatever the traffic.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};
use tokio::sync::Notify;

/// How many comparisons wait at most.
const QUEUE: usize = 1_024;

/// How long the thread lets comparisons gather before it goes to sleep: who brings the next need
/// not wake it.
const GATHER: Duration = Duration::from_millis(1);

type Job = Box<dyn FnOnce() + Send>;

/// Runs comparisons in the background. The thread starts with the first, and ends with the layer.
#[derive(Default)]
pub(super) struct Comparer {
    queue: OnceLock<Option<SyncSender<(Job, Pending)>>>,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    count: AtomicUsize,
    none_left: Notify,
}

/// A comparison that is not done yet.
struct Pending(Arc<Waiting>);

impl Drop for Pending {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, SeqCst) == 1 {
            self.0.none_left.notify_waiters();
        }
    }
}

impl Comparer {
    /// Never waits. `false` if too many comparisons are waiting.
    pub(super) fn submit(&self, job: impl FnOnce() + Send + 'static) -> bool {
        let queue = self.queue.get_or_init(|| {
            let (sender, receiver) = sync_channel(QUEUE);
            let thread = thread::Builder::new().name("spearmint-compare".into());
            thread.spawn(move || run(&receiver)).ok().map(|_| sender)
        });
        let Some(queue) = queue else { return false };
        self.waiting.count.fetch_add(1, SeqCst);
        let pending = Pending(self.waiting.clone());
        queue.try_send((Box::new(job), pending)).is_ok()
    }

    /// Waits until nothing waits to be compared.
    pub(super) async fn drained(&self) {
        loop {
            let none_left = self.waiting.none_left.notified();
            if self.waiting.count.load(SeqCst) == 0 {
                return;
            }
            none_left.await;
        }
    }
}

fn run(queue: &Receiver<(Job, Pending)>) {
    while let Ok(first) = queue.recv() {
        let mut next = Some(first);
        while let Some((job, pending)) = next {
            job();
            drop(pending);
            next = queue.try_recv().ok().or_else(|| {
                thread::sleep(GATHER);
                queue.try_recv().ok()
            });
        }
    }
}

impl fmt::Debug for Comparer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comparer")
            .field("waiting", &self.waiting.count.load(SeqCst))
            .finish_non_exhaustive()
    }
}
