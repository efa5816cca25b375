//! The future of a recorded execution.

use super::{Capture, Open};
use crate::{branch::Failure, caught::caught, trial::End};
use pin_project::pin_project;
use serde_json::Value;
use std::{
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The future of a recorded execution: the inner one, watched.
#[pin_project]
pub struct LogFuture<F, K> {
    #[pin]
    inner: F,
    open: Option<Open>,
    capture: K,
}

impl<F, K> LogFuture<F, K> {
    pub(crate) const fn new(inner: F, open: Option<Open>, capture: K) -> Self {
        Self { inner, open, capture }
    }
}

impl<F, K, T, E> Future for LogFuture<F, K>
where
    F: Future<Output = Result<T, E>>,
    E: fmt::Display + fmt::Debug + 'static,
    K: Capture<T>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(poll_watched(this.inner, cx, this.open));
        if let Some(open) = this.open.take() {
            open.end(match &result {
                Ok(response) => End::Success(captured(this.capture, response)),
                Err(error) => End::Failed(Box::new(Failure::of_error(error))),
            });
        }
        Poll::Ready(result)
    }
}

/// Calls a service; if it panics, the branch ends as failed before the panic goes on.
pub(crate) fn call_watched<T>(open: &mut Option<Open>, call: impl FnOnce() -> T) -> T {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _entered = open.as_ref().and_then(Open::enter);
        call()
    }));
    result.unwrap_or_else(|panic| {
        if let Some(open) = open.take() {
            open.end(End::Failed(Box::new(Failure::of_panic(&*panic))));
        }
        resume_unwind(panic)
    })
}

/// As [`call_watched`], for polling its future.
pub(crate) fn poll_watched<F: Future>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
    open: &mut Option<Open>,
) -> Poll<F::Output> {
    call_watched(open, || future.poll(cx))
}

/// A panic in the user's `capture` costs the output, not the response.
pub(crate) fn captured<T, K: Capture<T>>(capture: &K, response: &T) -> Option<Value> {
    caught(|| capture.capture(response)).unwrap_or_else(|panic| {
        tracing::error!(%panic, "`capture` panicked; the output is not recorded");
        None
    })
}

impl<F, K> fmt::Debug for LogFuture<F, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogFuture").finish_non_exhaustive()
    }
}
