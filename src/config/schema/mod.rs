//! What a config may hold, said beforehand, and everything in it that is otherwise.
//!
//! A [`Schema`] is a JSON Schema (2020-12, or the draft it names): derived from a Rust type, or read
//! from a file. It checks a whole document and reports all that is wrong at once, each with its
//! place, the value, and what would be right.
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//! use tower_spearmint::config::{schema::{Options, Schema}, yaml};
//!
//! #[derive(Debug, Deserialize, JsonSchema)]
//! struct Llm { model: String, #[schemars(range(min = 0.0, max = 2.0))] temperature: f64 }
//!
//! let text = "modle: small\ntemperature: warm\n";
//! let mut document = yaml::parse(text, "llm.yaml")?.remove(0);
//! let error = document.validate(&Schema::of::<Llm>()?, &Options::default()).unwrap_err();
//! assert_eq!(error.to_string(), "\
//! llm.yaml:1:1: missing key `model`
//! llm.yaml:1:8: `modle`: unknown key `modle`; did you mean `model`?
//! llm.yaml:2:14: `temperature`: a number is expected here, not the text \"warm\"");
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! Keys that the schema does not know are refused, unless it says something else of them
//! (`additionalProperties`, `unevaluatedProperties`). With [`Options::convert`] a scalar that was written
//! as another type becomes what the schema wants, if nothing is lost:
//!
//! ```
//! # use schemars::JsonSchema;
//! # use serde::Deserialize;
//! # use tower_spearmint::config::{schema::{Options, Schema}, yaml};
//! #[derive(Deserialize, JsonSchema)]
//! struct Limits { depth: u32, log: bool, version: String }
//!
//! let mut document = yaml::parse("{ depth: '100', log: yes, version: 5 }", "x.yaml")?.remove(0);
//! document.validate(&Schema::of::<Limits>()?, &Options::default().convert(true))?;
//! let limits: Limits = document.bind("")?;
//! assert_eq!((limits.depth, limits.log, limits.version.as_str()), (100, true, "5"));
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```
//!
//! # Secrets
//!
//! What the schema calls `"writeOnly": true`, `"format": "password"` or `"x-secret": true` is a secret, whatever
//! its key: it is not shown in messages or records, and in the id of a [`Config`](super::Config) only its path
//! counts. In Rust that is a [`Secret`](super::Secret).

mod annotations;
mod checked;
mod convert;
mod places;
mod types;
mod violations;
pub(crate) mod written;

use super::ConfigError;
use jsonschema::{PatternOptions, Validator};
use places::{Patterns, Places};
use schemars::JsonSchema;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap, fmt, path::Path, sync::Arc};

/// A JSON Schema, ready to check. Cheap to clone.
#[derive(Clone)]
pub struct Schema {
    inner: Arc<Inner>,
}

struct Inner {
    value: Value,
    validator: Validator,
    patterns: Patterns,
}

impl Schema {
    /// The schema of a Rust type, as its [`JsonSchema`] says.
    ///
    /// # Errors
    ///
    /// When the type describes itself by something that is not a JSON Schema.
    pub fn of<T: JsonSchema>() -> Result<Self, ConfigError> {
        let value = schemars::generate::SchemaSettings::draft2020_12()
            .with_transform(schemars::transform::RecursiveTransform(bound_integer))
            .into_generator()
            .into_root_schema_for::<T>();
        Self::build(value.to_value(), std::any::type_name::<T>())
    }

    /// A schema from its JSON.
    ///
    /// # Errors
    ///
    /// When it is not a JSON Schema, or refers to another file: nothing is fetched.
    pub fn from_value(value: Value) -> Result<Self, ConfigError> {
        Self::build(value, "the schema")
    }

    /// A schema from a JSON or YAML file.
    ///
    /// # Errors
    ///
    /// As [`Schema::from_value`], and when the file cannot be read.
    pub fn from_file(file: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let file = file.as_ref();
        let place = file.display().to_string();
        let text = super::document::text::read(file)?;
        let is_json = file.extension().is_some_and(|extension| extension == "json");
        if is_json {
            let value = serde_json::from_str(&text).map_err(|error| ConfigError::Syntax {
                place: place.clone(),
                line: error.line() as u64,
                column: error.column() as u64,
                message: format!("not JSON: {}", plain(&error)),
            })?;
            return Self::build(value, &place);
        }
        let value = super::yaml::parse(&text, &place)?
            .first()
            .map_or(Value::Null, |document| document.value().clone());
        Self::build(value, &place)
    }

    fn build(value: Value, place: &str) -> Result<Self, ConfigError> {
        let validator = validator(&value, place)?;
        let mut patterns = BTreeMap::new();
        collect_patterns(&value, &mut patterns, place)?;
        Ok(Self { inner: Arc::new(Inner { value, validator, patterns }) })
    }

    /// The JSON Schema itself.
    pub fn value(&self) -> &Value {
        &self.inner.value
    }

    /// Whether a value fits, and no more than that.
    pub(crate) fn fits(&self, value: &Value) -> bool {
        self.inner.validator.is_valid(value)
    }

    fn places(&self) -> Places<'_> {
        Places { root: &self.inner.value, patterns: &self.inner.patterns }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.inner.value).finish()
    }
}

/// How a document is checked.
#[derive(Debug, Clone, Default)]
pub struct Options {
    convert: bool,
    allow_unknown: bool,
    beside: Vec<String>,
}

impl Options {
    /// Whether scalars of another type are converted where nothing is lost: `"100"` to 100, `"yes"`
    /// and `"on"` to true, 5 to `"5"`, 5.0 to 5. Off by default.
    ///
    /// A fraction does not become a text: 1.10 was read as 1.1.
    #[must_use]
    pub const fn convert(mut self, convert: bool) -> Self {
        self.convert = convert;
        self
    }

    /// Whether keys that the schema does not know are refused (the default) or passed over. A schema
    /// that itself says `"additionalProperties": false` refuses them in any case.
    #[must_use]
    pub const fn unknown_keys(mut self, allow: UnknownKeys) -> Self {
        self.allow_unknown = matches!(allow, UnknownKeys::Allow);
        self
    }

    /// Keys of the outermost map that are not the schema's business, unless it names them itself.
    #[must_use]
    pub fn beside<'a>(mut self, keys: impl IntoIterator<Item = &'a str>) -> Self {
        self.beside.extend(keys.into_iter().map(str::to_owned));
        self
    }
}

/// What becomes of keys that a schema does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownKeys {
    /// They are mistakes.
    #[default]
    Refuse,
    /// They are passed over.
    Allow,
}

/// Small integers come with their bounds, those of 32 bits and more only with the name of their format.
fn bound_integer(schema: &mut schemars::Schema) {
    let (least, most) = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => (Value::from(i32::MIN), Value::from(i32::MAX)),
        Some("uint32") => (Value::from(0), Value::from(u32::MAX)),
        Some("int64") => (Value::from(i64::MIN), Value::from(i64::MAX)),
        _ => return,
    };
    for (key, bound) in [("minimum", least), ("maximum", most)] {
        if schema.get(key).is_none() {
            schema.insert(key.to_owned(), bound);
        }
    }
}

/// Schemas come from files, too: a pattern is matched in linear time, and nothing is fetched.
fn validator(value: &Value, place: &str) -> Result<Validator, ConfigError> {
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .offline()
        .build(value)
        .map_err(|error| {
            let path = match error.instance_path().as_str() {
                "" => "/".to_owned(),
                pointer => pointer.to_owned(),
            };
            let message = format!("not a JSON Schema: {error}");
            ConfigError::Mismatch { path, message }.at(place)
        })
}

/// Honest schemas are not nested this deep.
const MAX_DEPTH: usize = 128;

fn collect_patterns(value: &Value, into: &mut Patterns, place: &str) -> Result<(), ConfigError> {
    let mut waiting = vec![(value, 0)];
    while let Some((value, depth)) = waiting.pop() {
        if depth > MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(ConfigError::Mismatch { path: "/".to_owned(), message }.at(place));
        }
        match value {
            Value::Object(map) => {
                let patterns = map.get("patternProperties").and_then(Value::as_object);
                for pattern in patterns.into_iter().flat_map(|patterns| patterns.keys()) {
                    let schema = serde_json::json!({ "pattern": pattern });
                    into.insert(pattern.clone(), validator(&schema, place)?);
                }
                waiting.extend(map.values().map(|value| (value, depth + 1)));
            }
            Value::Array(items) => waiting.extend(items.iter().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

/// serde_json repeats the place, which stands in front already.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// The steps of a JSON pointer (RFC 6901).
fn pointer_steps(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(|step| {
        if step.contains('~') {
            Cow::Owned(step.replace("~1", "/").replace("~0", "~"))
        } else {
            Cow::Borrowed(step)
        }
    })
}

fn child<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => map.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}
