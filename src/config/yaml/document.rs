//! One YAML document, and where each part of it was written.

use super::{
    super::{Config, ConfigError, REDACTED, SecretKeys, path, secret::speakable},
    expansion::Expanded,
    parse,
};
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::HashMap, fmt};

/// One YAML document: its value, and where each part of it was written.
#[derive(Debug, Clone)]
pub struct Document {
    place: String,
    value: Value,
    spots: HashMap<String, Spot>,
    /// Paths that were set from a command line, and how.
    overrides: Vec<(String, String)>,
    /// Its templates, if they were put in place.
    expanded: Option<Expanded>,
}

/// A line and a column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
}

impl Document {
    pub(super) fn new(place: &str, value: Value, spots: HashMap<String, Spot>) -> Self {
        Self { place: place.to_owned(), value, spots, overrides: Vec::new(), expanded: None }
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The part at `path`, if there is one.
    pub fn get(&self, path: &str) -> Option<&Value> {
        path::find(&self.value, path)
    }

    #[cfg(feature = "proxy")]
    pub(crate) const fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    #[cfg(feature = "proxy")]
    pub(super) fn set_expanded(&mut self, expanded: Expanded) {
        self.expanded = Some(expanded);
    }

    /// The path in the file of what stands at `path` now.
    fn written<'a>(&self, path: &'a str) -> Cow<'a, str> {
        match &self.expanded {
            Some(expanded) => expanded.written(path),
            None => Cow::Borrowed(path),
        }
    }

    /// Sets one value from `key=value` as it is given on a command line: the key is a dotted path
    /// (`shadow.sample`, `configs[1].upstream`), the value is read as YAML. Maps on the way that
    /// are not there are made. Errors about the value name the override.
    ///
    /// # Errors
    ///
    /// When the text is not of that form, the value is not YAML, or the path leads through
    /// something that is not a map or an item of a list.
    pub fn set(&mut self, text: &str) -> Result<(), ConfigError> {
        let shown = match text.split_once('=') {
            Some((key, _)) if path::steps(key).any(|step| SecretKeys::default().matches(step)) => {
                format!("{key}={REDACTED}")
            }
            _ => text.to_owned(),
        };
        let place = format!("override `{shown}`");
        let wrong = |message: &str| syntax(&place, Spot { line: 1, column: 1 }, message);
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| path::steps(key).next().is_some())
            .ok_or_else(|| wrong("not `key=value`; write one as in shadow.sample=0.1"))?;
        let value = match parse(value, &place)?.as_slice() {
            [] => Value::Null,
            [document] => document.value.clone(),
            _ => return Err(wrong("more than one YAML document")),
        };
        let target = path::steps(key).try_fold(&mut self.value, |value, step| match value {
            Value::Object(map) => Some(map.entry(step).or_insert(Value::Null)),
            Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
            Value::Null => {
                *value = Value::Object(Map::new());
                value.as_object_mut().map(|map| map.entry(step).or_insert(Value::Null))
            }
            _ => None,
        });
        *target.ok_or_else(|| {
            wrong("the path leads through something that is not a map or a list item")
        })? = value;
        let key = path::steps(key).fold(String::new(), |path, step| {
            if step.bytes().all(|b| b.is_ascii_digit()) {
                format!("{path}[{step}]")
            } else {
                path::join(&path, step)
            }
        });
        self.overrides.push((key, shown));
        Ok(())
    }

    /// Where the value at `path` was written, or else the nearest part around it.
    pub fn spot(&self, path: &str) -> Spot {
        let path = &*self.written(path);
        let mut path = path;
        loop {
            if let Some(spot) = self.spots.get(path) {
                return *spot;
            }
            match path.rfind(['.', '[']) {
                Some(at) => path = &path[..at],
                None if path.is_empty() => return Spot { line: 1, column: 1 },
                None => path = "",
            }
        }
    }

    /// An error at `path` that names the file, the line and the column.
    pub fn error(&self, path: &str, message: impl fmt::Display) -> ConfigError {
        let Spot { line, column } = self.spot(path);
        let path = &*self.written(path);
        let set = self.overrides.iter().rev().find(|(key, _)| {
            path.strip_prefix(key.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        if let Some((_, text)) = set {
            return ConfigError::Override {
                text: text.clone(),
                message: format!("`{path}`: {message}"),
            };
        }
        let message =
            if path.is_empty() { message.to_string() } else { format!("`{path}`: {message}") };
        ConfigError::Syntax { place: self.place.clone(), line, column, message }
    }

    /// Binds the part at `path` to a type.
    ///
    /// # Errors
    ///
    /// When it does not fit; the error names the file, the line and the column.
    pub fn bind<T: serde::de::DeserializeOwned>(&self, at: &str) -> Result<T, ConfigError> {
        let value = path::find(&self.value, at).unwrap_or(&Value::Null);
        serde_path_to_error::deserialize(value).map_err(|error| {
            let inside = path::join(at, &error.path().to_string());
            let message = helpful(&speakable(&inside, error.into_inner().to_string()));
            // serde names an unknown key in the message only; point at the key itself.
            let unknown = message.strip_prefix("unknown key `").and_then(|m| m.split('`').next());
            match unknown {
                Some(key) if !inside.ends_with(key) => {
                    self.error(&path::join(&inside, key), message)
                }
                _ => self.error(&inside, message),
            }
        })
    }
}

impl Document {
    /// The config at `path`, with the place it was written at.
    pub(super) fn config(&self, at: &str) -> Result<(Config, String), ConfigError> {
        self.config_with(at, &SecretKeys::default())
    }

    /// As [`Document::config`], with the caller's rule for what is a secret.
    pub(crate) fn config_with(
        &self,
        at: &str,
        secrets: &SecretKeys,
    ) -> Result<(Config, String), ConfigError> {
        let value = path::find(&self.value, at).cloned().unwrap_or(Value::Null);
        let config = Config::with_secrets(value, secrets).map_err(|error| match error {
            // These know better where.
            ConfigError::Number(error) => {
                self.error(&path::join(at, &error.path), error.what_is_wrong())
            }
            ConfigError::BadId { ref found } => self
                .error(&path::join(at, "config_id"), format!("{found} is not a non-empty string")),
            other => self.error(at, other),
        })?;
        Ok((config, self.place_of(at)))
    }

    /// The file and the line of what stands at `path`.
    pub(super) fn place_of(&self, path: &str) -> String {
        format!("{}:{}", self.place, self.spot(path).line)
    }
}

/// serde's message, in words for people who write files; with the nearest key or value where one
/// is unknown.
fn helpful(message: &str) -> String {
    for (start, what) in [("unknown field `", "key"), ("unknown variant `", "value")] {
        let unknown = message.strip_prefix(start).and_then(|rest| rest.split_once("`, expected "));
        if let Some((found, expected)) = unknown {
            return unknown_word(what, found, expected);
        }
    }
    let invalid = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "));
    match invalid {
        Some((found, expected)) => {
            format!("{} is expected here, not {}", wanted(expected), said(found))
        }
        None => message.replace("missing field", "missing key"),
    }
}

fn unknown_word(what: &str, found: &str, expected: &str) -> String {
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let nearest = known
        .iter()
        .map(|key| (strsim::damerau_levenshtein(found, key), *key))
        .min()
        .filter(|(distance, key)| *distance <= 2.max(key.len() / 3));
    match nearest {
        Some((_, key)) => format!("unknown {what} `{found}`; did you mean `{key}`?"),
        None => format!("unknown {what} `{found}`; there are {}", known.join(", ")),
    }
}

/// What serde expected.
fn wanted(expected: &str) -> &str {
    match expected {
        "a string" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "a list, as in [a, b],",
        "f64" | "f32" => "a number",
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number from 0",
        "i64" | "i32" => "a whole number",
        "a map" => "a map, as in { key: value },",
        expected if expected.starts_with("struct ") => "a map, as in { key: value },",
        expected => expected,
    }
}

/// What serde found.
fn said(found: &str) -> String {
    for (start, word) in
        [("integer ", "the number"), ("floating point ", "the number"), ("string ", "the text")]
    {
        if let Some(value) = found.strip_prefix(start) {
            return format!("{word} {}", value.trim_matches('`'));
        }
    }
    match found {
        "null" | "unit value" => "nothing".to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "a map".to_owned(),
        found => found.trim_start_matches("boolean ").trim_matches('`').to_owned(),
    }
}

/// An error at a place of a text.
pub(super) fn syntax(place: &str, spot: Spot, message: impl Into<String>) -> ConfigError {
    ConfigError::Syntax {
        place: place.to_owned(),
        line: spot.line,
        column: spot.column,
        message: message.into(),
    }
}
