//! The primary's response body, where it is compared.

use super::{Settled, settled::Gather};
use crate::carrier::Keep;
use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The primary's response body: as it is, or watched to compare it. Nothing is held up; what is kept
/// of a watched body is bounded (`capture_bytes`).
#[pin_project]
pub struct WatchBody<B> {
    #[pin]
    inner: B,
    watching: Option<Box<Watching>>,
}

struct Watching {
    /// `None` once it is complete.
    parts: Option<(Response<()>, Gather, Keep<Response<Settled>>)>,
    /// Bytes still to come, where the length is known.
    left: Option<u64>,
}

impl Watching {
    fn gather(&mut self, frame: &Frame<Bytes>) {
        let Some((_, gather, _)) = &mut self.parts else { return };
        if let Some(data) = frame.data_ref() {
            gather.data(data);
            self.left = self.left.and_then(|left| left.checked_sub(data.len() as u64));
        } else if let Some(trailers) = frame.trailers_ref() {
            gather.trailers(trailers);
        }
    }

    fn complete(&mut self) {
        if let Some((head, gather, keep)) = self.parts.take() {
            keep.take(head.map(|()| gather.settled()));
        }
    }
}

impl Drop for Watching {
    /// Whoever knows the length does not ask again after the last byte. (Trailers might follow, so
    /// that is the end only now.)
    fn drop(&mut self) {
        if self.left == Some(0) {
            self.complete();
        }
    }
}

impl<B> WatchBody<B> {
    pub(super) const fn unwatched(inner: B) -> Self {
        Self { inner, watching: None }
    }
}

impl<B: Body<Data = Bytes>> WatchBody<B> {
    /// `has_body`: what is in there will be sent.
    pub(super) fn watched(
        inner: B,
        head: Response<()>,
        gather: Gather,
        keep: Keep<Response<Settled>>,
        has_body: bool,
    ) -> Self {
        let left = inner.size_hint().exact();
        let mut watching = Box::new(Watching { parts: Some((head, gather, keep)), left });
        if !has_body || inner.is_end_stream() || left == Some(0) {
            watching.complete();
            return Self::unwatched(inner);
        }
        Self { inner, watching: Some(watching) }
    }
}

impl<B: Body<Data = Bytes>> Body for WatchBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        let Some(watching) = this.watching else { return Poll::Ready(frame) };
        match &frame {
            None => watching.complete(),
            Some(Ok(frame)) => {
                watching.gather(frame);
                // Nobody asks again after the trailers.
                if frame.is_trailers() || this.inner.is_end_stream() {
                    watching.complete();
                }
            }
            // It broke off: there is nothing to compare.
            Some(Err(_)) => watching.parts = None,
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

impl<B: Default> Default for WatchBody<B> {
    fn default() -> Self {
        Self::unwatched(B::default())
    }
}

impl<B> fmt::Debug for WatchBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchBody")
            .field("watched", &self.watching.is_some())
            .finish_non_exhaustive()
    }
}
