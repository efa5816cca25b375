//! A request body of which the beginning was read before the strategy was asked.

use super::rewrite::is_json;
use crate::http::JsonBody;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use pin_project::pin_project;
use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// What was read of a body, and then the rest of it.
#[pin_project]
pub struct Held {
    read: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
    /// How it broke off while it was read.
    broken: Option<hyper::Error>,
    #[pin]
    rest: Option<Incoming>,
}

/// Reads a JSON body up to `limit` bytes and puts it into the extensions, for rules and keys to look
/// at. One that is larger or no JSON goes on as it is, and nothing is known of it.
pub(super) async fn read(request: Request<Incoming>, limit: usize) -> Request<Held> {
    let (mut parts, mut body) = request.into_parts();
    let mut held = Held { read: VecDeque::new(), trailers: None, broken: None, rest: None };
    let fits = body.size_hint().lower() <= limit as u64;
    if body.is_end_stream() || !fits || !is_json(&parts.headers) {
        held.rest = Some(body);
        return Request::from_parts(parts, held);
    }
    let mut size = 0;
    while size <= limit {
        match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    size += data.len();
                    held.read.push_back(data);
                }
                Err(frame) => held.trailers = frame.into_trailers().ok(),
            },
            Some(Err(error)) => {
                held.broken = Some(error);
                return Request::from_parts(parts, held);
            }
            None => {
                let whole = held.read.iter().fold(Vec::with_capacity(size), |mut whole, data| {
                    whole.extend_from_slice(data);
                    whole
                });
                if let Ok(value) = serde_json::from_slice(&whole) {
                    parts.extensions.insert(JsonBody::new(value));
                }
                held.read = VecDeque::from([Bytes::from(whole)]);
                held.read.retain(|data| !data.is_empty());
                return Request::from_parts(parts, held);
            }
        }
    }
    held.rest = Some(body);
    Request::from_parts(parts, held)
}

impl Body for Held {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut this = self.project();
        if let Some(data) = this.read.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if let Some(error) = this.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        if let Some(trailers) = this.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        match this.rest.as_mut().as_pin_mut() {
            Some(rest) => Poll::Ready(ready!(rest.poll_frame(cx))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty()
            && self.broken.is_none()
            && self.trailers.is_none()
            && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.iter().map(|data| data.len() as u64).sum::<u64>();
        let rest = match &self.rest {
            Some(rest) => rest.size_hint(),
            None if self.broken.is_some() => SizeHint::default(),
            None => SizeHint::with_exact(0),
        };
        let mut hint = SizeHint::new();
        // The upper bound first would be below the lower one for a moment.
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(read)) {
            hint.set_upper(upper);
        }
        hint.set_lower(rest.lower().saturating_add(read));
        hint
    }
}
