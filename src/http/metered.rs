//! A request body whose bytes are counted as its service reads them.

use crate::trial::{Meter, Place};
use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
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
}

impl<B: Body> Metered<B> {
    pub(crate) const fn new(inner: B) -> Self {
        Self { inner, passed: 0, meter: None }
    }

    /// Counts for the branch of this place from here on, if it is recorded.
    pub(crate) fn count_for(self: Pin<&mut Self>, place: &Place) {
        let this = self.project();
        let Some(meter) = place.meter() else { return };
        meter.count_bytes_in(*this.passed);
        // What is empty is counted already.
        *this.meter = (!this.inner.is_end_stream()).then(|| meter.clone());
    }
}

impl<B: Body> Body for Metered<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
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
