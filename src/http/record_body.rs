//! A response body whose end is the end of its branch.

use crate::{
    branch::{Failure, FailureKind},
    record::Open,
    trial::End,
};
use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use serde_json::Value;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// A response body, watched: its branch ends when it does. A body that breaks off is a failure,
/// one that is dropped early was cancelled (unless the status had said already that it failed).
#[pin_project]
pub struct RecordBody<B> {
    #[pin]
    inner: B,
    open: Ending,
    /// Bytes still to come, where the length is known.
    left: Option<u64>,
}

/// The branch, and how it ends if the body does.
struct Ending(Option<(Open, End<Value>)>);

impl Ending {
    fn complete(&mut self) {
        if let Some((open, end)) = self.0.take() {
            open.end(end);
        }
    }
}

impl Drop for Ending {
    /// Whoever sees a failure in the status need not read what else it says.
    fn drop(&mut self) {
        if matches!(self.0, Some((_, End::Failed(_)))) {
            self.complete();
        }
    }
}

impl<B: Body> RecordBody<B> {
    /// `has_body`: what is in there will be sent.
    pub(super) fn new(inner: B, open: Option<(Open, End<Value>)>, has_body: bool) -> Self {
        let left = inner.size_hint().exact();
        let mut open = Ending(open);
        if !has_body || inner.is_end_stream() || left == Some(0) {
            open.complete();
        }
        Self { inner, open, left }
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
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        match &frame {
            None => this.open.complete(),
            Some(Ok(frame)) => {
                let len = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                *this.left = this.left.map(|left| left.saturating_sub(len));
                // Whoever knows the length does not ask again after the last byte, and nobody after
                // the trailers.
                if frame.is_trailers() || *this.left == Some(0) || this.inner.is_end_stream() {
                    this.open.complete();
                }
            }
            Some(Err(error)) => {
                if let Some((open, _)) = this.open.0.take() {
                    let failure = Failure::new(FailureKind::Truncated, error.to_string())
                        .with_type(std::any::type_name::<B::Error>());
                    open.end(End::Failed(Box::new(failure)));
                }
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
        Self { inner: B::default(), open: Ending(None), left: Some(0) }
    }
}

impl<B> fmt::Debug for RecordBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBody").field("open", &self.open.0.is_some()).finish_non_exhaustive()
    }
}
