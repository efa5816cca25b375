//! Overrides as they are given on a command line: `a.b=1`.

use super::{
    Document, Origin, Spot, Trace,
    change::{Blocked, MAX_STEPS},
    flow,
    text::syntax,
};
use crate::config::{ConfigError, Lists, REDACTED, SecretKeys, path};
use serde_json::Value;

/// What an override does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// `a=1`: sets, whether something is there or not; a map is merged with one that is there.
    Set,
    /// `+a=1`: sets what is not there yet.
    Add,
    /// `~a`, `~a=1`: takes out (only if it is 1).
    Delete,
}

/// An override, taken apart.
pub(super) struct Override {
    pub(super) deed: Deed,
    /// As it was written.
    pub(super) key: String,
    pub(super) path: String,
    /// `None` for `~a`.
    pub(super) value: Option<Value>,
    /// The override without any secret.
    pub(super) shown: String,
}

const EXAMPLE: &str = "not `key=value`; write one as in shadow.sample=0.1";

impl Override {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let shown = without_secrets(text, &SecretKeys::default());
        let wrong = |at: usize, message: &str| {
            let column = 1 + text.get(..at).unwrap_or_default().chars().count() as u64;
            syntax(&format!("override `{shown}`"), Spot { line: 1, column }, message)
        };
        let (deed, start) = match text.bytes().next() {
            Some(b'~') => (Deed::Delete, 1),
            Some(b'+') if text.starts_with("++") => (Deed::Set, 2),
            Some(b'+') => (Deed::Add, 1),
            _ => (Deed::Set, 0),
        };
        let equals = unescaped_equals(text);
        if equals.is_none() && deed != Deed::Delete {
            return Err(wrong(0, EXAMPLE));
        }
        let key = text[start..equals.unwrap_or(text.len())].trim();
        if key.is_empty() {
            return Err(wrong(0, EXAMPLE));
        }
        if !is_path(key) {
            return Err(wrong(
                start,
                "not a path; write one as in a.b, a[0].b, or v1\\.2 for a dot in a key",
            ));
        }
        if path::steps(key).nth(MAX_STEPS).is_some() {
            return Err(wrong(start, &Blocked::TooDeep.message()));
        }
        let value = match equals {
            Some(equals) => Some(flow::parse(&text[equals + 1..]).map_err(|(at, message)| {
                let hides = shown != text;
                let message =
                    if hides { "the value cannot be read; put it in quotes" } else { &message };
                wrong(equals + 1 + at, message)
            })?),
            None => None,
        };
        let path = path::steps(key).fold(String::new(), |path, step| path::step(&path, &step));
        Ok(Self { deed, key: key.to_owned(), path, value, shown })
    }

    /// An error about what it does.
    pub(super) fn error(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::Override { text: self.shown.clone(), message: message.into() }
    }
}

impl Document {
    /// Changes one value by `key=value` as it is given on a command line.
    ///
    /// | override | what it does |
    /// |---|---|
    /// | `shadow.sample=0.1` | sets it; maps on the way that are not there are made |
    /// | `configs[1].upstream=http://127.0.0.1:9003` | sets it in an item of a list |
    /// | `weights.v1\.2=3` | a key with a dot |
    /// | `tags=[a, 'b c', 3]` | a list; it replaces the list that is there |
    /// | `shadow={timeout: 2s}` | a map; it is merged with the map that is there |
    /// | `note=`, `note=null` | nothing |
    /// | `note=''`, `version='1.10'` | a text |
    /// | `+llm.top_p=1` | sets what is not there yet; an error if it is |
    /// | `~llm.top_p`, `~llm.top_p=1` | takes it out (if it is 1); an error if it is not there |
    ///
    /// A value is a bare word with the typing of YAML files, a text in quotes, a list or a map in
    /// YAML's flow style.
    ///
    /// # Errors
    ///
    /// When the text is not of that form, the value cannot be read, or the path leads through
    /// something that is not a map or an item of a list. The error names the override, without any
    /// secret.
    pub fn set(&mut self, text: &str) -> Result<(), ConfigError> {
        self.apply(Override::parse(text)?)
    }

    pub(super) fn apply(&mut self, change: Override) -> Result<(), ConfigError> {
        let here = self.get(&change.path);
        match (change.deed, here) {
            (Deed::Delete, None) => {
                Err(change.error(match self.reference_on_the_way(&change.path) {
                    Some(reference) => reference.message(),
                    None => path::missing(&self.value, &change.path).to_string(),
                }))
            }
            (Deed::Delete, Some(here)) => {
                if change.value.as_ref().is_some_and(|value| value != here) {
                    return Err(change.error("another value stands there, so it was not taken out"));
                }
                self.take(&change.path);
                Ok(())
            }
            (Deed::Add, Some(_)) => Err(change.error(format!(
                "`{}` is there already; without the `+` it is replaced",
                change.path
            ))),
            (Deed::Set | Deed::Add, _) => {
                let origin = Origin::Override(change.shown.as_str().into());
                self.lay_at(&change.path, change.value.unwrap_or_default(), origin).map_err(
                    |message| syntax(&format!("override `{}`", change.shown), Spot::START, message),
                )
            }
        }
    }

    /// Lays a value over what is at `path`.
    pub(super) fn lay_at(
        &mut self,
        path: &str,
        value: Value,
        origin: Origin,
    ) -> Result<(), String> {
        // A value that is missing on purpose (`???`) is a value of an override like any other.
        if value.is_object() {
            return self.update_from(path, value, origin, &Lists::Replace);
        }
        let (here, trace) = self.place(path, &origin).map_err(|blocked| blocked.message())?;
        (*here, *trace) = (value, Trace::whole(origin));
        Ok(())
    }
}

/// The first `=` that is not part of a key (`\=`).
fn unescaped_equals(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.find(|character| {
        let found = !escaped && character == '=';
        escaped = !escaped && character == '\\';
        found
    })
}

/// Whether it is steps between dots, each with any number of `[…]` behind it.
fn is_path(key: &str) -> bool {
    // As many characters, with the escaped ones out of the way.
    let mut plain = String::with_capacity(key.len());
    let mut escaped = false;
    for character in key.chars() {
        let is_escape = !escaped && character == '\\';
        plain.push(if escaped || is_escape { 'x' } else { character });
        escaped = is_escape;
    }
    !escaped
        && plain.split('.').all(|step| {
            let (name, brackets) = step.split_at(step.find('[').unwrap_or(step.len()));
            let indices = brackets.strip_prefix('[').and_then(|b| b.strip_suffix(']'));
            let closed = |index: &str| !index.is_empty() && !index.contains(['[', ']']);
            (!name.is_empty() || !brackets.is_empty())
                && !name.contains(']')
                && (brackets.is_empty() || indices.is_some_and(|i| i.split("][").all(closed)))
        })
}

/// The override as it may be shown.
pub(super) fn without_secrets(text: &str, secrets: &SecretKeys) -> String {
    let Some((key, value)) = unescaped_equals(text).map(|at| (&text[..at], &text[at + 1..])) else {
        return text.to_owned();
    };
    let inside = |value: &str| match flow::parse(value) {
        Ok(value) => secrets.redact(&value) != value,
        // It cannot be said what is in it: better too little than too much.
        Err(_) => {
            value
                .split(|c: char| !c.is_alphanumeric() && !"_-".contains(c))
                .any(|w| secrets.matches(w))
                || (value.contains("://") && value.contains('@'))
        }
    };
    if path::steps(key).any(|step| secrets.matches(&step)) || inside(value) {
        return format!("{key}={REDACTED}");
    }
    text.to_owned()
}
