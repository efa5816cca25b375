//! The beginning of what a trace was given, or gave back.

use serde::Serialize;
use serde_json::{Serializer, Value, ser::Formatter};
use std::io::{self, Write};

/// The most characters of it.
const MAX: usize = 1_000;

/// As MLflow's clients write it themselves: the JSON of Python.
pub(crate) fn preview(value: &Value) -> String {
    let mut text = Vec::new();
    // Values are always written.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut text, Spaced));
    let text = String::from_utf8(text).unwrap_or_default();
    if text.len() <= MAX || text.chars().nth(MAX).is_none() {
        return text;
    }
    text.chars().take(MAX - 3).chain("...".chars()).collect()
}

/// JSON with a space behind each comma and colon.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_is_json_as_python_writes_it_and_says_that_it_was_cut() {
        assert_eq!(preview(&json!({ "a": [1, "é"], "b": null })), r#"{"a": [1, "é"], "b": null}"#);
        let cut = preview(&json!("é".repeat(2_000)));
        assert_eq!((cut.chars().count(), cut.ends_with("é...")), (MAX, true));
        let fits = "é".repeat(MAX - 2);
        assert_eq!(preview(&json!(fits)), format!("\"{fits}\""));
    }
}
