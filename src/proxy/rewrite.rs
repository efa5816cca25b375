//! The request body of a variant that changes it.

use super::{body::ProxyBody, target::Target};
use crate::{
    BoxError,
    branch::{Failure, FailureKind},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, header};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};

/// What became of a body that was to be changed.
pub(super) enum Rewritten {
    /// It goes on its way: changed, or as it was if it is empty or not JSON.
    Done(Request<ProxyBody>),
    /// It is larger than what may be held to change it.
    TooLarge,
}

/// Changes the body as the variant wants it. Only here is a request body held as a whole.
pub(super) async fn rewrite(
    request: Request<ProxyBody>,
    target: &Target,
) -> Result<Rewritten, BoxError> {
    let Some(edit) = &target.json else { return Ok(Rewritten::Done(request)) };
    if request.body().is_end_stream() || !is_json(request.headers()) {
        return Ok(Rewritten::Done(request));
    }
    let limit = target.rewrite_limit;
    if request.body().size_hint().lower() > limit as u64 {
        return Ok(Rewritten::TooLarge);
    }
    let (mut parts, body) = request.into_parts();
    let bytes = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Ok(Rewritten::TooLarge),
        Err(error) => {
            return Err(Failure::new(FailureKind::Incomplete, error.to_string()).into());
        }
    };
    let bytes = edit.apply(&bytes).map_or(bytes, Bytes::from);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Ok(Rewritten::Done(Request::from_parts(parts, Full::new(bytes).into())))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase())
        .is_some_and(|media| media.ends_with("/json") || media.ends_with("+json"))
}
