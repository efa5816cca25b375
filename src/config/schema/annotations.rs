//! What the schema says of the places of a value besides whether it fits: keys that are not known,
//! and secrets.

use super::places::{Part, Places};
use crate::config::path;
use serde_json::Value;
use std::collections::BTreeSet;

/// What is found at the places of a value.
#[derive(Default)]
pub(super) struct Found {
    /// Keys that the schema does not know, with those it knows in the same map.
    pub(super) unknown: Vec<(String, String, Vec<String>)>,
    /// How many places there are.
    pub(super) places: usize,
    /// The paths of secrets.
    pub(super) secrets: BTreeSet<String>,
}

/// No more are gathered.
const MAX_UNKNOWN: usize = 100;

/// Walks the value beside the schema.
pub(super) fn find(places: Places<'_>, value: &Value) -> Found {
    let mut found = Found::default();
    walk(places, value, &places.whole(), "", &mut found);
    found
}

fn walk<'s>(places: Places<'s>, value: &Value, parts: &[Part<'s>], path: &str, found: &mut Found) {
    found.places += 1;
    if parts.is_empty() {
        return;
    }
    let spread = places.spread(parts, value);
    if spread.iter().any(is_secret) && !value.is_null() {
        found.secrets.insert(path.to_owned());
        return;
    }
    match value {
        Value::Object(map) => {
            let known = places.known_keys(&spread);
            for (key, value) in map {
                let inner = path::child(path, key);
                let is_unknown = known.as_ref().is_some_and(|known| {
                    !known.contains(key.as_str()) && !places.has_pattern_for(&spread, key)
                });
                if is_unknown && found.unknown.len() > MAX_UNKNOWN {
                    found.places += 1;
                } else if is_unknown {
                    let known = known.iter().flatten().map(|key| (*key).to_owned()).collect();
                    found.unknown.push((inner, key.clone(), known));
                } else {
                    walk(places, value, &places.under_key(&spread, key), &inner, found);
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let parts = Places::under_index(&spread, at);
                walk(places, item, &parts, &path::item(path, at), found);
            }
        }
        _ => {}
    }
}

/// The ways in which schemas say that a value is not to be shown: JSON Schema's own, OpenAPI's, ours.
fn is_secret(part: &Part<'_>) -> bool {
    part.schema.get("writeOnly") == Some(&Value::Bool(true))
        || part.schema.get("format").is_some_and(|format| format == "password")
        || part.schema.get("x-secret") == Some(&Value::Bool(true))
}

/// The keys named at the place of `path`, for a suggestion.
pub(super) fn keys_at(places: Places<'_>, value: &Value, pointer: &str) -> Vec<String> {
    let mut here = value;
    let mut spread = places.spread(&places.whole(), here);
    for step in super::pointer_steps(pointer) {
        let parts = match here {
            Value::Array(_) => Places::under_index(&spread, step.parse().unwrap_or(usize::MAX)),
            _ => places.under_key(&spread, &step),
        };
        let Some(next) = super::child(here, &step) else { break };
        here = next;
        spread = places.spread(&parts, here);
    }
    Places::named_keys(&spread).into_iter().map(str::to_owned).collect()
}
