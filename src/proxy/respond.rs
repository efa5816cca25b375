//! What the caller gets when an upstream gives nothing.

use super::body::ReplyBody;
use crate::{
    BoxError,
    branch::{Failure, FailureKind},
};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// 503 when too many wait, 504 when it took too long, 400 when the caller's own body broke off, 502
/// for the rest. The text names the kind and no more: addresses are the operator's business.
pub(super) fn gateway_error(error: &BoxError) -> Response<ReplyBody> {
    let failure = Failure::of_dyn(&**error);
    let status = match failure.kind {
        FailureKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        FailureKind::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        FailureKind::Incomplete => StatusCode::BAD_REQUEST,
        _ => StatusCode::BAD_GATEWAY,
    };
    tracing::debug!(%status, %failure, "no response from the upstream");
    if status == StatusCode::BAD_REQUEST {
        return text(status, "400 Bad Request: the request body broke off\n");
    }
    text(status, format!("{status}: the upstream failed ({})\n", failure.kind))
}

pub(super) fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(Full::new(text.into())));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
