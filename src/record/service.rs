//! The service that records, around a plain service.

use super::{Capture, End, LogFuture, LogLayer, Record, Recorder, layer::Hook};
use crate::trial::{Seat, Trial};
use serde_json::Value;
use std::{
    fmt,
    task::{Context, Poll},
};
use tower_service::Service;

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
        seat.take_over(&self.layer.recorder).map(|seat| Open::new(seat, &self.layer))
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
        let open = self.open(&mut trial.seat);
        LogFuture::new(self.inner.call(trial), open, self.layer.capture.clone())
    }
}

/// A branch that a logging layer answers for, until it ends it.
pub(crate) struct Open {
    seat: Option<Seat>,
    recorder: Recorder,
    hook: Option<Hook>,
}

impl Open {
    pub(super) fn new<K>(seat: Seat, layer: &LogLayer<K>) -> Self {
        Self { seat: Some(seat), recorder: layer.recorder.clone(), hook: layer.hook.clone() }
    }

    /// The one end of this branch.
    pub(crate) fn end(mut self, end: End<Value>) {
        self.finish(end);
    }

    fn finish(&mut self, end: End<Value>) {
        let Some(seat) = self.seat.take() else { return };
        let end = seat.judge(end);
        match &self.hook {
            None => seat.end(&self.recorder, end),
            Some(hook) => {
                let record = Record::new(seat.place.clone(), end);
                let branch = record.into_branch();
                hook(&branch);
                seat.end_as(&self.recorder, branch);
            }
        }
    }
}

impl Drop for Open {
    /// Dropped before its end: cancelled, or for the reason its strategy left.
    fn drop(&mut self) {
        if let Some(seat) = &self.seat {
            let end = seat.dropped_end();
            self.finish(end);
        }
    }
}
