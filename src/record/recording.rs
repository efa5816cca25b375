//! The background task behind a recorder.

use super::{
    LoggerBackend,
    recorder::{Entry, Shared},
};
use crate::branch::Branch;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{Ordering::Relaxed, Ordering::SeqCst, fence},
    },
    task::{Context, Poll},
    time::Duration,
};

/// How long branches may gather before they are written together.
const FLUSH_EVERY: Duration = Duration::from_millis(50);
/// The most branches in one batch: enough to make a transaction cheap.
const MAX_BATCH: usize = 5_000;

/// The background task that writes what a [`Recorder`](super::Recorder) took. A future to be
/// spawned; it ends when the last recorder is gone and everything is written.
#[must_use = "nothing is written unless this is spawned"]
pub struct Recording {
    task: Pin<Box<dyn Future<Output = ()> + Send>>,
    shared: Arc<Shared>,
}

impl Recording {
    pub(super) fn new<B: LoggerBackend>(shared: Arc<Shared>, backend: B) -> Self {
        Self { task: Box::pin(write_all(shared.clone(), backend)), shared }
    }
}

impl Future for Recording {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.task.as_mut().poll(cx)
    }
}

impl Drop for Recording {
    /// Ended or aborted: from now on branches are dropped and counted.
    fn drop(&mut self) {
        self.shared.closed.store(true, SeqCst);
        self.shared.settled.notify_waiters();
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}

async fn write_all<B: LoggerBackend>(shared: Arc<Shared>, backend: B) {
    let mut batch: Vec<Branch> = Vec::new();
    let mut failing = false;
    loop {
        while batch.len() < MAX_BATCH
            && let Some(entry) = shared.queue.pop()
        {
            batch.push(match entry {
                Entry::Record(record) => record.into_branch(),
                Entry::Branch(branch) => *branch,
            });
        }
        if batch.is_empty() {
            shared.hurry.store(false, SeqCst);
            shared.settled.notify_waiters();
            if is_last(&shared) && shared.queue.is_empty() {
                return;
            }
            shared.idle.store(true, SeqCst);
            fence(SeqCst);
            if shared.queue.is_empty() && !is_last(&shared) {
                shared.wake.notified().await;
            }
            shared.idle.store(false, SeqCst);
            gather(&shared).await;
            continue;
        }
        let count = batch.len() as u64;
        match backend.log_batch(&batch).await {
            Ok(()) => {
                if failing {
                    tracing::info!("branches are recorded again");
                }
                failing = false;
                shared.written.fetch_add(count, Relaxed);
            }
            Err(error) => {
                // Once per outage: the count says the rest.
                if !failing {
                    tracing::error!(%error, "branches cannot be recorded; counting what is lost");
                }
                failing = true;
                let lost = (error.lost as u64).min(count);
                shared.lost.fetch_add(lost, Relaxed);
                shared.written.fetch_add(count - lost, Relaxed);
            }
        }
        // A batch that was not full was all there was: let the next one gather.
        let gather_more = batch.len() < MAX_BATCH;
        batch.clear();
        shared.settled.notify_waiters();
        if gather_more && !shared.queue.is_empty() {
            gather(&shared).await;
        }
    }
}

/// Lets branches gather, unless somebody waits for them.
async fn gather(shared: &Arc<Shared>) {
    if shared.hurry.load(SeqCst) || is_last(shared) {
        return;
    }
    let _ = tokio::time::timeout(FLUSH_EVERY, shared.wake.notified()).await;
}

/// The task's own two references are the last ones.
fn is_last(shared: &Arc<Shared>) -> bool {
    Arc::strong_count(shared) <= 2
}
