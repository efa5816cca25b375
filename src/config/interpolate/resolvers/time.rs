//! `time.*`: the clock, read once per document.

use super::DrawnFrom;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

type Answer = Result<(Value, DrawnFrom), String>;

/// Whole seconds since 1970.
fn seconds(now: SystemTime) -> Result<u64, String> {
    now.duration_since(UNIX_EPOCH)
        .map(|since| since.as_secs())
        .map_err(|_| "the clock is set before 1970".to_owned())
}

pub(super) fn unix(now: SystemTime) -> Answer {
    Ok((seconds(now)?.into(), DrawnFrom::TIME))
}

/// As in `2026-11-25T03:23:40Z` (RFC 3339, UTC, whole seconds).
pub(super) fn rfc3339(now: SystemTime) -> Answer {
    let seconds = seconds(now)?;
    let (year, month, day) = crate::config::time::date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    Ok((text.into(), DrawnFrom::TIME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_written_as_rfc_3339_has_them() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            let now = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(rfc3339(now).unwrap().0, expected);
            assert_eq!(unix(now).unwrap().0, seconds);
        }
    }
}
