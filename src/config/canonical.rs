//! Canonical JSON: one text for one value, whatever it was read from (RFC 8785).

use serde_json::{Number, Value};
use std::fmt::Write as _;

/// The largest integer that every JSON reader holds exactly: 2⁵³−1.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// A number that canonical JSON cannot carry exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {}", self.what_is_wrong())]
pub struct NumberError {
    /// Where it stands, as a dotted path.
    pub path: String,
    /// The number as written.
    pub number: String,
}

impl NumberError {
    /// The message without the path.
    pub(crate) fn what_is_wrong(&self) -> String {
        format!(
            "{} is an integer beyond ±(2^53−1), which other JSON readers would round; write it in \
             quotes",
            self.number
        )
    }
}

/// Writes `value` as canonical JSON: no white space, keys in the order of their UTF-16 code
/// units, strings escaped minimally, numbers as ECMAScript prints them (so `1.0` is `1`).
///
/// Source: RFC 8785, JSON Canonicalization Scheme.
///
/// # Errors
///
/// When an integer lies beyond ±(2⁵³−1). (A non-finite number cannot occur in a `Value`.)
pub fn canonical_json(value: &Value) -> Result<String, NumberError> {
    let mut out = String::new();
    write_value(&mut out, value, &mut Vec::new())?;
    Ok(out)
}

fn write_value<'a>(
    out: &mut String,
    value: &'a Value,
    path: &mut Vec<Step<'a>>,
) -> Result<(), NumberError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(out, number, path)?,
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                path.push(Step::Index(index));
                write_value(out, item, path)?;
                path.pop();
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(out, key);
                out.push(':');
                path.push(Step::Key(key));
                write_value(out, item, path)?;
                path.pop();
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_number(out: &mut String, number: &Number, path: &[Step<'_>]) -> Result<(), NumberError> {
    let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    match magnitude {
        Some(magnitude) if magnitude > MAX_SAFE_INTEGER => {
            Err(NumberError { path: Step::render(path), number: number.to_string() })
        }
        Some(magnitude) => {
            if magnitude > 0 && number.as_u64().is_none() {
                out.push('-');
            }
            let _ = write!(out, "{magnitude}");
            Ok(())
        }
        None => {
            let float = number.as_f64().unwrap_or_default();
            out.push_str(ryu_js::Buffer::new().format(float));
            Ok(())
        }
    }
}

/// Escapes what RFC 8785 section 3.2.2.2 asks for, and nothing else.
fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{9}' => out.push_str("\\t"),
            '\u{a}' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\u{d}' => out.push_str("\\r"),
            control if (control as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", control as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl Step<'_> {
    fn render(path: &[Self]) -> String {
        let mut out = String::new();
        for step in path {
            match step {
                Self::Key(key) => {
                    if !out.is_empty() {
                        out.push('.');
                    }
                    out.push_str(key);
                }
                Self::Index(index) => {
                    let _ = write!(out, "[{index}]");
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn follows_the_examples_of_rfc_8785() {
        let value: Value = serde_json::from_str(
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
                "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
        )
        .unwrap();
        assert_eq!(
            canonical_json(&value).unwrap(),
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
        let keys = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        assert_eq!(
            canonical_json(&keys).unwrap(),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn one_and_one_point_zero_are_one_number() {
        assert_eq!(canonical_json(&json!([1.0, -0.0, -3])).unwrap(), "[1,0,-3]");
    }

    #[test]
    fn an_integer_that_others_would_round_is_refused_with_its_path() {
        let ok = json!({ "a": 9_007_199_254_740_991_i64, "b": -9_007_199_254_740_991_i64 });
        assert!(canonical_json(&ok).is_ok());
        let error = canonical_json(&json!({ "a": { "b": [0, 9_007_199_254_740_992_i64] } }));
        assert_eq!(error.unwrap_err().path, "a.b[1]");
    }
}
