//! A request body of which the beginning was read before the strategy was asked.

use super::rewrite::is_json;
use crate::http::JsonBody;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use pin_project::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

/// What was read of a body, and then the rest of it.
#[pin_project]
pub struct Held {
    read: Bytes,
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
    let mut held = Held { read: Bytes::new(), trailers: None, broken: None, rest: None };
    let fits = body.size_hint().lower() <= limit as u64;
    if body.is_end_stream() || !fits || !is_json(&parts.headers) {
        held.rest = Some(body);
        return Request::from_parts(parts, held);
    }
    // In one piece: each piece would cost more than its bytes, and an empty one nothing else.
    let mut whole = BytesMut::new();
    while whole.len() <= limit {
        match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => whole.extend_from_slice(&data),
                Err(frame) => held.trailers = frame.into_trailers().ok(),
            },
            Some(Err(error)) => {
                (held.read, held.broken) = (whole.freeze(), Some(error));
                return Request::from_parts(parts, held);
            }
            None => {
                if let Ok(value) = serde_json::from_slice(&whole) {
                    parts.extensions.insert(JsonBody::new(value));
                }
                held.read = whole.freeze();
                return Request::from_parts(parts, held);
            }
        }
    }
    (held.read, held.rest) = (whole.freeze(), Some(body));
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
        if !this.read.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(this.read)))));
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
        let read = self.read.len() as u64;
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

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;
    use hyper::{server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioIo;
    use std::{convert::Infallible, sync::Mutex};
    use tokio::io::AsyncWriteExt as _;

    /// The sizes of the pieces that a body of one-byte chunks goes on in.
    async fn pieces(chunks: usize, limit: usize) -> Vec<usize> {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
                    transfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        let body = format!("{head}{}0\r\n\r\n", "1\r\n7\r\n".repeat(chunks));
        client.write_all(body.as_bytes()).await.unwrap();
        let sizes = Mutex::new(Vec::new());
        let service = service_fn(|request| async {
            let mut body = read(request, limit).await.into_body();
            while let Some(frame) = body.frame().await {
                sizes.lock().unwrap().push(frame.unwrap().into_data().unwrap().len());
            }
            Ok::<_, Infallible>(Response::new(String::new()))
        });
        http1::Builder::new().serve_connection(TokioIo::new(server), service).await.unwrap();
        sizes.into_inner().unwrap()
    }

    /// Each piece costs more than its bytes; an empty one would cost nothing but memory.
    #[tokio::test]
    async fn what_was_read_is_held_in_one_piece_however_many_it_came_in() {
        assert_eq!(pieces(12, 100).await, [12]);
        assert_eq!(pieces(12, 8).await, [9, 1, 1, 1]);
    }
}
