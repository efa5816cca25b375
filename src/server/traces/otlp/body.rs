//! The body of a request, without its compression.

use super::super::super::error::{ApiError, ErrorCode};
use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use std::io::Read;

/// The most bytes that a body may have when it is unpacked.
const MAX_UNPACKED: u64 = 64 * 1024 * 1024;

/// # Errors
///
/// When it cannot be unpacked, or would be too large.
pub(super) fn unpacked(headers: &HeaderMap, body: Bytes) -> Result<Bytes, ApiError> {
    let encoding = headers.get(header::CONTENT_ENCODING).map_or(&b""[..], |value| value.as_bytes());
    match encoding.trim_ascii().to_ascii_lowercase().as_slice() {
        b"" | b"identity" => Ok(body),
        b"gzip" => bounded(MultiGzDecoder::new(&*body)),
        b"deflate" => bounded(ZlibDecoder::new(&*body)),
        _ => Err(ApiError::new(
            ErrorCode::BadRequest,
            "spans are read as they are, or packed with gzip or deflate",
        )),
    }
}

fn bounded(packed: impl Read) -> Result<Bytes, ApiError> {
    let mut unpacked = Vec::new();
    packed.take(MAX_UNPACKED + 1).read_to_end(&mut unpacked).map_err(|error| {
        ApiError::new(ErrorCode::BadRequest, format!("the body could not be unpacked: {error}"))
    })?;
    if unpacked.len() as u64 > MAX_UNPACKED {
        return Err(ApiError::new(
            ErrorCode::TooLarge,
            format!("spans have at most {MAX_UNPACKED} bytes at once; send fewer"),
        ));
    }
    Ok(unpacked.into())
}
