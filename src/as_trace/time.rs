//! Times and durations as the JSON of protocol buffers writes them
//! (<https://protobuf.dev/programming-guides/json>).

use crate::config::{parse_time, time::date};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::time::UNIX_EPOCH;

/// A time, in milliseconds since the Unix epoch: `2026-01-31T09:00:00.250Z`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Timestamp(pub(crate) i64);

/// A duration, in milliseconds: `1.250s`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Duration(pub(crate) i64);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // (Nothing is of before 1970 here.)
        let ms = self.0.max(0).cast_unsigned();
        let seconds = ms / 1_000;
        let (year, month, day) = date(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        to.collect_str(&format_args!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
            ms % 1_000
        ))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let since = parse_time(&text)
            .map_err(de::Error::custom)?
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis()).map(Self).map_err(de::Error::custom)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let ms = self.0.max(0);
        to.collect_str(&format_args!("{}.{:03}s", ms / 1_000, ms % 1_000))
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        read(&text).map(Self).ok_or_else(|| {
            de::Error::custom(format!("`{text}` is not a duration; write one as in 1.250s"))
        })
    }
}

/// What is finer than milliseconds is dropped.
fn read(text: &str) -> Option<i64> {
    let (seconds, fraction) = match text.strip_suffix('s')?.split_once('.') {
        Some(parts) => parts,
        None => (text.strip_suffix('s')?, ""),
    };
    let all = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || !all(seconds) || !all(fraction) {
        return None;
    }
    let ms: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000)?.checked_add(ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn times_are_those_of_protocol_buffers() {
        let time = Timestamp(1_769_850_000_250);
        assert_eq!(to_value(time).unwrap(), json!("2026-01-31T09:00:00.250Z"));
        for text in ["2026-01-31T09:00:00.250Z", "2026-01-31T10:00:00.250999+01:00"] {
            assert_eq!(from_value::<Timestamp>(json!(text)).unwrap(), time);
        }
        assert!(from_value::<Timestamp>(json!("1960-01-01T00:00:00Z")).is_err());
    }

    #[test]
    fn durations_are_those_of_protocol_buffers() {
        assert_eq!(to_value(Duration(1_250)).unwrap(), json!("1.250s"));
        for (text, ms) in [("0.698s", 698), ("1s", 1_000), ("3.0000019s", 3_000), ("0.5s", 500)] {
            assert_eq!(from_value::<Duration>(json!(text)).unwrap(), Duration(ms), "{text}");
        }
        for text in ["", "s", "1", "-1s", "1.2.3s", "9223372036854775807s", "1.é0s"] {
            assert!(from_value::<Duration>(json!(text)).is_err(), "{text}");
        }
    }
}
