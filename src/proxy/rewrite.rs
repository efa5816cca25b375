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
use std::{
    pin::{Pin, pin},
    time::Duration,
};

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
    let (mut parts, body) = request.into_parts();
    let mut body = pin!(body);
    if body.size_hint().lower() > limit as u64 {
        if !parts.headers.contains_key(header::EXPECT) {
            discard(body).await;
        }
        return Ok(None);
    }
    let bytes = match Limited::new(body.as_mut(), limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            discard(body).await;
            return Ok(None);
        }
        Err(error) => {
            return Err(Failure::new(FailureKind::Incomplete, error.to_string()).into());
        }
    };
    let bytes = edit.apply(&bytes).map_or(bytes, Bytes::from);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Ok(Some(Request::from_parts(parts, Full::new(bytes).into())))
}

/// How much of a body that is too large is read all the same, and how long that may take.
const DISCARDED: usize = 64 << 20;
const DISCARDING: Duration = Duration::from_secs(5);

/// Many callers listen only when they have sent all: a refusal before that is lost with the
/// connection.
async fn discard(mut body: Pin<&mut ProxyBody>) {
    let rest = async {
        let mut left = DISCARDED;
        while left > 0
            && let Some(Ok(frame)) = body.frame().await
        {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len).max(1));
        }
    };
    let _ = tokio::time::timeout(DISCARDING, rest).await;
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase())
        .is_some_and(|media| media.ends_with("/json") || media.ends_with("+json"))
}
