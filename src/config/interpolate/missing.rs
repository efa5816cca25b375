//! Values that someone has yet to give: `???`.

use super::address::{Address, Step};
use serde_json::Value;

/// What a file says where a value must be given elsewhere.
pub(super) const MISSING: &str = "???";

/// More than these are not listed.
const MAX_LISTED: usize = 100;

pub(super) fn is_missing(value: &Value) -> bool {
    matches!(value, Value::String(text) if text == MISSING)
}

/// The paths of the values that are missing (`???`), in the order of the document; of very many
/// the first hundred.
///
/// ```
/// use serde_json::json;
/// use tower_spearmint::config::interpolate::missing;
///
/// assert_eq!(missing(&json!({ "llm": { "model": "???" }, "n": [1, "???"] })), ["llm.model", "n[1]"]);
/// ```
pub fn missing(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, &mut Address::default(), &mut found);
    found
}

fn collect(value: &Value, at: &mut Address, found: &mut Vec<String>) {
    if found.len() >= MAX_LISTED || !any_missing(value) {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                at.0.push(Step::Key(key.clone()));
                collect(value, at, found);
                at.0.pop();
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                at.0.push(Step::At(index));
                collect(value, at, found);
                at.0.pop();
            }
        }
        _ => found.push(at.to_string()),
    }
}

/// Without making a path.
fn any_missing(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().any(any_missing),
        Value::Array(items) => items.iter().any(any_missing),
        value => is_missing(value),
    }
}
