//! From when on.

use std::time::{SystemTime, UNIX_EPOCH};
use tower_spearmint::config::parse_duration;

/// So long ago, or a time; in ns since the Unix epoch.
pub(crate) fn parse_since(text: &str) -> Result<u64, String> {
    let since = if let Ok(ago) = parse_duration(text) {
        SystemTime::now().checked_sub(ago).ok_or_else(|| "too long ago".to_owned())?
    } else {
        humantime::parse_rfc3339_weak(text).map_err(|_| {
            "write how long ago (15m, 1h, 2d) or a time (2026-01-31T12:00:00Z)".to_owned()
        })?
    };
    // Nothing is recorded before 1970, nor after 2262.
    Ok(since
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX).unsigned_abs()))
}
