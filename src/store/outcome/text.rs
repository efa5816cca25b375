//! Outcomes as texts: JSON, and the rows of a table.

use super::{Outcome, OutcomeError, OutcomeUnit, time::rfc3339_ms};
use crate::config::canonical_json;
use serde::{Deserialize, Deserializer, de};
use std::borrow::Cow;

/// What an outcome may say, as JSON or as the columns of a table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "key")]
    unit: Option<String>,
    #[serde(default, deserialize_with = "key")]
    unit_hash: Option<String>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    value: Option<f64>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    time_ms: Option<u64>,
}

/// A text, or a number: users have both as keys.
fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::String(key) => Ok(Some(key)),
        // As a key that is a number in the body of a request.
        value @ serde_json::Value::Number(_) => {
            Ok(Some(canonical_json(&value).unwrap_or_else(|_| value.to_string())))
        }
        _ => Err(de::Error::custom("a unit is a text or a number")),
    }
}

impl Said<'_> {
    fn outcome(self) -> Result<Outcome, OutcomeError> {
        let missing = |key: &str| OutcomeError::new(format!("`{key}` is missing"));
        let unit = match (self.unit, self.unit_hash) {
            (Some(key), None) => OutcomeUnit::Key(key),
            (None, Some(hash)) => OutcomeUnit::Hash(hash_of(&hash)?),
            (Some(_), Some(_)) => {
                return Err(OutcomeError::new("`unit` and `unit_hash` are both there; write one"));
            }
            (None, None) => return Err(missing("unit")),
        };
        let at_ms = match (self.time, self.time_ms) {
            (None, at_ms) => at_ms,
            (Some(text), None) => Some(rfc3339_ms(&text).ok_or_else(|| {
                OutcomeError::new(format!(
                    "the time `{text}` is none; write it as 2026-01-31T12:00:00Z, or as `time_ms`"
                ))
            })?),
            (Some(_), Some(_)) => {
                return Err(OutcomeError::new("`time` and `time_ms` are both there; write one"));
            }
        };
        let id = self.id.ok_or_else(|| missing("id"))?;
        let name = self.name.ok_or_else(|| missing("name"))?;
        let mut outcome = Outcome::new(id, unit, name);
        outcome.value = self.value.unwrap_or(1.0);
        outcome.at_ms = at_ms;
        Ok(outcome)
    }
}

/// 16 hexadecimal digits, as `unit_hex` in the view `branches`, or the same as a decimal number of any other
/// length, as `unit` in `spearmint branches --json`.
fn hash_of(text: &str) -> Result<u64, OutcomeError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let radix = if text.len() == 16 { 16 } else { 10 };
    let hash = is_plain.then(|| u64::from_str_radix(text, radix).ok()).flatten();
    hash.ok_or_else(|| {
        OutcomeError::new(format!(
            "the unit_hash `{text}` is none; write the 16 hexadecimal digits of a branch's `unit_hex`"
        ))
    })
}

impl Outcome {
    /// The keys of an outcome in JSON, and the columns of one in a table.
    pub const KEYS: [&str; 7] = ["id", "unit", "unit_hash", "name", "value", "time", "time_ms"];

    /// One, as JSON: a map with `id`, `unit` (or `unit_hash`), `name`, perhaps a `value` [default: 1], and `time` (RFC
    /// 3339) or `time_ms` (since 1970).
    ///
    /// ```
    /// use tower_spearmint::store::Outcome;
    ///
    /// let text = r#"{ "id": "1001", "unit": "ann", "name": "purchase", "time": "2026-01-31T12:00:00Z" }"#;
    /// assert_eq!(Outcome::from_json(text)?.at_ms, Some(1_769_860_800_000));
    /// # Ok::<_, tower_spearmint::store::OutcomeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn from_json(text: &str) -> Result<Self, OutcomeError> {
        let said: Said<'_> =
            serde_json::from_str(text).map_err(|error| OutcomeError::new(error.to_string()))?;
        said.outcome()
    }

    /// One, as a row of a table with these columns, of those in [`KEYS`](Self::KEYS). An empty cell is none.
    ///
    /// # Errors
    ///
    /// What is wrong with the row.
    pub fn from_row<'a>(
        cells: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, OutcomeError> {
        let mut said = Said::default();
        for (column, cell) in cells {
            let cell = cell.trim();
            if cell.is_empty() {
                continue;
            }
            let text = Some(Cow::Borrowed(cell));
            let number = |what| OutcomeError::new(format!("the {column} `{cell}` is no {what}"));
            match column {
                "id" => said.id = text,
                "unit" => said.unit = Some(cell.to_owned()),
                "unit_hash" => said.unit_hash = Some(cell.to_owned()),
                "name" => said.name = text,
                "value" => said.value = Some(cell.parse().map_err(|_| number("number"))?),
                "time" => said.time = text,
                "time_ms" => {
                    said.time_ms = Some(cell.parse().map_err(|_| number("number of ms"))?);
                }
                _ => {
                    let known = Self::KEYS.join(", ");
                    return Err(OutcomeError::new(format!(
                        "there is no column `{column}`; there are {known}"
                    )));
                }
            }
        }
        said.outcome()
    }
}

/// Outcomes of one text, with their lines in it, or places in a list.
#[cfg(any(feature = "server", feature = "proxy"))]
#[derive(Debug, Default)]
pub(crate) struct OutcomeBatch {
    pub(super) lines: Vec<u64>,
    pub(super) outcomes: Vec<Outcome>,
}

#[cfg(any(feature = "server", feature = "proxy"))]
impl OutcomeBatch {
    /// A JSON map, a list of them, or a map in each line.
    ///
    /// # Errors
    ///
    /// The first that is wrong, with its place.
    pub(crate) fn from_json(text: &[u8]) -> Result<Self, OutcomeError> {
        let text = std::str::from_utf8(text)
            .map_err(|error| OutcomeError::new(format!("not UTF-8: {error}")))?;
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('[') {
            let found: Vec<Said<'_>> =
                serde_json::from_str(text).map_err(|error| at_line(&error, 0))?;
            return Self::of(found.into_iter().zip(1..).map(|(said, at)| (at, said.outcome())));
        }
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if serde_json::from_str::<de::IgnoredAny>(first).is_err() {
            // One that is written over several lines, or nothing of the kind.
            let said: Said<'_> = serde_json::from_str(text).map_err(|error| at_line(&error, 0))?;
            return Self::of(std::iter::once((1, said.outcome())));
        }
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        Self::of(lines.map(|(line, at)| {
            let said = serde_json::from_str::<Said<'_>>(line);
            (at, said.map_err(|error| at_line(&error, at)).and_then(Said::outcome))
        }))
    }

    fn of(
        found: impl Iterator<Item = (u64, Result<Outcome, OutcomeError>)>,
    ) -> Result<Self, OutcomeError> {
        let mut batch = Self::default();
        for (at, outcome) in found {
            batch.outcomes.push(outcome.map_err(|error| error.at(at))?);
            batch.lines.push(at);
        }
        Ok(batch)
    }
}

#[cfg(any(feature = "server", feature = "proxy"))]
/// `line`: of the text, if it is not the one that the error names.
fn at_line(error: &serde_json::Error, line: u64) -> OutcomeError {
    let line = if line > 0 { line } else { error.line() as u64 };
    OutcomeError::new(error.to_string()).at(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(feature = "server", feature = "proxy"))]
    fn many(text: &str) -> Result<Vec<(u64, String)>, (u64, String)> {
        let found = OutcomeBatch::from_json(text.as_bytes());
        let found = found.map_err(|error| (error.at, error.reason))?;
        let ids = found.outcomes.into_iter().map(|outcome| outcome.id);
        Ok(found.lines.into_iter().zip(ids).collect())
    }

    #[cfg(any(feature = "server", feature = "proxy"))]
    #[test]
    fn a_map_a_list_and_lines_are_read() {
        let one = r#"{"id":"a","unit":"ann","name":"n"}"#;
        let two = r#"{"id":"b","unit":7,"name":"n","value":2.5,"time_ms":5}"#;
        let of = |at, id: &str| (at, id.to_owned());
        assert_eq!(many(one), Ok(vec![of(1, "a")]));
        assert_eq!(
            many("{\n\"id\":\"a\",\n\"unit\":\"ann\",\"name\":\"n\"}"),
            Ok(vec![of(1, "a")])
        );
        assert_eq!(many(&format!("[{one},\n{two}]")), Ok(vec![of(1, "a"), of(2, "b")]));
        assert_eq!(many(&format!("{one}\n\n{two}\n")), Ok(vec![of(1, "a"), of(3, "b")]));
        assert_eq!(many("[]"), Ok(vec![]));
        let seven = two.replace('7', "7.0");
        assert_eq!(Outcome::from_json(two), Outcome::from_json(&seven));
        let second = Outcome::from_json(two).unwrap();
        let expected = Outcome::new("b", "7", "n").value(2.5).at_ms(5);
        assert_eq!(second, expected);
    }

    #[cfg(any(feature = "server", feature = "proxy"))]
    #[test]
    fn what_is_wrong_has_its_line() {
        let fine = r#"{"id":"a","unit":"ann","name":"n"}"#;
        for (text, at, reason) in [
            (format!("{fine}\n{{\"id\":\"b\",\"unit\":\"ann\"}}"), 2, "`name` is missing"),
            (format!("[{fine},{{\"unit\":\"ann\",\"name\":\"n\"}}]"), 2, "`id` is missing"),
            (
                r#"{"id":"a","unit":"ann","name":"n","time":"yesterday"}"#.to_owned(),
                1,
                "the time `yesterday` is none; write it as 2026-01-31T12:00:00Z, or as `time_ms`",
            ),
            (
                r#"{"id":"a","unit_hash":"1f","name":"n"}"#.to_owned(),
                1,
                "the unit_hash `1f` is none; write the 16 hexadecimal digits of a branch's `unit_hex`",
            ),
            (
                r#"{"id":"a","unit":"u","unit_hash":"0123456789abcdef","name":"n"}"#.to_owned(),
                1,
                "`unit` and `unit_hash` are both there; write one",
            ),
        ] {
            assert_eq!(many(&text), Err((at, reason.to_owned())));
        }
        let (at, reason) = many(&format!("{fine}\n{fine}\n{{\"id\":1}}")).unwrap_err();
        assert_eq!(at, 3);
        assert!(reason.starts_with("invalid type: integer `1`, expected"), "{reason}");
        assert_eq!(many("purchase").unwrap_err().0, 1);
        assert_eq!(many("").unwrap_err().1, "EOF while parsing a value at line 1 column 0");
    }

    #[test]
    fn a_hash_is_read_as_branches_have_it() {
        let of = |hash: &str| {
            let text = format!(r#"{{"id":"a","unit_hash":{hash},"name":"n"}}"#);
            Outcome::from_json(&text).unwrap().unit
        };
        let expected = OutcomeUnit::Hash(0xf8a1_2bdd_9310_7102);
        assert_eq!(of("\"f8a12bdd93107102\""), expected);
        assert_eq!(of(&0xf8a1_2bdd_9310_7102_u64.to_string()), expected);
        assert_eq!(of("\"17915725110226612482\""), OutcomeUnit::Hash(17_915_725_110_226_612_482));
        // (Only decimal digits, and 16 of them, are a hexadecimal number all the same.)
        assert_eq!(of("\"0000000000000010\""), OutcomeUnit::Hash(16));
    }

    #[test]
    fn a_row_is_read_by_its_columns() {
        let row = [("id", "a"), ("unit", " ann "), ("name", "n"), ("value", ""), ("time_ms", "5")];
        assert_eq!(Outcome::from_row(row), Ok(Outcome::new("a", "ann", "n").at_ms(5)));
        let error = Outcome::from_row([("user", "ann")]).unwrap_err();
        assert_eq!(
            error.reason,
            "there is no column `user`; there are id, unit, unit_hash, name, value, time, time_ms"
        );
        let error = Outcome::from_row([("value", "1,5")]).unwrap_err();
        assert_eq!(error.reason, "the value `1,5` is no number");
    }
}
