//! Outcomes as texts: JSON, and the rows of a table.

use super::{Outcome, OutcomeError, OutcomeUnit, time::rfc3339_ms};
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
    #[serde(borrow)]
    unit_hash: Option<Cow<'a, str>>,
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
        // As the key of a unit that is a number in the body of a request.
        serde_json::Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(de::Error::custom("a unit is a text, or a number")),
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

/// 16 digits, as `spearmint branches --json` and the view `branches` have them.
fn hash_of(text: &str) -> Result<u64, OutcomeError> {
    let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hash = is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten();
    hash.ok_or_else(|| {
        OutcomeError::new(format!("the unit_hash `{text}` is none; it has 16 hexadecimal digits"))
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
                "unit_hash" => said.unit_hash = text,
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

    /// Those of a text, each with its line, or its place in a list: a JSON map, a list of them, or a map in each
    /// line.
    ///
    /// # Errors
    ///
    /// The first that is wrong, with its place.
    pub fn many_from_json(text: &str) -> Result<Vec<(u64, Self)>, OutcomeError> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('[') {
            let found: Vec<Said<'_>> =
                serde_json::from_str(text).map_err(|error| at_line(&error, 0))?;
            return numbered(found.into_iter().zip(1..).map(|(said, at)| (at, said.outcome())));
        }
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if serde_json::from_str::<de::IgnoredAny>(first).is_err() {
            // One that is written over several lines, or nothing of the kind.
            let said: Said<'_> = serde_json::from_str(text).map_err(|error| at_line(&error, 0))?;
            return numbered(std::iter::once((1, said.outcome())));
        }
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        numbered(lines.map(|(line, at)| {
            let said = serde_json::from_str::<Said<'_>>(line);
            (at, said.map_err(|error| at_line(&error, at)).and_then(Said::outcome))
        }))
    }
}

fn numbered(
    found: impl Iterator<Item = (u64, Result<Outcome, OutcomeError>)>,
) -> Result<Vec<(u64, Outcome)>, OutcomeError> {
    found
        .map(|(at, outcome)| match outcome {
            Ok(outcome) => Ok((at, outcome)),
            Err(error) => Err(error.at(at)),
        })
        .collect()
}

/// `line`: of the text, if it is not the one that the error names.
fn at_line(error: &serde_json::Error, line: u64) -> OutcomeError {
    let line = if line > 0 { line } else { error.line() as u64 };
    OutcomeError::new(error.to_string()).at(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(text: &str) -> Result<Vec<(u64, String)>, (u64, String)> {
        let found = Outcome::many_from_json(text).map_err(|error| (error.at, error.reason))?;
        Ok(found.into_iter().map(|(at, outcome)| (at, outcome.id)).collect())
    }

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
        let second = Outcome::from_json(two).unwrap();
        let expected = Outcome::new("b", "7", "n").value(2.5).at_ms(5);
        assert_eq!(second, expected);
    }

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
                r#"{"id":"a","unit_hash":"12","name":"n"}"#.to_owned(),
                1,
                "the unit_hash `12` is none; it has 16 hexadecimal digits",
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
