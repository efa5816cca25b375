//! Durations (`2s`, `150ms`) and sizes (`64KiB`) as they are written in files.

use serde::{Deserialize, Deserializer, de};
use std::time::Duration;

/// Reads a duration: a number and one of `ns`, `us`, `ms`, `s`, `m`, `h`, `d`.
///
/// ```
/// use std::time::Duration;
/// use tower_spearmint::config::parse_duration;
///
/// assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
/// assert_eq!(
///     parse_duration("2 weeks").unwrap_err(),
///     "`2 weeks` is not a duration; write a number and a unit, as in 150ms, 2s, 5m or 1h"
/// );
/// ```
///
/// # Errors
///
/// When it is not one; the text says what would be.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let seconds = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => f64::NAN,
    };
    number.and_then(|number| Duration::try_from_secs_f64(number * seconds).ok()).ok_or_else(|| {
        format!("`{text}` is not a duration; write a number and a unit, as in 150ms, 2s, 5m or 1h")
    })
}

/// Reads a size in bytes: a number, alone or with one of `B`, `KB`, `MB`, `GB` (powers of 1000),
/// `KiB`, `MiB`, `GiB` (powers of 1024).
///
/// ```
/// use tower_spearmint::config::parse_size;
///
/// assert_eq!(parse_size("64KiB"), Ok(65_536));
/// assert!(parse_size("many").is_err());
/// ```
///
/// # Errors
///
/// When it is not one; the text says what would be.
pub fn parse_size(text: &str) -> Result<usize, String> {
    let (number, unit) = split(text);
    let factor = match unit {
        "" | "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        _ => f64::NAN,
    };
    number
        .map(|number| number * factor)
        .filter(|bytes| bytes.is_finite() && *bytes >= 0.0 && *bytes <= (1_u64 << 53) as f64)
        .map(|bytes| bytes as usize)
        .ok_or_else(|| {
            format!("`{text}` is not a size; write bytes or a number and a unit, as in 512, 64KiB or 8MiB")
        })
}

fn split(text: &str) -> (Option<f64>, &str) {
    let text = text.trim();
    let unit_at = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let number = text[..unit_at].trim();
    // A bare number only: `f64` would also take `inf` and `1e3`.
    let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (plain.then(|| number.parse().ok()).flatten(), &text[unit_at..])
}

/// For `#[serde(deserialize_with)]` on an optional duration.
pub(crate) fn duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(Scalar(deserializer))?;
    parse_duration(&text).map(Some).map_err(de::Error::custom)
}

/// For `#[serde(deserialize_with)]` on a duration that has a default.
pub(crate) fn required_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = String::deserialize(Scalar(deserializer))?;
    parse_duration(&text).map_err(de::Error::custom)
}

/// For `#[serde(deserialize_with)]` on an optional size.
#[cfg(feature = "compare")]
pub(crate) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let text = String::deserialize(Scalar(deserializer))?;
    parse_size(&text).map(Some).map_err(de::Error::custom)
}

/// For `#[serde(deserialize_with)]` on an optional share of requests.
pub(crate) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let share = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&share) {
        return Ok(Some(share));
    }
    Err(de::Error::custom(format!(
        "{share} is not a share of requests; write a number from 0 to 1"
    )))
}

/// For `#[serde(deserialize_with)]` on an optional margin: `5%`, or 0.05.
#[cfg(all(feature = "report", feature = "proxy"))]
pub(crate) fn margin<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let text = String::deserialize(Scalar(deserializer))?;
    let (number, factor) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (text.trim(), 1.0),
    };
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match number.parse::<f64>() {
        // Who writes 5 has forgotten the sign.
        Ok(number) if plain && (factor > 1.0 || number < 1.0) => Ok(Some(number / factor)),
        _ => Err(de::Error::custom(format!(
            "`{text}` is not a margin; write a percentage, as in 5%, or a number below 1, as in 0.05"
        ))),
    }
}

/// Takes a bare number for its text, so that `timeout: 2` gets the message that helps.
struct Scalar<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Scalar<D> {
    type Error = D::Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let text = match serde_json::Value::deserialize(self.0)? {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        visitor.visit_string(text)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}
