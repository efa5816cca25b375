//! A body that is read by one and heard by several.

use super::tap::Tap;
use crate::branch::FailureKind;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::{pin_project, pinned_drop};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Reads the caller's body at the primary's pace, and lets the copies hear it.
#[pin_project(PinnedDrop)]
pub(super) struct Tee<B> {
    #[pin]
    inner: B,
    taps: Vec<Tap>,
    /// Bytes still to come, where the length is known. (One that turns out larger was not known.)
    left: Option<u64>,
}

impl<B: Body<Data = Bytes>> Tee<B> {
    /// The body has `expected` bytes, if that is known.
    pub(super) fn new(inner: B, mut taps: Vec<Tap>, expected: Option<u64>) -> Self {
        if inner.is_end_stream() {
            finish(&mut taps);
        }
        Self { inner, taps, left: expected }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    pub(super) fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    *this.left = this.left.and_then(|left| left.checked_sub(data.len() as u64));
                    this.taps.iter_mut().for_each(|tap| tap.data(data));
                } else if let Some(trailers) = frame.trailers_ref() {
                    this.taps.iter_mut().for_each(|tap| tap.trailers(trailers));
                }
                // Nobody asks again after the trailers.
                if frame.is_trailers() || this.inner.is_end_stream() {
                    finish(this.taps);
                }
            }
            Some(Err(_)) => break_off(this.taps, "the caller's request body broke off"),
            None => finish(this.taps),
        }
        Poll::Ready(frame)
    }
}

fn finish(taps: &mut Vec<Tap>) {
    taps.drain(..).for_each(|mut tap| tap.finish());
}

fn break_off(taps: &mut Vec<Tap>, message: &str) {
    taps.drain(..).for_each(|mut tap| tap.fail(FailureKind::Incomplete, message.to_owned()));
}

#[pinned_drop]
impl<B> PinnedDrop for Tee<B> {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        // A client that knows the length stops reading at the last byte.
        if *this.left == Some(0) {
            finish(this.taps);
        } else {
            break_off(this.taps, "the primary did not read the whole request body");
        }
    }
}
