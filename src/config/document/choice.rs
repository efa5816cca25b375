//! What a command line says about a `defaults:` list: `model=claude`, `+model=claude`, `~model`.

use super::dotlist::{Deed, Override};
use crate::config::ConfigError;
use serde_json::Value;

/// The overrides of a command line, some of which may turn out to choose a file.
pub(super) struct Choices {
    all: Vec<Given>,
}

struct Given {
    change: Override,
    /// The files that it names, if it may name any; none for `null`.
    options: Option<Vec<String>>,
    used: bool,
}

/// A choice that was made elsewhere than in the list.
pub(super) struct Chosen {
    pub(super) options: Vec<String>,
    /// Its place in [`Choices`].
    pub(super) by: usize,
}

impl Choices {
    pub(super) fn new(overrides: Vec<Override>) -> Self {
        let given = |change: Override| {
            let simple = |c: char| c.is_alphanumeric() || "_-/@".contains(c);
            let options = match (&change.deed, &change.value) {
                (Deed::Delete, _) => Some(Vec::new()),
                (Deed::Set | Deed::Add, Some(value)) => options(value),
                (Deed::Set | Deed::Add, None) => None,
            };
            let options = options.filter(|_| change.key.chars().all(simple));
            Given { change, options, used: false }
        };
        Self { all: overrides.into_iter().map(given).collect() }
    }

    /// What is chosen for a group that stands in a list. The last one wins.
    pub(super) fn of(&mut self, group: &str) -> Option<Chosen> {
        let mut last = None;
        for (by, given) in self.all.iter_mut().enumerate() {
            if given.change.key == group
                && given.change.deed != Deed::Add
                && let Some(options) = &given.options
            {
                given.used = true;
                last = Some(Chosen { options: options.clone(), by });
            }
        }
        last
    }

    /// The `+group=option` whose group `is_group`: files that are added to the list.
    pub(super) fn added(&mut self, is_group: impl Fn(&str) -> bool) -> Vec<(String, Chosen)> {
        let mut added = Vec::new();
        for (by, given) in self.all.iter_mut().enumerate() {
            if !given.used
                && given.change.deed == Deed::Add
                && let Some(options) = &given.options
                && is_group(&given.change.key)
            {
                given.used = true;
                added.push((given.change.key.clone(), Chosen { options: options.clone(), by }));
            }
        }
        added
    }

    /// An error about the override that chose.
    pub(super) fn error(&self, by: usize, message: String) -> ConfigError {
        self.all[by].change.error(message)
    }

    /// The overrides that chose no file, and so set values.
    ///
    /// # Errors
    ///
    /// When one can only have been meant to choose a file.
    pub(super) fn rest(self) -> Result<Vec<Override>, ConfigError> {
        let unused = self.all.into_iter().filter(|given| !given.used).map(|given| given.change);
        unused
            .map(|change| {
                if change.key.contains('@')
                    || (change.key.contains('/') && !change.key.contains('.'))
                {
                    let message = format!("no `defaults:` list has the group `{}`", change.key);
                    return Err(change.error(message));
                }
                Ok(change)
            })
            .collect()
    }
}

/// The names of files: one, several, or none.
pub(super) fn options(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::String(name) => Some(vec![name.clone()]),
        Value::Number(name) => Some(vec![name.to_string()]),
        Value::Array(names) => names
            .iter()
            .map(|name| match name {
                Value::String(name) => Some(name.clone()),
                Value::Number(name) => Some(name.to_string()),
                _ => None,
            })
            .collect(),
        Value::Bool(_) | Value::Object(_) => None,
    }
}
