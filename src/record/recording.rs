//! The background task behind a recorder.

use super::{
    BatchError, LoggerBackend,
    recorder::{Entry, Shared},
};
use crate::{branch::Branch, caught::caught, config::SecretKeys};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{Ordering::Relaxed, Ordering::SeqCst},
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

impl Recording {
    /// Takes these keys for secrets in recorded outputs, instead of the default ones. (What is a
    /// secret in a config was said when it was [made](crate::Config::with_secrets).)
    #[must_use = "nothing is written unless this is spawned"]
    pub fn secret_keys(self, keys: SecretKeys) -> Self {
        let _ = self.shared.secrets.set(keys);
        self
    }
}

impl Drop for Recording {
    /// Ended or aborted: from now on branches are dropped and counted.
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.closed.store(true, SeqCst);
        // Whether an interrupted batch was kept is not known.
        shared.lost.fetch_add(shared.writing.swap(0, SeqCst), Relaxed);
        shared.abandon();
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
    let mut taken = 0;
    let has_all = |taken: u64| shared.accepted.load(SeqCst) == taken;
    loop {
        let secrets = shared.secrets.get_or_init(SecretKeys::default);
        while batch.len() < MAX_BATCH
            && let Some(entry) = shared.queue.pop()
        {
            let mut branch = match entry {
                Entry::Record(record) => record.into_branch(),
                Entry::Branch(branch) => *branch,
            };
            branch.output = branch.output.map(|output| secrets.redact(&output));
            batch.push(branch);
        }
        if batch.is_empty() {
            shared.hurry.store(false, SeqCst);
            shared.settled.notify_waiters();
            if shared.closing.load(SeqCst) && has_all(taken) {
                return;
            }
            shared.idle.store(true, SeqCst);
            if has_all(taken) && !shared.closing.load(SeqCst) {
                shared.wake.notified().await;
            }
            shared.idle.store(false, SeqCst);
            gather(&shared).await;
            continue;
        }
        let count = batch.len() as u64;
        taken += count;
        shared.writing.store(count, SeqCst);
        let result = log_batch(&backend, &batch).await;
        shared.writing.store(0, SeqCst);
        match result {
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

/// A backend that panics fails like any other: with its batch, not with all that follow.
async fn log_batch<B: LoggerBackend>(backend: &B, batch: &[Branch]) -> Result<(), BatchError> {
    let mut work = pin!(async { backend.log_batch(batch).await });
    poll_fn(|cx| {
        caught(|| work.as_mut().poll(cx)).unwrap_or_else(|panic| {
            Poll::Ready(Err(BatchError { lost: batch.len(), source: panic.into() }))
        })
    })
    .await
}

/// Lets branches gather, unless somebody waits for them.
async fn gather(shared: &Shared) {
    if shared.hurry.load(SeqCst) || shared.closing.load(SeqCst) {
        return;
    }
    let _ = tokio::time::timeout(FLUSH_EVERY, shared.wake.notified()).await;
}
