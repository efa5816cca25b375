//! A nested config as MLflow's flat params.

use super::limits;
use serde_json::Value;
use std::collections::HashSet;

/// The most params of one run; a config with more is an accident, and would take minutes.
pub(crate) const MAX_PARAMS: usize = 1_000;

/// The params of a config: each value under its dotted path, as
/// [`Config::get`](crate::Config::get) takes it.
#[derive(Debug, Default)]
pub(crate) struct Params {
    pub(crate) list: Vec<(String, String)>,
    /// How many there were beyond [`MAX_PARAMS`].
    pub(crate) left_out: usize,
    names: HashSet<String>,
}

impl Params {
    pub(crate) fn of(value: &Value) -> Self {
        let mut params = Self::default();
        flatten(value, "", &mut |path, value| params.add(path, value));
        params
    }

    fn add(&mut self, path: &str, value: &Value) {
        if self.list.len() == MAX_PARAMS {
            self.left_out += 1;
            return;
        }
        let mut name = limits::name(path);
        if self.names.contains(&name) {
            // Equal only since characters were replaced, or for keys with dots in them.
            name = limits::with_hash(&name, &format!("{path}\n{}", self.list.len()));
        }
        self.names.insert(name.clone());
        let text = match value {
            Value::String(text) => limits::cut(text, limits::MAX_PARAM_VALUE).into_owned(),
            other => other.to_string(),
        };
        self.list.push((name, text));
    }
}

/// Calls `leaf` for every value that holds no others, with its dotted path.
pub(crate) fn flatten(value: &Value, path: &str, leaf: &mut dyn FnMut(&str, &Value)) {
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                flatten(value, &join(key), leaf);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                flatten(item, &join(&at.to_string()), leaf);
            }
        }
        // The whole config is empty: nothing to say.
        Value::Object(_) if path.is_empty() => {}
        leaf_value => leaf(path, leaf_value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_values_stand_under_their_paths() {
        let params = Params::of(&json!({
            "llm": { "model": "small", "temperature": 0.5, "stop": ["a", { "b": 1 }] },
            "on": true, "nothing": null, "none": [], "empty": {},
        }));
        let mut list = params.list;
        list.sort();
        let expected = [
            ("empty", "{}"),
            ("llm.model", "small"),
            ("llm.stop.0", "a"),
            ("llm.stop.1.b", "1"),
            ("llm.temperature", "0.5"),
            ("none", "[]"),
            ("nothing", "null"),
            ("on", "true"),
        ];
        assert_eq!(list, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert!(Params::of(&json!({})).list.is_empty());
    }

    #[test]
    fn no_two_params_have_the_same_name() {
        let params = Params::of(&json!({ "a.b": 1, "a": { "b": 2 }, "x$": 3, "x%": 4 }));
        let names: HashSet<_> = params.list.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), 4, "{names:?}");
    }

    #[test]
    fn what_is_beyond_the_bound_is_counted() {
        let many: Vec<_> = (0..MAX_PARAMS + 7).collect();
        let params = Params::of(&json!({ "list": many }));
        assert_eq!((params.list.len(), params.left_out), (MAX_PARAMS, 7));
    }
}
