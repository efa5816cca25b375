//! Tokens that say where the next page begins: after the last entry of this one.
//!
//! MLflow's own count entries, so that one which comes or goes meanwhile makes a client see an
//! entry twice or never, and far pages are slow. These hold the place of an entry in the order.

use super::error::ApiError;
use base64::{Engine, engine::general_purpose::URL_SAFE};
use serde::{Serialize, de::DeserializeOwned};

/// The token for what comes after `place`.
pub(super) fn write(place: &impl Serialize) -> String {
    // Places are lists of numbers and strings, which are always written.
    URL_SAFE.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// The place that a client's token holds; none is the beginning.
///
/// # Errors
///
/// When the token is none of ours, or from another list.
pub(super) fn read<T: DeserializeOwned>(token: Option<&str>) -> Result<Option<T>, ApiError> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    let decoded = URL_SAFE
        .decode(token)
        .map_err(|_| ApiError::invalid("Invalid page token, could not base64-decode"))?;
    serde_json::from_slice(&decoded).map(Some).map_err(|_| {
        let decoded = String::from_utf8_lossy(&decoded);
        ApiError::invalid(format!("Invalid page token, decoded value={decoded}"))
    })
}

/// How many entries a page has, where `max` is the most.
///
/// # Errors
///
/// When it would be empty, or too large.
pub(super) fn size(asked: i64, max: i64) -> Result<usize, ApiError> {
    let limit = match asked {
        ..1 => "a positive integer".to_owned(),
        _ if asked <= max => return Ok(usize::try_from(asked).unwrap_or(usize::MAX)),
        _ => format!("at most {max}"),
    };
    Err(ApiError::invalid(format!(
        "Invalid value {asked} for parameter 'max_results' supplied. It must be {limit}"
    )))
}

/// Cuts a list, of which one more was read than was asked for, to the size of a page. Gives the
/// last entry back if more follow it.
pub(super) fn cut<T>(list: &mut Vec<T>, size: Option<i64>) -> Option<&T> {
    let size = usize::try_from(size?).ok()?;
    if list.len() <= size {
        return None;
    }
    list.truncate(size);
    list.last()
}
