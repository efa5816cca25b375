//! Dotted paths into a value: `llm.temperature`, `stops[0]` or `stops.0`; `weights.v1\.2` for a key
//! with a dot.

use super::ConfigError;
use serde_json::Value;
use std::borrow::Cow;

pub(crate) fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    find_steps(value, steps(path))
}

pub(crate) fn find_steps<S: AsRef<str>>(
    value: &Value,
    mut steps: impl Iterator<Item = S>,
) -> Option<&Value> {
    steps.try_fold(value, |value, step| match value {
        Value::Object(map) => map.get(step.as_ref()),
        Value::Array(items) => items.get(step.as_ref().parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(feature = "schema")]
pub(crate) fn find_mut<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    steps(path).try_fold(value, |value, step| match value {
        Value::Object(map) => map.get_mut(&*step),
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The error for a path that leads nowhere, with the nearest existing part and its keys.
pub(crate) fn missing(root: &Value, path: &str) -> ConfigError {
    let mut here = root;
    let mut reached = String::new();
    for step in steps(path) {
        let next = match here {
            Value::Object(map) => map.get(&*step),
            Value::Array(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        };
        let Some(next) = next else { break };
        reached = child(&reached, &step);
        here = next;
    }
    let at = if reached.is_empty() { "the config".to_owned() } else { format!("`{reached}`") };
    ConfigError::Missing { path: path.to_owned(), at, has: holds(here) }
}

/// What is there, as in `is a list of 2 items`.
pub(crate) fn holds(value: &Value) -> String {
    match value {
        Value::Object(map) if map.is_empty() => "is an empty map".to_owned(),
        Value::Object(map) => {
            let keys: Vec<_> = map.keys().take(12).map(|key| format!("`{key}`")).collect();
            let more = if map.len() > keys.len() { ", …" } else { "" };
            format!("has the keys {}{more}", keys.join(", "))
        }
        Value::Array(items) => format!("is a list of {} items", items.len()),
        other => format!("is {}", kind(other)),
    }
}

pub(crate) fn join(base: &str, rest: &str) -> String {
    match (base, rest) {
        (base, "." | "") => base.to_owned(),
        ("", rest) => rest.to_owned(),
        (base, rest) if rest.starts_with('[') => format!("{base}{rest}"),
        (base, rest) => format!("{base}.{rest}"),
    }
}

/// The rest of `path` below `base`; empty if they are the same.
pub(crate) fn within<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    if base.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(base)?;
    if rest.is_empty() || rest.starts_with('[') { Some(rest) } else { rest.strip_prefix('.') }
}

pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// The steps of a path. A backslash takes away what the next character means, so that
/// `weights.v1\.2` is the key `v1.2` under `weights`.
pub(crate) fn steps(path: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(SEPARATORS);
        let mut plain = true;
        let mut escaped = false;
        let end = rest.find(|character| {
            let ends = !escaped && SEPARATORS.contains(&character);
            escaped = !escaped && character == '\\';
            plain &= !escaped;
            ends
        });
        let (step, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        match step {
            "" => None,
            step if plain => Some(Cow::Borrowed(step)),
            step => Some(Cow::Owned(without_backslashes(step))),
        }
    })
}

const SEPARATORS: [char; 3] = ['.', '[', ']'];

fn without_backslashes(step: &str) -> String {
    let mut out = String::with_capacity(step.len());
    let mut characters = step.chars();
    while let Some(character) = characters.next() {
        let kept = if character == '\\' { characters.next() } else { Some(character) };
        out.push(kept.unwrap_or('\\'));
    }
    out
}

/// The path of the value under `key` of the map at `base`.
pub(crate) fn child(base: &str, key: &str) -> String {
    let mut out = String::with_capacity(base.len() + 1 + key.len());
    out.push_str(base);
    if !base.is_empty() {
        out.push('.');
    }
    for character in key.chars() {
        if character == '\\' || SEPARATORS.contains(&character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// The path of an item of the list at `base`.
pub(crate) fn item(base: &str, at: usize) -> String {
    format!("{base}[{at}]")
}

/// The path of a step below `base`: a number counts as that of an item, though `00` and `+1` are keys.
pub(crate) fn step(base: &str, step: &str) -> String {
    match step.parse::<usize>() {
        Ok(at) if at.to_string() == step => item(base, at),
        _ => child(base, step),
    }
}

/// Where in the value at `base` serde met something that does not fit.
pub(crate) fn of_serde(base: &str, inside: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    inside.iter().fold(base.to_owned(), |path, segment| match segment {
        Segment::Seq { index } => item(&path, *index),
        Segment::Map { key } => child(&path, key),
        Segment::Enum { variant } => child(&path, variant),
        Segment::Unknown => path,
    })
}

/// The way from the top to a value, while it is read: written out only if something is wrong there.
pub(crate) enum Trail<'a> {
    Top,
    Key(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl std::fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path())
    }
}

impl Trail<'_> {
    fn path(&self) -> String {
        match self {
            Self::Top => String::new(),
            Self::Key(above, key) => child(&above.path(), key),
            Self::Item(above, at) => item(&above.path(), *at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_made_of_keys_leads_back_to_them() {
        for key in ["a", "v1.2", "a[0]", "\\", "a\\.b", "]", "é.", "0"] {
            let path = item(&child(&child("", "top"), key), 3);
            assert_eq!(steps(&path).collect::<Vec<_>>(), ["top", key, "3"], "{path}");
        }
    }

    #[test]
    fn steps_are_told_apart_by_dots_and_brackets() {
        assert_eq!(steps("a.b[0][1].c").collect::<Vec<_>>(), ["a", "b", "0", "1", "c"]);
        assert_eq!(steps("a.0.c").collect::<Vec<_>>(), ["a", "0", "c"]);
        assert_eq!(steps("").count(), 0);
    }
}
