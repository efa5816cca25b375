//! Numbers as people read them.

use crate::{config::time::date, report::sentence::digits};

/// With a thin space (U+202F) between thousands.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A share from 0 to 1.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{}%", digits(share * 100.0)))
}

/// In the unit that reads best.
pub(crate) fn duration(ns: Option<u64>) -> String {
    match ns {
        None => "–".to_owned(),
        Some(ns) if ns < 1_000 => format!("{ns}ns"),
        Some(ns) if ns < 1_000_000 => format!("{}µs", digits(ns as f64 / 1e3)),
        Some(ns) if ns < 1_000_000_000 => format!("{}ms", digits(ns as f64 / 1e6)),
        Some(ns) => format!("{}s", digits(ns as f64 / 1e9)),
    }
}

/// In the unit that reads best.
pub(crate) fn bytes(bytes: Option<u64>) -> String {
    match bytes {
        None => "–".to_owned(),
        Some(bytes) if bytes < 1 << 10 => format!("{bytes}B"),
        Some(bytes) if bytes < 1 << 20 => format!("{}KiB", digits(bytes as f64 / 1_024.0)),
        Some(bytes) => format!("{}MiB", digits(bytes as f64 / 1_048_576.0)),
    }
}

/// As in `2026-11-25 03:23:40 UTC`, from ns since the Unix epoch.
pub(crate) fn time(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The same to the millisecond.
#[cfg(feature = "server")]
pub(crate) fn exact_time(ns: u64) -> String {
    time(ns).replace(" UTC", &format!(".{:03} UTC", ns / 1_000_000 % 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_tell_something() {
        let counts = [0, 999, 1_000, 1_234_567].map(count);
        assert_eq!(counts, ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!([Some(0.0123), None].map(percent), ["1.23%", "–"]);
        let durations = [Some(999), Some(1_500), Some(12_345_678), Some(2_000_000_000), None];
        assert_eq!(durations.map(duration), ["999ns", "1.50µs", "12.3ms", "2.00s", "–"]);
        assert_eq!(time(1_735_689_599_000_000_000), "2024-12-31 23:59:59 UTC");
    }
}
