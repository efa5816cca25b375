//! The JSON of a call, as it comes: bounded in bytes and in time.

use super::error::{ApiError, ErrorCode};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use std::time::Duration;
use tokio::time::timeout;

/// The most bytes of a call's JSON. MLflow's own batches are at most 1 MB.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// How long it may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a client that was refused may go on sending before its connection is cut: it reads the
/// answer only when all is sent.
const HEARD_OUT: Duration = Duration::from_secs(5);

/// All of it.
pub(super) async fn read(headers: &HeaderMap, body: Incoming) -> Result<Bytes, ApiError> {
    read_up_to(MAX_BODY, headers, body).await
}

/// All of it, if it is no longer.
pub(super) async fn read_up_to(
    max: usize,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Bytes, ApiError> {
    let too_large = || {
        ApiError::new(
            ErrorCode::TooLarge,
            format!("the body of a call has at most {max} bytes; send less at once"),
        )
    };
    if body.size_hint().lower() > max as u64 {
        hear_out(headers, body);
        return Err(too_large());
    }
    let Ok(read) = timeout(BODY_TIMEOUT, Limited::new(body, max).collect()).await else {
        return Err(ApiError::new(
            ErrorCode::TooSlow,
            format!("the body took longer than {} s to come", BODY_TIMEOUT.as_secs()),
        ));
    };
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => {
            Err(ApiError::new(ErrorCode::BadRequest, format!("the body broke off: {error}")))
        }
    }
}

/// Reads on for a while, in the background and up to so many bytes, so that the connection can be
/// used again. Whoever waits to be told to go on (`Expect: 100-continue`) is not.
pub(super) fn hear_out(headers: &HeaderMap, body: Incoming) {
    if body.is_end_stream() || headers.contains_key(header::EXPECT) {
        return;
    }
    let mut body = Limited::new(body, MAX_BODY);
    tokio::spawn(timeout(HEARD_OUT, async move { while let Some(Ok(_)) = body.frame().await {} }));
}
