//! A response body whose end is the end of its branch.

use super::metric_header;
#[cfg(feature = "compare")]
use crate::evaluate::Evaluating;
use crate::{
    branch::{Failure, FailureKind},
    record::{Classifier, Open},
    trial::End,
};
use bytes::Buf;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use serde_json::Value;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tracing::span::Entered;

/// A response body, watched: its branch ends when it does. A body that breaks off is a failure,
/// one that is dropped early was cancelled (unless the status had said already that it failed).
#[pin_project]
pub struct RecordBody<B> {
    #[pin]
    inner: B,
    ending: Option<Ending>,
    /// Bytes still to come, where the length is known.
    left: Option<u64>,
    /// Bytes that have passed.
    passed: u64,
}

/// The branch, and how it ends if the body does.
pub(super) struct Ending {
    /// `None` once it has ended.
    open: Option<(Open, End<Value>)>,
    /// Over gRPC the trailers say how it ended.
    trailers: Option<Classifier>,
    /// The last byte has passed; only trailers may follow.
    is_whole: bool,
    /// What is kept of the body for those that measure it.
    #[cfg(feature = "compare")]
    body: Option<Box<super::content::Body>>,
}

impl Ending {
    pub(super) fn new(open: Open, end: End<Value>) -> Self {
        Self {
            open: Some((open, end)),
            trailers: None,
            is_whole: false,
            #[cfg(feature = "compare")]
            body: None,
        }
    }

    /// Keeps the body with these headers, if somebody measures it.
    #[cfg(feature = "compare")]
    pub(super) fn keeping(mut self, headers: &HeaderMap) -> Self {
        let evaluate = self.open.as_ref().and_then(|(open, _)| open.evaluating());
        let keep = |evaluate: &Evaluating| super::content::Body::new(evaluate.capture(), headers);
        self.body = evaluate.map(keep).map(Box::new);
        self
    }

    fn data(&mut self, data: &impl Buf) {
        #[cfg(feature = "compare")]
        if let Some(body) = &mut self.body {
            let chunk = data.chunk();
            if chunk.len() == data.remaining() { body.data(chunk) } else { body.scattered() }
        }
        #[cfg(not(feature = "compare"))]
        let _ = data;
    }

    pub(super) fn judged_by_trailers(mut self, judged: bool, failures: &Classifier) -> Self {
        self.trailers = judged.then(|| failures.clone());
        self
    }

    fn enter(&self) -> Option<Entered<'_>> {
        self.open.as_ref().and_then(|(open, _)| open.enter())
    }

    fn passed(&self, total: u64) {
        if let Some((open, _)) = &self.open {
            open.count_bytes_out(total);
        }
    }

    /// What the trailers say of the branch; numbers in them are taken out.
    fn trailers(&mut self, trailers: &mut HeaderMap) {
        metric_header::take(trailers, |name, value| {
            if let Some((open, _)) = &self.open {
                open.metric(name, value);
            }
        });
        if let Some(failures) = &self.trailers
            && let Some((_, end)) = &mut self.open
            && let Some(failure) = failures.of_grpc(trailers)
        {
            *end = End::Failed(Box::new(failure));
        }
    }

    /// The last byte has passed, and whoever knows the length does not ask again.
    fn whole(&mut self) {
        self.is_whole = true;
        if self.trailers.is_none() {
            self.complete();
        }
    }

    fn complete(&mut self) {
        if let Some((open, end)) = self.open.take() {
            #[cfg(feature = "compare")]
            if let Some(body) = self.body.take() {
                open.keep_response(body.unread());
            }
            open.end(end);
        }
    }

    fn broken_off(&mut self, failure: Failure) {
        if let Some((open, _)) = self.open.take() {
            open.end(End::Failed(Box::new(failure)));
        }
    }
}

impl Drop for Ending {
    /// Whoever sees a failure in the status need not read what else it says. (Nobody measures half of it.)
    fn drop(&mut self) {
        #[cfg(feature = "compare")]
        if !self.is_whole {
            self.body = None;
        }
        if self.is_whole || matches!(self.open, Some((_, End::Failed(_)))) {
            self.complete();
        }
    }
}

impl<B: Body> RecordBody<B> {
    /// `has_body`: what is in there will be sent.
    pub(super) fn new(inner: B, mut ending: Option<Ending>, has_body: bool) -> Self {
        let left = inner.size_hint().exact();
        if let Some(ending) = &mut ending
            && (!has_body || inner.is_end_stream() || left == Some(0))
        {
            ending.complete();
        }
        Self { inner, ending, left, passed: 0 }
    }
}

impl<B> Body for RecordBody<B>
where
    B: Body,
    B::Error: fmt::Display,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let mut frame = {
            let _entered = this.ending.as_ref().and_then(Ending::enter);
            ready!(this.inner.as_mut().poll_frame(cx))
        };
        let Some(ending) = this.ending else { return Poll::Ready(frame) };
        match &mut frame {
            None => ending.complete(),
            Some(Ok(frame)) => {
                let len = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                *this.left = this.left.and_then(|left| left.checked_sub(len));
                *this.passed += len;
                ending.passed(*this.passed);
                if let Some(data) = frame.data_ref() {
                    ending.data(data);
                }
                if let Some(trailers) = frame.trailers_mut() {
                    ending.trailers(trailers);
                }
                // Nobody asks again after the trailers.
                if frame.is_trailers() || this.inner.is_end_stream() {
                    ending.complete();
                } else if *this.left == Some(0) {
                    ending.whole();
                }
            }
            Some(Err(error)) => {
                ending.broken_off(
                    Failure::new(FailureKind::Truncated, error.to_string())
                        .with_type(std::any::type_name::<B::Error>()),
                );
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Default> Default for RecordBody<B> {
    fn default() -> Self {
        Self { inner: B::default(), ending: None, left: Some(0), passed: 0 }
    }
}

impl<B> fmt::Debug for RecordBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.ending.as_ref().is_some_and(|ending| ending.open.is_some());
        f.debug_struct("RecordBody").field("open", &open).finish_non_exhaustive()
    }
}
