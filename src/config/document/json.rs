//! Documents from JSON.
//!
//! `serde_json` says whether the text is JSON and what its scalars are; it does not say where in the
//! text they stand. So the places are found by a second walk over the text, which by then is known
//! to be right.

use super::{
    Document, Origin, Spot, Trace,
    lines::Lines,
    text::{MAX_BYTES, MAX_DEPTH, syntax},
};
use crate::config::{ConfigError, path::Trail};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::sync::Arc;

impl Document {
    /// Reads a JSON text.
    ///
    /// # Errors
    ///
    /// When it is not JSON, is larger than 16 MiB or nested deeper than 64 levels, repeats a key, or
    /// has a number that would lose digits. The error names the line and column.
    pub fn from_json_str(text: &str) -> Result<Self, ConfigError> {
        parse(text, &"<text>".into())
    }
}

pub(super) fn parse(text: &str, place: &Arc<str>) -> Result<Document, ConfigError> {
    if text.len() > MAX_BYTES {
        return Err(syntax(place, Spot::START, "larger than 16 MiB"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let wrong = |error: &serde_json::Error| {
        // serde_json counts columns in bytes.
        let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
        let before = line.bytes().take(error.column().saturating_sub(1));
        let column = 1 + before.filter(|byte| byte & 0xC0 != 0x80).count() as u64;
        let spot = Spot { line: error.line() as u64, column };
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message);
        let message = match message {
            "recursion limit exceeded" => format!("nested deeper than {MAX_DEPTH} levels"),
            message => format!("not JSON: {message}"),
        };
        syntax(place, spot, message)
    };
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| wrong(&error))?;
    let mut reader = Reader { text, at: 0, lines: Lines::new(text), place };
    let (value, trace) = reader.value(&Trail::Top, None, 0)?;
    Ok(Document::read(place.clone(), value, trace))
}

/// A walk over a text that is known to be JSON.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    lines: Lines<'a>,
    place: &'a Arc<str>,
}

impl Reader<'_> {
    /// `key`: where the key of a map or list stands, which is more telling than its brace.
    fn value(
        &mut self,
        path: &Trail<'_>,
        key: Option<usize>,
        depth: usize,
    ) -> Result<(Value, Trace), ConfigError> {
        let start = self.skip_space();
        if depth > MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(self.wrong(start, message));
        }
        match self.peek() {
            Some(b'{') => {
                let origin = self.origin(key.unwrap_or(start));
                let mut map = Map::new();
                let mut traces = Vec::new();
                self.at += 1;
                while self.more(b'}') {
                    let at = self.at;
                    let key: String = self.scalar(path)?;
                    if map.contains_key(&key) {
                        return Err(self.wrong(
                            at,
                            format!(
                                "the key `{key}` is written twice in one map; keep one of them"
                            ),
                        ));
                    }
                    self.skip_space();
                    self.at += 1; // the colon
                    let (value, trace) =
                        self.value(&Trail::Key(path, &key), Some(at), depth + 1)?;
                    traces.push((key.as_str().into(), trace));
                    map.insert(key, value);
                }
                Ok((Value::Object(map), Trace::map(origin, traces)))
            }
            Some(b'[') => {
                let origin = self.origin(key.unwrap_or(start));
                let mut items = Vec::new();
                let mut traces = Vec::new();
                self.at += 1;
                while self.more(b']') {
                    let trail = Trail::Item(path, items.len());
                    let (value, trace) = self.value(&trail, None, depth + 1)?;
                    items.push(value);
                    traces.push(trace);
                }
                Ok((Value::Array(items), Trace::list(origin, traces)))
            }
            _ => {
                let value: Value = self.scalar(path)?;
                let raw = &self.text[start..self.at];
                let lossy = value.is_f64() && raw.bytes().skip(1).all(|b| b.is_ascii_digit());
                // `-0` is a float to serde_json, and a fine one.
                if lossy && raw != "-0" {
                    return Err(self.wrong(start, format!(
                        "`{path}`: {raw} does not fit 64 bits and would lose digits; write it in quotes"
                    )));
                }
                Ok((value, Trace::whole(self.origin(start))))
            }
        }
    }

    /// Moves to the next entry or item, or over the end.
    fn more(&mut self, end: u8) -> bool {
        self.skip_space();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.skip_space();
        }
        if self.peek().is_none_or(|byte| byte == end) {
            self.at += 1;
            return false;
        }
        true
    }

    fn scalar<T: serde::de::DeserializeOwned>(
        &mut self,
        path: &Trail<'_>,
    ) -> Result<T, ConfigError> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let len = match rest.first() {
            Some(b'"') => {
                let mut escaped = true; // the opening quote ends nothing
                let end = rest.iter().position(|byte| {
                    let ends = !escaped && *byte == b'"';
                    escaped = !escaped && *byte == b'\\';
                    ends
                });
                end.map_or(rest.len(), |end| end + 1)
            }
            _ => rest.iter().position(|byte| b",]} \t\r\n".contains(byte)).unwrap_or(rest.len()),
        };
        self.at += len;
        serde_json::from_str(&self.text[start..self.at])
            .map_err(|error| self.wrong(start, format!("`{path}`: not JSON: {error}")))
    }

    fn skip_space(&mut self) -> usize {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
        self.at
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn origin(&self, at: usize) -> Origin {
        Origin::File { place: self.place.clone(), spot: self.lines.spot(at) }
    }

    fn wrong(&self, at: usize, message: impl Into<String>) -> ConfigError {
        syntax(self.place, self.lines.spot(at), message)
    }
}
