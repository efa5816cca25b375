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
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    Ok((text.into(), DrawnFrom::TIME))
}

/// The date of a day after 1970-01-01, in the Gregorian calendar.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`: years
/// are counted from 1 March, so that the leap day is the last one, in eras of 400 years.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
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
