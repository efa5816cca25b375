//! A response body whose end is the end of its branch.

use crate::{
    branch::{Failure, FailureKind},
    record::{End, Open},
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
/// one that is dropped early was cancelled.
#[pin_project]
pub struct RecordBody<B> {
    #[pin]
    inner: B,
    open: Option<(Open, End<Value>)>,
    /// Bytes still to come, where the length is known.
    left: Option<u64>,
}

impl<B: Body> RecordBody<B> {
    pub(super) fn new(inner: B, open: Option<(Open, End<Value>)>) -> Self {
        let left = inner.size_hint().exact();
        let mut open = open;
        if inner.is_end_stream() || left == Some(0) {
            end(&mut open);
        }
        Self { inner, open, left }
    }
}

fn end(open: &mut Option<(Open, End<Value>)>) {
    if let Some((open, end)) = open.take() {
        open.end(end);
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
            None => end(this.open),
            Some(Ok(frame)) => {
                let len = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                *this.left = this.left.map(|left| left.saturating_sub(len));
                // Whoever knows the length does not ask again after the last byte.
                if *this.left == Some(0) || this.inner.is_end_stream() {
                    end(this.open);
                }
            }
            Some(Err(error)) => {
                if let Some((open, _)) = this.open.take() {
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
        Self { inner: B::default(), open: None, left: Some(0) }
    }
}

impl<B> fmt::Debug for RecordBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBody").field("open", &self.open.is_some()).finish_non_exhaustive()
    }
}
