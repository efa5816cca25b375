//! The background task behind a recorder.

use super::{
    BatchError, LoggerBackend,
    lane::Lane,
    shared::{Entry, Shared, bytes_of},
};
use crate::{branch::Branch, caught::caught, compare::Comparison, config::SecretKeys};
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
use tokio::time::Instant;

/// How long records may gather before they are written together, if not enough of them come sooner.
const FLUSH_EVERY: Duration = Duration::from_millis(50);
/// How often a backend that always has something to write is told what there was no room for.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// The most records in one batch: enough to make a transaction cheap.
const MAX_BATCH: usize = 2_000;

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
    /// Ended or aborted: from now on records are dropped and counted.
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.closed.store(true, SeqCst);
        shared.branches.abort();
        shared.comparisons.abort();
        shared.settled.notify_waiters();
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}

async fn write_all<B: LoggerBackend>(shared: Arc<Shared>, backend: B) {
    let mut branches: Vec<Branch> = Vec::with_capacity(MAX_BATCH);
    let mut comparisons: Vec<Comparison> = Vec::new();
    let (mut branch_way, mut comparison_way) = (Way::new("branches"), Way::new("comparisons"));
    let mut teller = Teller { tried: Instant::now(), failing: false };
    let has_all = |branch_way: &Way, comparison_way: &Way| {
        shared.branches.has_all(branch_way.taken)
            && shared.comparisons.has_all(comparison_way.taken)
    };
    loop {
        let secrets = shared.secrets.get_or_init(SecretKeys::default);
        shared.branches.drain_into(&mut branches, MAX_BATCH, |entry| {
            let mut branch = match entry {
                Entry::Record(record) => record.into_branch(),
                Entry::Branch(branch) => *branch,
            };
            if branch.metrics.refused() > 0 {
                shared.metrics_refused.fetch_add(branch.metrics.refused(), Relaxed);
            }
            branch.output = branch.output.map(|output| secrets.redact(&output));
            branch
        });
        shared.comparisons.drain_into(&mut comparisons, MAX_BATCH, |comparison| *comparison);
        if branches.is_empty() && comparisons.is_empty() {
            shared.hurry.store(false, SeqCst);
            teller.tell(&shared, &backend).await;
            shared.settled.notify_waiters();
            if shared.closing.load(SeqCst) && has_all(&branch_way, &comparison_way) {
                teller.tell_last(&shared, &backend).await;
                return;
            }
            shared.idle.store(true, SeqCst);
            if has_all(&branch_way, &comparison_way) && !shared.closing.load(SeqCst) {
                shared.wake.notified().await;
            }
            shared.idle.store(false, SeqCst);
            gather(&shared).await;
            continue;
        }
        if !branches.is_empty() {
            let write = backend.log_batch(&branches);
            branch_way.write(&shared.branches, branches.len(), write).await;
        }
        if !comparisons.is_empty() {
            let write = backend.log_comparisons(&comparisons);
            comparison_way.write(&shared.comparisons, comparisons.len(), write).await;
            let bytes = comparisons.iter().map(bytes_of).sum();
            shared.comparison_bytes.fetch_sub(bytes, Relaxed);
        }
        if teller.tried.elapsed() >= TELL_EVERY {
            teller.tell(&shared, &backend).await;
        }
        // A batch that was not full was all there was: let the next one gather.
        let gather_more = branches.len() < MAX_BATCH && comparisons.len() < MAX_BATCH;
        branches.clear();
        comparisons.clear();
        shared.settled.notify_waiters();
        let nothing_left = shared.branches.is_empty() && shared.comparisons.is_empty();
        if gather_more && !nothing_left {
            gather(&shared).await;
        }
    }
}

/// The way of one kind of record to the backend.
struct Way {
    what: &'static str,
    taken: u64,
    failing: bool,
}

impl Way {
    const fn new(what: &'static str) -> Self {
        Self { what, taken: 0, failing: false }
    }

    async fn write<T>(
        &mut self,
        lane: &Lane<T>,
        count: usize,
        write: impl Future<Output = Result<(), BatchError>>,
    ) {
        let what = self.what;
        self.taken += count as u64;
        lane.writing.store(count as u64, SeqCst);
        let lost = match unpanicking(write, count).await {
            Ok(()) => {
                if self.failing {
                    tracing::info!("{what} are recorded again");
                }
                self.failing = false;
                0
            }
            Err(error) => {
                // Once per outage: the count says the rest.
                if !self.failing {
                    tracing::error!(%error, "{what} cannot be recorded; counting what is lost");
                }
                self.failing = true;
                error.lost as u64
            }
        };
        lane.settle(count as u64, lost);
    }
}

/// Tells the backend what there was no room for.
struct Teller {
    tried: Instant,
    failing: bool,
}

impl Teller {
    /// What is new, or what could not be told and is due again.
    async fn tell<B: LoggerBackend>(&mut self, shared: &Shared, backend: &B) {
        if shared.losses.is_untold() || (self.failing && self.tried.elapsed() >= TELL_EVERY) {
            self.tell_last(shared, backend).await;
        }
    }

    /// All there is, also if it is nothing: a backend may have losses of its own to write.
    async fn tell_last<B: LoggerBackend>(&mut self, shared: &Shared, backend: &B) {
        let losses = shared.losses.take();
        let told = async {
            let told = backend.log_losses(&losses).await;
            told.map_err(|source| BatchError { lost: 0, source })
        };
        let told = unpanicking(told, 0).await;
        if let Err(error) = &told {
            if !self.failing {
                tracing::warn!(%error, "what was not recorded cannot be noted; it is tried again");
            }
            shared.losses.put_back(&losses);
        }
        shared.losses.told();
        (self.tried, self.failing) = (Instant::now(), told.is_err());
    }
}

/// A backend that panics fails like any other: with its batch, not with all that follow.
async fn unpanicking(
    write: impl Future<Output = Result<(), BatchError>>,
    count: usize,
) -> Result<(), BatchError> {
    let mut write = pin!(write);
    poll_fn(|cx| {
        caught(|| write.as_mut().poll(cx)).unwrap_or_else(|panic| {
            Poll::Ready(Err(BatchError { lost: count, source: panic.into() }))
        })
    })
    .await
}

/// Lets records gather, unless somebody waits for them.
async fn gather(shared: &Shared) {
    if shared.hurry.load(SeqCst) || shared.closing.load(SeqCst) {
        return;
    }
    let _ = tokio::time::timeout(FLUSH_EVERY, shared.wake.notified()).await;
}
