//! Times as they are written in files (RFC 3339).

use serde::{Deserialize, Deserializer, de};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads a time: a date, a time of day and an offset (RFC 3339, section 5.6), from 1970 on. A leap
/// second counts as the one after it.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use tower_spearmint::config::parse_time;
///
/// let noon = UNIX_EPOCH + Duration::from_secs(1_767_268_800);
/// assert_eq!(parse_time("2026-01-01T12:00:00Z"), Ok(noon));
/// assert_eq!(parse_time("2026-01-01T13:30:00+01:30"), Ok(noon));
/// assert_eq!(
///     parse_time("tomorrow").unwrap_err(),
///     "`tomorrow` is not a time; write one as in 2026-01-31T09:00:00Z or 2026-01-31T10:00:00+01:00"
/// );
/// ```
///
/// # Errors
///
/// When it is not one; the text says what would be.
pub fn parse_time(text: &str) -> Result<SystemTime, String> {
    read(text.trim()).ok_or_else(|| {
        format!(
            "`{text}` is not a time; write one as in 2026-01-31T09:00:00Z or \
             2026-01-31T10:00:00+01:00"
        )
    })
}

fn read(text: &str) -> Option<SystemTime> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (hour, rest) = digits(rest.strip_prefix(['T', 't', ' '])?, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (nanos, rest) = fraction(rest)?;
    let offset = offset(rest)?;
    let fits = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let seconds =
        days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    let since = Duration::new(u64::try_from(seconds).ok().filter(|_| fits)?, nanos);
    UNIX_EPOCH.checked_add(since)
}

fn digits(text: &str, count: usize) -> Option<(i64, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    let all = number.bytes().all(|b| b.is_ascii_digit());
    all.then(|| number.parse().ok()).flatten().map(|number| (number, rest))
}

/// What stands behind the point, in nanoseconds; finer digits are dropped.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let digits = &rest[..end.min(9)];
    let nanos: u32 = digits.parse().ok()?;
    Some((nanos * 10_u32.pow(9 - digits.len() as u32), &rest[end..]))
}

/// Seconds east of Greenwich.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, rest) = digits(&text[1..], 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// The date of a day after 1970-01-01, in the Gregorian calendar.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`: years
/// are counted from 1 March, so that the leap day is the last one, in eras of 400 years.
pub(crate) const fn date(days: u64) -> (u64, u64, u64) {
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

const fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + leap as i64,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar: years are counted from March, so that
/// the leap day is their last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month_from_march + 2) / 5 + day - 1 - 719_468
}

/// For `#[serde(deserialize_with)]` on a time.
pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    let found = serde_json::Value::deserialize(deserializer)?;
    let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    parse_time(&text).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        parse_time(text).ok().map(|time| time.duration_since(UNIX_EPOCH).unwrap().as_secs())
    }

    /// The seconds are those of `date -u -d … +%s`.
    #[test]
    fn dates_come_to_the_seconds_that_other_tools_say() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2024-02-29T12:00:00+02:00", 1_709_200_800),
            ("2026-11-25T03:24:49Z", 1_795_577_089),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("2262-04-11T23:47:16.854-00:00", 9_223_372_036),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        let fine = parse_time("1970-01-01t00:00:00.0000000019z").unwrap();
        assert_eq!(fine, UNIX_EPOCH + Duration::from_nanos(1));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00+1",
            "2026-01-01T00:00:00Zz",
            "1969-12-31T23:59:59Z",
            "20é6-01-01T00:00:00Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
