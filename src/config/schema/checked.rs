//! Documents, configs and pools, checked against a schema.

use super::{
    Options, Schema, annotations, convert,
    violations::{Speaker, Violation, unknown_key},
};
use crate::config::{
    Config, ConfigError, ConfigPool, Document, SecretKeys, path, unquoted::is_secret_path,
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// More than anyone reads at once.
const MAX_VIOLATIONS: usize = 100;

/// Of a document with more values than this, the first violation is said, and not all of them.
const MAX_PLACES: usize = 50_000;

impl Document {
    /// Checks the whole document, and reports everything that is wrong at once, in the order of the
    /// file. Scalars are converted first, if `options` say so, and what the schema calls a secret
    /// counts as one from here on.
    ///
    /// # Errors
    ///
    /// What is wrong; [`ConfigError::Several`] if it is more than one thing.
    pub fn validate(&mut self, schema: &Schema, options: &Options) -> Result<(), ConfigError> {
        self.validate_at("", schema, options)
    }

    /// As [`Document::validate`], for the part at `at`; nothing is there is `null`.
    ///
    /// # Errors
    ///
    /// As [`Document::validate`].
    pub fn validate_at(
        &mut self,
        at: &str,
        schema: &Schema,
        options: &Options,
    ) -> Result<(), ConfigError> {
        let mut value = self.get(at).cloned().unwrap_or(Value::Null);
        let checked =
            check(schema, options, &mut value, &|inner| is_secret_path(&path::join(at, inner)));
        self.hide(checked.secrets.iter().map(|inner| path::join(at, inner)));
        if options.convert
            && let Some(place) = path::find_mut(self.value_mut(), at)
        {
            *place = value;
        }
        let errors = checked
            .violations
            .into_iter()
            .map(|Violation { path, message }| self.error(&path::join(at, &path), message));
        ConfigError::many(errors)
    }
}

impl Document {
    /// What is wrong with the whole document, by paths.
    #[cfg(feature = "proxy")]
    pub(crate) fn violations(&self, schema: &Schema, options: &Options) -> Vec<(String, String)> {
        let mut value = self.value().clone();
        let checked = check(schema, options, &mut value, &is_secret_path);
        checked.violations.into_iter().map(|wrong| (wrong.path, wrong.message)).collect()
    }
}

impl Config {
    /// This config, checked against a schema; what the schema calls a secret is hidden in it. Its
    /// `config_id` is not the schema's business.
    ///
    /// A secret counts in the id only by its path: where the id is derived, it is another one when
    /// the schema names secrets.
    ///
    /// # Errors
    ///
    /// What is wrong, with its path; [`ConfigError::Several`] if it is more than one thing.
    pub fn validate(&self, schema: &Schema, options: &Options) -> Result<Self, ConfigError> {
        let mut value = self.value().clone();
        let options = options.clone().beside(["config_id"]);
        let is_hidden = |path: &str| is_secret_path(path) || !self.may_quote(path);
        let checked = check(schema, &options, &mut value, &is_hidden);
        ConfigError::many(checked.violations.into_iter().map(|Violation { path, message }| {
            if path.is_empty() {
                ConfigError::Mismatch { path: ".".to_owned(), message }
            } else {
                ConfigError::Mismatch { path, message }
            }
        }))?;
        if checked.secrets.is_empty() && value == *self.value() {
            return Ok(self.clone());
        }
        let secrets = SecretKeys::none().at(checked.secrets).at(self.hidden_paths());
        Self::with_secrets(value, &secrets)
    }
}

impl ConfigPool {
    /// This pool, each of its configs checked against a schema ([`Config::validate`]).
    ///
    /// # Errors
    ///
    /// What is wrong, with the config and the path; all of it at once.
    pub fn validate(&self, schema: &Schema, options: &Options) -> Result<Self, ConfigError> {
        let mut wrong = Vec::new();
        let mut checked = Vec::with_capacity(self.len());
        for (at, config) in self.iter().enumerate() {
            match config.validate(schema, options) {
                Ok(config) => checked.push(config),
                Err(error) => {
                    let place = format!("configs[{at}] (`{}`)", config.id().short());
                    wrong.extend(error.into_each().map(|error| error.at(place.clone())));
                }
            }
            if wrong.len() >= MAX_VIOLATIONS {
                break;
            }
        }
        ConfigError::many(wrong)?;
        Self::new(checked)
    }
}

struct Checked {
    violations: Vec<Violation>,
    secrets: BTreeSet<String>,
}

/// Checks a value, which is converted if the options say so. `is_hidden`: what is a secret already.
fn check(
    schema: &Schema,
    options: &Options,
    value: &mut Value,
    is_hidden: &dyn Fn(&str) -> bool,
) -> Checked {
    let places = schema.places();
    let set_aside = set_aside(schema, options, value);
    if options.convert {
        convert::convert(places, value);
    }
    let found = annotations::find(places, value);
    let is_shown = |path: &str| {
        let below = |secret: &String| {
            path.strip_prefix(secret.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        !is_hidden(path) && !found.secrets.iter().any(below)
    };
    let mut violations = Vec::new();
    let speaker = Speaker { places, value, is_shown: &is_shown };
    let validator = &schema.inner.validator;
    if found.places > MAX_PLACES {
        // A report for each of so many places would take up more memory than the document.
        if let Err(error) = validator.validate(value) {
            speaker.say(&error, &mut violations);
        }
    } else {
        for error in validator.iter_errors(value) {
            if violations.len() > MAX_VIOLATIONS {
                break;
            }
            speaker.say(&error, &mut violations);
        }
    }
    if !options.allow_unknown {
        violations.extend(found.unknown.iter().map(|(path, key, known)| Violation {
            path: path.clone(),
            message: unknown_key(key, known),
        }));
    }
    violations.sort();
    violations.dedup();
    if violations.len() > MAX_VIOLATIONS {
        violations.truncate(MAX_VIOLATIONS);
        let message = format!("more than {MAX_VIOLATIONS} mistakes; these are some of them");
        violations.push(Violation { path: String::new(), message });
    }
    if let Value::Object(map) = value {
        map.extend(set_aside);
    }
    Checked { violations, secrets: found.secrets }
}

/// Takes the keys out that are not the schema's business.
fn set_aside(schema: &Schema, options: &Options, value: &mut Value) -> Map<String, Value> {
    let places = schema.places();
    let named = super::places::Places::named_keys(&places.spread(&places.whole(), value));
    let mut aside = Map::new();
    if let Value::Object(map) = value {
        for key in options.beside.iter().filter(|key| !named.contains(key.as_str())) {
            aside.extend(map.remove_entry(key));
        }
    }
    aside
}
