//! The service that records, around a plain service.

use super::{Capture, LogFuture, LogLayer, Recorder, call_watched, layer::Hook, span::BranchSpan};
#[cfg(feature = "compare")]
use crate::trial::Unread;
use crate::{
    branch::Branch,
    caught::caught,
    evaluate::Evaluating,
    trial::{Duty, End, Record, Seat, Sink, Trial},
};
#[cfg(feature = "http")]
use crate::{branch::Role, clock::Tick};
use serde_json::Value;
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;
use tracing::span::Entered;

/// Records each execution of the service inside it; see [the module](super).
#[derive(Debug, Clone)]
pub struct Log<S, K = ()> {
    pub(crate) inner: S,
    pub(crate) layer: LogLayer<K>,
}

impl<S, K> Log<S, K> {
    /// The service inside.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside, to change.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service inside, alone.
    pub fn into_inner(self) -> S {
        self.inner
    }

    pub(crate) fn open(&self, seat: &mut Seat) -> Option<Open> {
        let recorder = &self.layer.recorder;
        seat.take_over(|| Arc::new(recorder.clone())).map(|duty| Open::new(duty, &self.layer))
    }
}

impl<S, R, K> Service<Trial<R>> for Log<S, K>
where
    S: Service<Trial<R>>,
    S::Error: fmt::Display + fmt::Debug + 'static,
    K: Capture<S::Response> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = LogFuture<S::Future, K>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut trial: Trial<R>) -> Self::Future {
        let mut open = self.open(&mut trial.seat);
        let inner = call_watched(&mut open, || self.inner.call(trial));
        LogFuture::new(inner, open, self.layer.capture.clone())
    }
}

/// A branch that a logging layer answers for, until it ends it.
pub(crate) struct Open {
    duty: Option<Duty>,
    span: BranchSpan,
    recorder: Recorder,
    hook: Option<Hook>,
    evaluate: Option<Evaluating>,
}

impl Open {
    fn new<K>(duty: Duty, layer: &LogLayer<K>) -> Self {
        let (span, recorder) = (BranchSpan::open(&duty.place), layer.recorder.clone());
        let (hook, evaluate) = (layer.hook.clone(), layer.evaluate.clone());
        Self { duty: Some(duty), span, recorder, hook, evaluate }
    }

    /// Whether it lives on without the caller.
    #[cfg(feature = "http")]
    pub(crate) fn is_background(&self) -> bool {
        let role = self.duty.as_ref().map(|duty| duty.place.role());
        matches!(role, Some(Role::Shadow | Role::Control))
    }

    /// The head of the response is there, and nothing of its body yet.
    #[cfg(feature = "http")]
    pub(crate) fn first_byte(&self) {
        if let Some(duty) = &self.duty
            && let Some(meter) = duty.place.meter()
        {
            meter.first_byte(Tick::now().since(duty.place.start));
            meter.count_bytes_out(0);
        }
    }

    /// What measures the answers here, if something does.
    #[cfg(feature = "compare")]
    pub(crate) const fn evaluating(&self) -> Option<&Evaluating> {
        self.evaluate.as_ref()
    }

    /// Keeps what was answered for those that measure it.
    #[cfg(feature = "compare")]
    pub(crate) fn keep_response(&self, response: Unread) {
        if let Some(meter) = self.duty.as_ref().and_then(|duty| duty.place.meter()) {
            meter.keep(|kept| kept.response = Some(response));
        }
    }

    /// The service says a number of the branch.
    #[cfg(feature = "http")]
    pub(crate) fn metric(&self, name: &str, value: f64) {
        if let Some(duty) = &self.duty {
            duty.place.metric(name, value);
        }
    }

    /// So much of the response body passed so far.
    #[cfg(feature = "http")]
    pub(crate) fn count_bytes_out(&self, total: u64) {
        if let Some(meter) = self.duty.as_ref().and_then(|duty| duty.place.meter()) {
            meter.count_bytes_out(total);
        }
    }

    /// What is logged until this is dropped belongs to the branch.
    pub(crate) fn enter(&self) -> Option<Entered<'_>> {
        self.span.enter()
    }

    /// The one end of this branch.
    pub(crate) fn end(mut self, end: End<Value>) {
        self.finish(Some(end));
    }

    fn finish(&mut self, seen: Option<End<Value>>) {
        let Some(duty) = self.duty.take() else { return };
        let end = duty.judge(seen);
        self.span.end(&end);
        let record = Record::new(duty.place, end);
        match (&self.hook, &self.evaluate) {
            (None, None) => self.recorder.record(record),
            (Some(hook), None) => {
                let branch = record.into_branch();
                call(hook, &branch);
                self.recorder.record_branch(branch);
            }
            (hook, Some(evaluate)) => {
                if let Some(hook) = hook {
                    call(hook, &record.to_branch());
                }
                evaluate.take(record, self.recorder.clone());
            }
        }
    }
}

/// This may be a drop in the middle of another panic.
fn call(hook: &Hook, branch: &Branch) {
    if let Err(panic) = caught(|| hook(branch)) {
        tracing::error!(%panic, "the `on_branch` hook panicked");
    }
}

impl Drop for Open {
    /// Dropped before its end: cancelled, or for the reason its strategy left.
    fn drop(&mut self) {
        self.finish(None);
    }
}
