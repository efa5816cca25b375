//! What goes back.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{Either, Full, combinators::UnsyncBoxBody};
use serde::Serialize;
use std::io;

/// A body that is there as a whole, or one that streams.
pub(super) type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, io::Error>>;

/// A whole answer: a status, and JSON.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    content_type: HeaderValue,
    body: Bytes,
}

impl Reply {
    pub(super) fn json(value: &impl Serialize) -> Self {
        // Only maps with keys that are no strings, and failing `Serialize`, cannot be written;
        // what is written here has neither.
        let body = serde_json::to_vec(value).unwrap_or_default();
        let content_type = HeaderValue::from_static("application/json");
        Self { status: StatusCode::OK, content_type, body: body.into() }
    }

    /// `{}`: it was done, and there is nothing to say.
    pub(super) fn done() -> Self {
        let content_type = HeaderValue::from_static("application/json");
        Self { status: StatusCode::OK, content_type, body: Bytes::from_static(b"{}") }
    }

    /// No body at all.
    pub(super) fn empty() -> Self {
        Self { body: Bytes::new(), ..Self::done() }
    }

    pub(super) fn text(text: impl Into<Bytes>) -> Self {
        Self::typed("text/plain; charset=utf-8", text)
    }

    pub(super) fn typed(content_type: &'static str, text: impl Into<Bytes>) -> Self {
        let content_type = HeaderValue::from_static(content_type);
        Self { status: StatusCode::OK, content_type, body: text.into() }
    }

    pub(super) fn bytes(content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, content_type, body: body.into() }
    }

    pub(super) const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Either::Left(Full::new(self.body)));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, self.content_type);
        response
    }
}
