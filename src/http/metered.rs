//! A request body whose bytes are counted as its service reads them.

use super::content::Body;
use crate::trial::{Meter, Place};
use bytes::Buf;
use http_body::{Frame, SizeHint};
use pin_project::pin_project;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// A request body whose bytes are counted as its service reads them, once it knows for whom.
#[pin_project]
pub(crate) struct Metered<B> {
    #[pin]
    inner: B,
    passed: u64,
    meter: Option<Arc<Meter>>,
    kept: Option<Box<Kept>>,
}

/// What is kept of it for those that evaluate the branch.
struct Kept {
    /// Until it has come to its end.
    body: Option<Body>,
    meter: Arc<Meter>,
    /// Bytes still to come, where the length is known.
    left: Option<u64>,
}

impl Kept {
    fn data(&mut self, data: &impl Buf) {
        let Some(body) = &mut self.body else { return };
        let chunk = data.chunk();
        self.left = self.left.and_then(|left| left.checked_sub(data.remaining() as u64));
        if chunk.len() == data.remaining() { body.data(chunk) } else { body.scattered() }
    }

    fn ended(&mut self) {
        if let Some(body) = self.body.take() {
            self.meter.keep(|kept| kept.request = Some(body.unread()));
        }
    }
}

impl Drop for Kept {
    /// Whoever knows the length does not ask again after the last byte.
    fn drop(&mut self) {
        if self.left == Some(0) {
            self.ended();
        }
    }
}

impl<B: http_body::Body> Metered<B> {
    pub(crate) const fn new(inner: B) -> Self {
        Self { inner, passed: 0, meter: None, kept: None }
    }

    /// Counts for the branch of this place from here on, if it is recorded.
    pub(crate) fn count_for(self: Pin<&mut Self>, place: &Place) {
        let this = self.project();
        let Some(meter) = place.meter() else { return };
        meter.count_bytes_in(*this.passed);
        // What is empty is counted already.
        *this.meter = (!this.inner.is_end_stream()).then(|| meter.clone());
    }

    /// Keeps it for those that evaluate the branch of this place, if it is recorded.
    pub(crate) fn keep_for(self: Pin<&mut Self>, place: &Place, body: Body) {
        let this = self.project();
        if let Some(meter) = place.meter().filter(|_| *this.passed == 0) {
            let (meter, left) = (meter.clone(), this.inner.size_hint().exact());
            *this.kept = Some(Box::new(Kept { body: Some(body), meter, left }));
        }
    }
}

impl<B: http_body::Body> http_body::Body for Metered<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        if let Some(kept) = this.kept {
            match &frame {
                Some(Ok(frame)) => {
                    frame.data_ref().into_iter().for_each(|data| kept.data(data));
                    if frame.is_trailers() || this.inner.is_end_stream() {
                        kept.ended();
                    }
                }
                Some(Err(_)) => kept.body = None,
                None => kept.ended(),
            }
        }
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            *this.passed += data.remaining() as u64;
            if let Some(meter) = this.meter {
                meter.count_bytes_in(*this.passed);
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
