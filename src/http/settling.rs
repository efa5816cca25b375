//! Reading the answer of a shadow to its end.

use super::{Settled, settled::Gather};
use crate::{
    branch::{Failure, FailureKind},
    trial::Reason,
};
use bytes::Bytes;
use http::{Response, response::Parts};
use http_body::Body;
use pin_project::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Reads a response to its end, within bounds. (Written by hand: an `async fn` would hold the response
/// three times, and every shadow has one.)
#[pin_project]
pub(super) struct Settling<'a, B> {
    #[pin]
    body: B,
    /// Until it has ended.
    rest: Option<(Parts, Gather)>,
    max_bytes: usize,
    reason: &'a Reason,
}

impl<'a, B> Settling<'a, B> {
    /// `reason` is left where the response has more than so many bytes.
    pub(super) fn new(
        response: Response<B>,
        gather: Gather,
        max_bytes: usize,
        reason: &'a Reason,
    ) -> Self {
        let (parts, body) = response.into_parts();
        Self { body, rest: Some((parts, gather)), max_bytes, reason }
    }
}

impl<B> Future for Settling<'_, B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<crate::BoxError>,
{
    type Output = Result<Response<Settled>, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        while let Some((_, gather)) = this.rest {
            if gather.len().saturating_add(this.body.size_hint().lower()) > *this.max_bytes as u64 {
                let failure = Failure::new(
                    FailureKind::Oversized,
                    format!("the response has more than {} bytes", this.max_bytes),
                );
                this.reason.failed(failure.clone());
                return Poll::Ready(Err(failure));
            }
            let Some(frame) = ready!(this.body.as_mut().poll_frame(cx)) else { break };
            let frame = frame.map_err(|error| {
                let failure = Failure::of_error(&error.into());
                Failure { kind: FailureKind::Truncated, ..failure }
            })?;
            if let Some(data) = frame.data_ref() {
                gather.data(data);
            } else if let Some(trailers) = frame.trailers_ref() {
                gather.trailers(trailers);
            }
        }
        match this.rest.take() {
            Some((parts, gather)) => Poll::Ready(Ok(Response::from_parts(parts, gather.settled()))),
            None => Poll::Pending,
        }
    }
}
