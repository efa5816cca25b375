//! Dotted paths into a value: `llm.temperature`, `stops[0]` or `stops.0`.

use super::ConfigError;
use serde_json::Value;

pub(crate) fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path).try_fold(value, |value, step| match value {
        Value::Object(map) => map.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(feature = "schema")]
pub(crate) fn find_mut<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    steps(path).try_fold(value, |value, step| match value {
        Value::Object(map) => map.get_mut(step),
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
            Value::Object(map) => map.get(step),
            Value::Array(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        };
        let Some(next) = next else { break };
        reached = join(&reached, step);
        here = next;
    }
    let has = match here {
        Value::Object(map) if map.is_empty() => "is an empty map".to_owned(),
        Value::Object(map) => {
            let keys: Vec<_> = map.keys().take(12).map(|key| format!("`{key}`")).collect();
            let more = if map.len() > keys.len() { ", …" } else { "" };
            format!("has the keys {}{more}", keys.join(", "))
        }
        Value::Array(items) => format!("is a list of {} items", items.len()),
        other => format!("is {}", kind(other)),
    };
    let at = if reached.is_empty() { "the config".to_owned() } else { format!("`{reached}`") };
    ConfigError::Missing { path: path.to_owned(), at, has }
}

pub(crate) fn join(base: &str, rest: &str) -> String {
    match (base, rest) {
        (base, "." | "") => base.to_owned(),
        ("", rest) => rest.to_owned(),
        (base, rest) if rest.starts_with('[') => format!("{base}{rest}"),
        (base, rest) => format!("{base}.{rest}"),
    }
}

/// `path` without the `base` it begins with; `None` if it is not within it.
#[cfg(feature = "yaml")]
pub(crate) fn strip<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(base)?;
    if base.is_empty() || rest.is_empty() || rest.starts_with('[') {
        return Some(rest);
    }
    rest.strip_prefix('.')
}

/// Whether `path` is `base`, or below it.
#[cfg(feature = "yaml")]
pub(crate) fn is_within(path: &str, base: &str) -> bool {
    strip(path, base).is_some()
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

pub(crate) fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[', ']']).filter(|step| !step.is_empty())
}
