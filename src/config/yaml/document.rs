//! One YAML document, and where each part of it was written.

use super::{
    super::{
        Config, ConfigError, REDACTED, SecretKeys, path,
        secret::{speakable, unspoken},
        words::helpful,
    },
    parse,
};
use serde_json::{Map, Value};
use std::{collections::HashMap, fmt};

/// One YAML document: its value, and where each part of it was written.
#[derive(Debug, Clone)]
pub struct Document {
    place: String,
    value: Value,
    spots: HashMap<String, Spot>,
    /// Paths that were set from a command line, and how.
    overrides: Vec<(String, String)>,
    /// Paths of secrets that are none by their keys.
    hidden: Vec<String>,
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
        Self { place: place.to_owned(), value, spots, overrides: Vec::new(), hidden: Vec::new() }
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The part at `path`, if there is one.
    pub fn get(&self, path: &str) -> Option<&Value> {
        path::find(&self.value, path)
    }

    #[cfg(any(feature = "proxy", feature = "schema"))]
    pub(crate) const fn value_mut(&mut self) -> &mut Value {
        &mut self.value
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
        let set = self.overrides.iter().rev().find(|(key, _)| path::is_within(path, key));
        if let Some((key, text)) = set {
            let is_hidden =
                |secret: &String| path::is_within(key, secret) || path::is_within(secret, key);
            return ConfigError::Override {
                text: if self.hidden.iter().any(is_hidden) {
                    format!("{key}={REDACTED}")
                } else {
                    text.clone()
                },
                message: format!("`{path}`: {message}"),
            };
        }
        let message =
            if path.is_empty() { message.to_string() } else { format!("`{path}`: {message}") };
        ConfigError::Syntax { place: self.place.clone(), line, column, message }
    }

    /// From here on the values at these paths are secrets.
    #[cfg(feature = "schema")]
    pub(crate) fn hide(&mut self, paths: impl IntoIterator<Item = String>) {
        self.hidden.extend(paths);
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
            let message = error.into_inner().to_string();
            let message = if self.hidden.iter().any(|secret| path::is_within(&inside, secret)) {
                helpful(&unspoken(&message))
            } else {
                helpful(&speakable(&inside, message))
            };
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
        let inside = |path: &String| path::strip(path, at).map(str::to_owned);
        let hidden: Vec<_> = self.hidden.iter().filter_map(inside).collect();
        let with_hidden;
        let secrets = if hidden.is_empty() {
            secrets
        } else {
            with_hidden = secrets.clone().at(hidden);
            &with_hidden
        };
        let config = Config::with_secrets(value, secrets).map_err(|error| match error {
            // These know better where.
            ConfigError::Number(error) => {
                self.error(&path::join(at, &error.path), error.what_is_wrong())
            }
            ConfigError::BadId { ref found } => self
                .error(&path::join(at, "config_id"), format!("{found} is not a non-empty string")),
            other => self.error(at, other),
        })?;
        let Spot { line, .. } = self.spot(at);
        Ok((config, format!("{}:{line}", self.place)))
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
