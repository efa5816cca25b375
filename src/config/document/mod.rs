//! A config that is being built: a value, and where each part of it came from.
//!
//! A [`Document`] is read from a file or a text, merged with others, overridden and changed; then it
//! is frozen into a [`Config`], which never changes. Every part remembers its [`Origin`], so that an
//! error names the file, line and column, the variable or the override that is to be mended.
//!
//! ```
//! use tower_spearmint::config::Document;
//!
//! let mut document = Document::from_json_str("{ \"llm\": { \"model\": \"small\", \"top_p\": 1 } }")?;
//! document.set("llm.model=large")?;
//! assert_eq!(document.bind::<String>("llm.model")?, "large");
//! assert_eq!(document.origin("llm.model").unwrap().to_string(), "override `llm.model=large`");
//! assert_eq!(document.origin("llm.top_p").unwrap().to_string(), "<text>:1:39");
//!
//! let config = document.freeze()?;
//! assert_eq!(config.get::<String>("llm.model")?, "large");
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
mod change;
mod choice;
mod defaults;
mod dotlist;
mod entry;
mod env;
mod expansion;
mod find;
mod flow;
mod json;
mod lines;
mod load;
mod merge;
mod origin;
mod print;
mod scalar;
pub(crate) mod text;
#[cfg(feature = "toml")]
mod toml;
mod words;

use dotlist::Override;
pub use load::Sources;
pub use merge::Lists;
pub(crate) use origin::Trace;
pub use origin::{Origin, Spot};
pub use print::{Print, to_yaml};
#[cfg(feature = "yaml")]
pub(crate) use scalar::check_number;

use super::{
    Config, ConfigError, ConfigPool, REDACTED, SecretKeys,
    error::MADE_OF_SECRET,
    interpolate::{Drawn, Noted, Resolvers},
    path,
    unquoted::{speakable, unquoted},
};
use serde_json::{Map, Value};
use std::{borrow::Cow, fmt, path::PathBuf, sync::Arc};
use words::helpful;
#[cfg(feature = "schema")]
pub(crate) use words::unknown_word;

/// A config that is being built: a value, and where each part of it came from.
#[derive(Clone)]
pub struct Document {
    place: Arc<str>,
    value: Value,
    trace: Trace,
    /// What it was read from.
    files: Vec<PathBuf>,
    /// What the values were drawn from, besides the text.
    drawn: Drawn,
    /// Its templates, if they were put in place.
    expanded: Option<expansion::Expanded>,
}

impl Document {
    /// An empty map, to be filled by the program.
    pub fn new() -> Self {
        Self::from_value(Value::Object(Map::new()))
    }

    /// A value that the program made.
    pub fn from_value(value: Value) -> Self {
        Self::read("the program".into(), value, Trace::whole(Origin::Code))
    }

    pub(crate) fn read(place: Arc<str>, value: Value, trace: Trace) -> Self {
        Self { place, value, trace, files: Vec::new(), drawn: Drawn::default(), expanded: None }
    }

    /// The value.
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// The part at `path`, if there is one.
    pub fn get(&self, path: &str) -> Option<&Value> {
        path::find(&self.value, path)
    }

    /// What the values were drawn from when the references were resolved.
    pub const fn drawn(&self) -> &Drawn {
        &self.drawn
    }

    /// The usual keys of secrets, those that the document names under `secrets:`, and the headers by
    /// which an experiment file says who it is to a collector (`otlp.headers`).
    pub fn secret_keys(&self) -> SecretKeys {
        let named = self.get("secrets").and_then(Value::as_array).into_iter().flatten();
        let headers = self.get("otlp.headers").and_then(Value::as_object).into_iter().flatten();
        SecretKeys::default()
            .and(named.filter_map(Value::as_str))
            .and(headers.map(|(name, _)| &**name))
    }

    /// From here on the values at these paths are secrets.
    #[cfg(feature = "schema")]
    pub(crate) fn hide(&mut self, paths: impl IntoIterator<Item = String>) {
        for path in paths {
            let written = self.written(&path).into_owned();
            self.drawn.hide(written);
        }
    }

    pub(crate) const fn drawn_mut(&mut self) -> &mut Drawn {
        &mut self.drawn
    }

    pub(crate) const fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// The file it was read from first, or `<text>`.
    pub fn name(&self) -> &str {
        &self.place
    }

    /// The files it was read from, each once.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Where the value at `path` came from, if there is one. A part of something that came as a
    /// whole (the map of an override) has the origin of the whole.
    pub fn origin(&self, path: &str) -> Option<Origin> {
        self.get(path)?;
        let written = self.written(path);
        let origin = self.trace.nearest(&written)?.clone();
        Some(if *written == *path { origin } else { Origin::Expansion(Arc::new(origin)) })
    }

    /// The path at which what stands at `path` was written: they differ where a template was
    /// expanded.
    pub(crate) fn written<'a>(&self, path: &'a str) -> Cow<'a, str> {
        match &self.expanded {
            Some(expanded) => expanded.written(path),
            None => Cow::Borrowed(path),
        }
    }

    /// Where in its file the value at `path` was written, or else the nearest part around it; line 1,
    /// column 1 for what was not written in a file.
    pub fn spot(&self, path: &str) -> Spot {
        match self.trace.nearest(&self.written(path)) {
            Some(Origin::File { spot, .. }) => *spot,
            _ => Spot::START,
        }
    }

    /// An error at `path` that names the file, the line and the column; or the override or the
    /// variable, if it came from there. What the environment, a file or a secret gave is not quoted.
    pub fn error(&self, path: &str, message: impl fmt::Display) -> ConfigError {
        let found = self.get(path);
        let path = &*self.written(path);
        let message = match found {
            Some(value) if !self.drawn.at(path).may_be_quoted() => {
                words::without(&message.to_string(), value)
            }
            _ => message.to_string(),
        };
        let at_path =
            if path.is_empty() { message.clone() } else { format!("`{path}`: {message}") };
        match self.trace.nearest(path) {
            Some(Origin::Override(text)) => {
                let text = match text.split_once('=') {
                    Some((key, _)) if self.drawn.at(path).is_secret() => {
                        format!("{key}={REDACTED}")
                    }
                    _ => text.to_string(),
                };
                ConfigError::Override { text, message: at_path }
            }
            Some(Origin::Environment(name)) => {
                ConfigError::Environment { name: name.to_string(), message: at_path }
            }
            Some(Origin::File { place, spot: Spot { line, column } }) => ConfigError::Syntax {
                place: place.to_string(),
                line: *line,
                column: *column,
                message: at_path,
            },
            _ => ConfigError::Mismatch {
                path: if path.is_empty() { "." } else { path }.to_owned(),
                message,
            },
        }
    }

    /// Binds the part at `path` to a type.
    ///
    /// # Errors
    ///
    /// When it does not fit; the error names the file, the line and the column.
    pub fn bind<T: serde::de::DeserializeOwned>(&self, at: &str) -> Result<T, ConfigError> {
        let value = path::find(&self.value, at).unwrap_or(&Value::Null);
        serde_path_to_error::deserialize(value).map_err(|error| {
            let inside = path::of_serde(at, error.path());
            let message = speakable(&inside, error.into_inner().to_string());
            let may_quote = self.drawn.at(&self.written(&inside)).may_be_quoted();
            let message = helpful(&if may_quote { message } else { unquoted(message) });
            // serde names an unknown key in the message only; point at the key itself.
            let unknown = message.strip_prefix("unknown key `").and_then(|m| m.split('`').next());
            match unknown {
                Some(key) if !inside.ends_with(key) => {
                    self.error(&path::child(&inside, key), message)
                }
                _ => self.error(&inside, message),
            }
        })
    }

    /// Freezes it into a config, with the default [`SecretKeys`].
    ///
    /// # Errors
    ///
    /// As [`Config::new`]; the error names the file, the line and the column.
    pub fn freeze(&self) -> Result<Config, ConfigError> {
        self.freeze_with(&SecretKeys::default())
    }

    /// As [`Document::freeze`], with the caller's rule for what is a secret.
    ///
    /// # Errors
    ///
    /// As [`Document::freeze`].
    pub fn freeze_with(&self, secrets: &SecretKeys) -> Result<Config, ConfigError> {
        self.config_with("", secrets).map(|(config, _)| config)
    }

    /// The config at `path`, with the caller's rule for what is a secret, and the place it was
    /// written at.
    pub(crate) fn config_with(
        &self,
        at: &str,
        secrets: &SecretKeys,
    ) -> Result<(Config, String), ConfigError> {
        let value = path::find(&self.value, at).cloned().unwrap_or(Value::Null);
        let secrets = secrets.clone().and_drawn(&self.drawn, &self.written(at));
        let config = Config::with_secrets(value, &secrets).map_err(|error| match error {
            // These know better where.
            ConfigError::Number(error) => {
                self.error(&path::join(at, &error.path), error.what_is_wrong())
            }
            ConfigError::BadId { ref found } => self
                .error(&path::join(at, "config_id"), format!("{found} is not a non-empty string")),
            ConfigError::SecretId => self.error(&path::join(at, "config_id"), MADE_OF_SECRET),
            other => self.error(at, other),
        })?;
        Ok((config, self.place_of(at)))
    }

    /// The file and the line of what stands at `path`.
    fn place_of(&self, path: &str) -> String {
        match self.trace.nearest(&self.written(path)) {
            Some(Origin::File { place, spot }) => format!("{place}:{}", spot.line),
            Some(other) => other.to_string(),
            None => self.place.to_string(),
        }
    }
}

impl ConfigPool {
    /// A pool from a document: one config, or a list. References are resolved, templates expanded.
    ///
    /// # Errors
    ///
    /// When a reference or a template is wrong, when it holds something that is not a config, or none, or two different ones share an id.
    pub fn from_document(document: &Document) -> Result<Self, ConfigError> {
        let noted = Noted::default();
        let resolvers = Resolvers::standard().noting(&noted);
        let resolvers = match document.files.first() {
            Some(file) => resolvers.beside(file),
            None => resolvers,
        };
        let mut document = document.clone();
        document.settle(&resolvers, "")?;
        let pool = Self::placed(document.configs(&resolvers, 0)?, document.name())?;
        Ok(pool.drawn_from(&noted))
    }

    /// A pool from a file, by the ending of its name ([`Document::load`]): one config, or a list.
    ///
    /// # Errors
    ///
    /// As [`Document::load`] and [`ConfigPool::from_document`].
    pub fn from_file(file: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::from_document(&Document::load(file)?)
    }
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Document {
    /// Without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("place", &self.place)
            .field("value", &SecretKeys::default().and_drawn(&self.drawn, "").redact(&self.value))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    /// Any value that a file may hold, some levels deep.
    pub(crate) fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            "[-+0-9._eExX:]{1,6}|null|true|~|yes|[\\[{#&*!|>@%`'\"]x?".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-d]|.{0,6}|[0-9.]{1,3}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }
}
