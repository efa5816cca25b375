//! Overrides from environment variables: `SPEARMINT__A__B=1`.

use super::{Document, Origin, flow};
use crate::config::{ConfigError, path};
use serde_json::Value;
use std::ffi::{OsStr, OsString};

impl Document {
    /// Sets `a.b` to 1 for a variable `<prefix>A__B=1`. Variables that do not begin with `prefix`
    /// are passed over; the others are applied in the order of their names.
    ///
    /// A part of a name stands for the key that is the same in any case; where there is none, for
    /// the key in lower case; in a list, for the number of an item. Values are read as those of
    /// overrides ([`Document::set`]).
    ///
    /// ```
    /// use tower_spearmint::config::Document;
    ///
    /// let mut document = Document::from_json_str("{ \"llm\": { \"topP\": 1 }, \"tags\": [\"a\"] }")?;
    /// let variables = [("APP__LLM__TOPP", "0.5"), ("APP__TAGS__0", "b"), ("HOME", "/root")];
    /// document.apply_env("APP__", variables)?;
    /// assert_eq!(document.value().to_string(), r#"{"llm":{"topP":0.5},"tags":["b"]}"#);
    /// # Ok::<(), tower_spearmint::config::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a name has an empty part, a value is not UTF-8 or cannot be read, or a path leads
    /// through something that is not a map or an item of a list. The error names the variable; it
    /// never quotes its value.
    pub fn apply_env<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        &mut self,
        prefix: &str,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), ConfigError> {
        let mut ours = with_prefix(prefix, variables);
        ours.sort();
        ours.into_iter().try_for_each(|(name, value)| self.apply_variable(prefix, &name, &value))
    }

    fn apply_variable(
        &mut self,
        prefix: &str,
        name: &OsStr,
        value: &OsStr,
    ) -> Result<(), ConfigError> {
        let wrong = |message: &str| ConfigError::Environment {
            name: name.to_string_lossy().into_owned(),
            message: message.to_owned(),
        };
        let key = name.to_str().and_then(|name| name.strip_prefix(prefix));
        let key = key.ok_or_else(|| wrong("its name is not UTF-8"))?;
        let value = value.to_str().ok_or_else(|| wrong("its value is not UTF-8"))?;
        if key.split("__").any(str::is_empty) {
            return Err(wrong(
                "its name has an empty part; write one as in SPEARMINT__SHADOW__SAMPLE",
            ));
        }
        let value = flow::parse(value).map_err(|(at, _)| {
            let column = value[..at].chars().count() + 1;
            wrong(&format!("its value cannot be read from character {column} on; put it in quotes"))
        })?;
        let mut here = Some(&self.value);
        let mut path = String::new();
        for part in key.split("__") {
            (path, here) = match here {
                Some(Value::Array(items)) => {
                    let at: usize = part.parse().map_err(|_| {
                        wrong(&format!("`{path}` is a list, and {part} not the number of an item"))
                    })?;
                    (path::item(&path, at), items.get(at))
                }
                Some(Value::Object(map)) => {
                    let lower = part.to_lowercase();
                    let known = map.keys().find(|key| key.to_lowercase() == lower);
                    let next = known.and_then(|key| map.get(key));
                    (path::child(&path, known.unwrap_or(&lower)), next)
                }
                _ => (path::child(&path, &part.to_lowercase()), None),
            };
        }
        let origin = Origin::Environment(name.to_string_lossy().into());
        self.lay_at(&path, value, origin).map_err(|message| wrong(&format!("`{path}`: {message}")))
    }
}

/// The variables that begin with `prefix`.
pub(super) fn with_prefix<K: AsRef<OsStr>, V: AsRef<OsStr>>(
    prefix: &str,
    variables: impl IntoIterator<Item = (K, V)>,
) -> Vec<(OsString, OsString)> {
    variables
        .into_iter()
        .map(|(name, value)| (name.as_ref().to_owned(), value.as_ref().to_owned()))
        .filter(|(name, _)| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
        .collect()
}
