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

/// Changes the body as the variant wants it; one that is empty or not JSON stays as it is. `None`
/// when it is larger than what may be held to change it. Only here is a request body held as a whole.
pub(super) async fn rewrite(
    request: Request<ProxyBody>,
    target: &Target,
) -> Result<Option<Request<ProxyBody>>, BoxError> {
    let Some(edit) = &target.json else { return Ok(Some(request)) };
    if request.body().is_end_stream() || !is_json(request.headers()) {
        return Ok(Some(request));
    }
    let limit = target.rewrite_limit;
    if request.body().size_hint().lower() > limit as u64 {
        return Ok(None);
    }
    let (mut parts, body) = request.into_parts();
    let bytes = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Ok(None),
        Err(error) => {
            return Err(Failure::new(FailureKind::Incomplete, error.to_string()).into());
        }
    };
    let bytes = edit.apply(&bytes).map_or(bytes, Bytes::from);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Ok(Some(Request::from_parts(parts, Full::new(bytes).into())))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase())
        .is_some_and(|media| media.ends_with("/json") || media.ends_with("+json"))
}
