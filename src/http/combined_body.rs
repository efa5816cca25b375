//! The body of a combined response.

use super::combine::entry;
use crate::{BoxError, carrier::Pump, multi_branch::BranchStream};
use bytes::Bytes;
use futures_util::stream::Stream;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The body of a combined response: one of the branches' own, or made of all of them.
#[pin_project]
pub struct CombinedBody<B> {
    #[pin]
    inner: Inner<B>,
}

#[pin_project(project = Projected)]
enum Inner<B> {
    /// One branch's own, and what feeds its request until then.
    Own(#[pin] B, Option<Pump>),
    Bytes(Option<Bytes>),
    Lines(BranchStream<Response<Bytes>>),
    Events(Option<BranchStream<Response<Bytes>>>),
}

impl<B> CombinedBody<B> {
    pub(super) const fn own(body: B, pump: Option<Pump>) -> Self {
        Self { inner: Inner::Own(body, pump) }
    }

    pub(super) fn bytes(bytes: Bytes) -> Self {
        Self { inner: Inner::Bytes(Some(bytes).filter(|bytes| !bytes.is_empty())) }
    }

    pub(super) const fn lines(branches: BranchStream<Response<Bytes>>) -> Self {
        Self { inner: Inner::Lines(branches) }
    }

    pub(super) const fn events(branches: BranchStream<Response<Bytes>>) -> Self {
        Self { inner: Inner::Events(Some(branches)) }
    }
}

impl<B> Body for CombinedBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let text = match self.project().inner.project() {
            Projected::Own(body, pump) => {
                if let Some(running) = pump
                    && running.as_mut().poll(cx).is_ready()
                {
                    *pump = None;
                }
                return body.poll_frame(cx).map_err(Into::into);
            }
            Projected::Bytes(bytes) => {
                return Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b))));
            }
            Projected::Lines(branches) => match ready!(Pin::new(branches).poll_next(cx)) {
                Some(branch) => format!("{}\n", entry(&branch)),
                None => return Poll::Ready(None),
            },
            Projected::Events(events) => {
                let Some(branches) = events else { return Poll::Ready(None) };
                match ready!(Pin::new(branches).poll_next(cx)) {
                    Some(branch) => format!("event: branch\ndata: {}\n\n", entry(&branch)),
                    None => {
                        *events = None;
                        "event: done\ndata: {}\n\n".to_owned()
                    }
                }
            }
        };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(text)))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Own(body, _) => body.is_end_stream(),
            Inner::Bytes(bytes) => bytes.is_none(),
            Inner::Lines(_) => false,
            Inner::Events(events) => events.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Own(body, _) => body.size_hint(),
            Inner::Bytes(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            Inner::Lines(_) | Inner::Events(_) => SizeHint::default(),
        }
    }
}

impl<B> fmt::Debug for CombinedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CombinedBody").finish_non_exhaustive()
    }
}
