//! The entries of a `defaults:` list.

use super::{Document, choice::options, find::is_name};
use crate::config::{ConfigError, path};
use serde_json::Value;

/// One entry of a list.
pub(super) enum Entry {
    Itself,
    /// A file beside this one.
    Sibling {
        name: String,
        optional: bool,
    },
    Group {
        group: Group,
        options: Vec<String>,
        optional: bool,
    },
    /// What a group of an included file is to be.
    Override {
        group: Group,
        options: Vec<String>,
    },
}

/// `/db/engine@package`.
pub(super) struct Group {
    pub(super) absolute: bool,
    pub(super) name: String,
    pub(super) package: Option<String>,
}

impl Group {
    pub(super) fn parse(text: &str) -> Self {
        let (name, package) = match text.split_once('@') {
            Some((name, package)) => (name, Some(package.to_owned())),
            None => (text, None),
        };
        let absolute = name.starts_with('/');
        Self { absolute, name: name.trim_start_matches('/').to_owned(), package }
    }
}

/// Takes the `defaults:` list out of a file, if it has one. (What is called so and is not a list is
/// a value like any other.)
pub(super) fn take_list(document: &mut Document) -> Result<Option<Vec<Entry>>, ConfigError> {
    let Some(Value::Array(items)) = document.value.get("defaults") else { return Ok(None) };
    let entries = items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            entry(item).map_err(|message| document.error(&format!("defaults[{at}]"), message))
        })
        .collect::<Result<_, _>>()?;
    if let Value::Object(map) = &mut document.value {
        map.remove("defaults");
    }
    Ok(Some(entries))
}

fn entry(item: &Value) -> Result<Entry, String> {
    const WANTED: &str = "an entry is `- file`, `- group: file` or `- _self_`";
    match item {
        Value::String(name) if name == "_self_" => Ok(Entry::Itself),
        Value::String(name) => {
            let (name, optional) = match name.strip_prefix("optional ") {
                Some(name) => (name.trim(), true),
                None => (name.as_str(), false),
            };
            if !is_name(name) {
                return Err(format!("`{name}` is not the name of a file beside or below this one"));
            }
            Ok(Entry::Sibling { name: name.to_owned(), optional })
        }
        Value::Object(map) if map.len() == 1 => {
            let (key, value) = map.iter().next().ok_or(WANTED)?;
            let options = options(value)
                .ok_or_else(|| format!("{} does not name a file; {WANTED}", path::kind(value)))?;
            let (word, group) = match key.split_once(' ') {
                Some((word, group)) => (Some(word), Group::parse(group.trim())),
                None => (None, Group::parse(key)),
            };
            if !is_name(&group.name)
                || group.package.as_ref().is_some_and(|p| p.split('.').any(str::is_empty))
            {
                return Err(format!(
                    "`{key}` is not the name of a group, as in model or db/engine"
                ));
            }
            match word {
                None => Ok(Entry::Group { group, options, optional: false }),
                Some("optional") => Ok(Entry::Group { group, options, optional: true }),
                Some("override") => Ok(Entry::Override { group, options }),
                Some(word) => {
                    Err(format!("`{word}` is not known here; there are optional, override"))
                }
            }
        }
        other => Err(format!("{} is no entry of a `defaults:` list; {WANTED}", path::kind(other))),
    }
}
