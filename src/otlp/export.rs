//! The backend's calls.

use super::{
    OtlpBackend, OtlpError,
    branch_span::span,
    write::{Source, SpanMessage},
};
use crate::{
    BoxError,
    branch::{Branch, Failure, TraceParent},
    outbound::Pauses,
    record::{BatchError, LoggerBackend, RunId},
};
use bytes::Bytes;
use serde_json::Value;
use std::{
    error::Error as _,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The most spans of a request, as OpenTelemetry's own exporters have it, and about the most bytes.
const MAX_SPANS: usize = 512;
const MAX_BYTES: usize = 1 << 20;

/// A span is sent when its branch has ended.
impl LoggerBackend for OtlpBackend {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        Ok(RunId(branch.id.to_string()))
    }

    async fn log_status(&self, _: &RunId, branch: &Branch) -> Result<(), BoxError> {
        self.log_batch(std::slice::from_ref(branch)).await.map_err(|error| error.source)
    }

    /// The branch carries its failure.
    async fn log_exception(&self, _: &RunId, _: &Failure) -> Result<(), BoxError> {
        Ok(())
    }

    /// A span names the config by its id.
    async fn log_params(&self, _: &RunId, _: &Value) -> Result<(), BoxError> {
        Ok(())
    }

    async fn log_batch(&self, batch: &[Branch]) -> Result<(), BatchError> {
        let source = self.source();
        let branches: Vec<&Branch> = batch.iter().filter(|one| self.is_sampled(one)).collect();
        let mut waiting = &branches[..];
        let mut loss = Loss::default();
        while !waiting.is_empty() {
            let spans = self.portion(waiting);
            waiting = &waiting[spans.len()..];
            let sent = spans.len() as u64;
            match self.send(&source, &spans).await {
                Ok(()) => count(&self.counters.sent, sent),
                Err(OtlpError::PartlyTaken { rejected, message }) => {
                    let rejected = rejected.min(sent);
                    count(&self.counters.sent, sent - rejected);
                    count(&self.counters.rejected, rejected);
                    loss.add(rejected, OtlpError::PartlyTaken { rejected, message });
                }
                Err(error) => {
                    let mut lost = sent;
                    if error.is_transient() {
                        // What would only wait for as long again is not tried.
                        lost += std::mem::take(&mut waiting).len() as u64;
                    }
                    count(&self.counters.lost, lost);
                    loss.add(lost, error);
                }
            }
        }
        loss.into_result()
    }
}

impl OtlpBackend {
    fn source(&self) -> Source {
        Source::new(self.resource.iter().map(|(key, value)| (&**key, &**value)))
    }

    /// As many of them as go into one request, at least one.
    fn portion(&self, branches: &[&Branch]) -> Vec<SpanMessage> {
        let (mut spans, mut bytes) = (Vec::new(), 0);
        for branch in branches.iter().take(MAX_SPANS) {
            let span = span(branch, self.kind);
            bytes += span.len();
            spans.push(span);
            if bytes >= MAX_BYTES {
                break;
            }
        }
        spans
    }

    /// Whether the caller records the trace; one that began here is recorded.
    fn is_sampled(&self, branch: &Branch) -> bool {
        let sampled = branch.trace.is_none_or(|trace| trace.flags & TraceParent::SAMPLED != 0);
        if !sampled {
            count(&self.counters.not_sampled, 1);
        }
        sampled
    }

    /// Sends until they are taken or there is no more point in it.
    async fn send(&self, source: &Source, spans: &[SpanMessage]) -> Result<(), OtlpError> {
        let body = Bytes::from(source.request(spans));
        let (began, mut pauses) = (Instant::now(), Pauses::new());
        loop {
            let error = match self.client.send(&body).await {
                taken @ (Ok(()) | Err(OtlpError::PartlyTaken { .. })) => {
                    if self.failing.swap(false, Relaxed) {
                        tracing::info!(url = self.url(), "the collector takes spans again");
                    }
                    return taken;
                }
                Err(error) => error,
            };
            self.complain(&error);
            if !error.is_transient() {
                return Err(error);
            }
            let asked = match &error {
                OtlpError::Answered { retry_after: Some(seconds), .. } => {
                    Duration::from_secs(*seconds)
                }
                _ => Duration::ZERO,
            };
            let pause = pauses.next(asked);
            let left = self.give_up_after.saturating_sub(began.elapsed());
            if pause >= left {
                // Giving up early would only lose the next spans sooner.
                sleep(left).await;
                return Err(error);
            }
            sleep(pause).await;
        }
    }

    /// Once per outage: the counts say the rest.
    fn complain(&self, error: &OtlpError) {
        if !self.failing.swap(true, Relaxed) {
            let cause = error.source().map(tracing::field::display);
            tracing::warn!(%error, cause, url = self.url(), "the collector does not take spans");
        }
    }
}

/// What of a batch was not taken.
#[derive(Default)]
struct Loss {
    lost: u64,
    first: Option<OtlpError>,
}

impl Loss {
    fn add(&mut self, lost: u64, error: OtlpError) {
        self.lost += lost;
        self.first.get_or_insert(error);
    }

    fn into_result(self) -> Result<(), BatchError> {
        self.first.map_or(Ok(()), |error| {
            let lost = usize::try_from(self.lost).unwrap_or(usize::MAX);
            Err(BatchError { lost, source: error.into() })
        })
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Relaxed);
}
