//! What a variant changes in a JSON request body.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Values set and removed by JSON pointer (RFC 6901).
#[derive(Debug, Clone)]
pub(super) struct JsonEdit {
    set: Vec<(Vec<String>, Value)>,
    remove: Vec<Vec<String>>,
}

impl JsonEdit {
    /// `None` when there is nothing to change; an error names the key it is about.
    pub(super) fn new(
        set: &BTreeMap<String, Value>,
        remove: &[String],
    ) -> Result<Option<Self>, (String, String)> {
        if set.is_empty() && remove.is_empty() {
            return Ok(None);
        }
        let set = set
            .iter()
            .map(|(text, value)| {
                let steps = pointer(text).map_err(|error| (format!("json.{text}"), error))?;
                Ok((steps, value.clone()))
            })
            .collect::<Result<_, (String, String)>>()?;
        let remove = remove
            .iter()
            .enumerate()
            .map(|(at, text)| pointer(text).map_err(|error| (format!("remove_json[{at}]"), error)))
            .collect::<Result<_, _>>()?;
        Ok(Some(Self { set, remove }))
    }

    /// The edited body, or `None` when it is not JSON.
    pub(super) fn apply(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut value: Value = serde_json::from_slice(body).ok()?;
        for (steps, new) in &self.set {
            if let Some(place) = reach(&mut value, steps) {
                *place = new.clone();
            }
        }
        for steps in &self.remove {
            remove(&mut value, steps);
        }
        serde_json::to_vec(&value).ok()
    }
}

fn pointer(text: &str) -> Result<Vec<String>, String> {
    let Some(rest) = text.strip_prefix('/') else {
        return Err(format!(
            "`{text}` is not a JSON pointer; write a path that begins with a slash, as in /model"
        ));
    };
    Ok(rest.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

/// The place a pointer leads to; missing maps on the way are made.
fn reach<'a>(value: &'a mut Value, steps: &[String]) -> Option<&'a mut Value> {
    steps.iter().try_fold(value, |value, step| match value {
        Value::Array(items) => {
            if step == "-" {
                items.push(Value::Null);
                return items.last_mut();
            }
            items.get_mut(step.parse::<usize>().ok()?)
        }
        Value::Null => {
            *value = Value::Object(Map::new());
            value.as_object_mut().map(|map| map.entry(step.clone()).or_insert(Value::Null))
        }
        Value::Object(map) => Some(map.entry(step.clone()).or_insert(Value::Null)),
        _ => None,
    })
}

fn remove(value: &mut Value, steps: &[String]) {
    let Some((last, path)) = steps.split_last() else { return };
    let parent = path.iter().try_fold(value, |value, step| match value {
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        Value::Object(map) => map.get_mut(step),
        _ => None,
    });
    match parent {
        Some(Value::Object(map)) => {
            map.remove(last);
        }
        Some(Value::Array(items)) => {
            if let Some(at) = last.parse().ok().filter(|at: &usize| *at < items.len()) {
                items.remove(at);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn edit(set: Value, remove: &[&str], body: Value) -> Value {
        let set = serde_json::from_value(set).unwrap();
        let remove: Vec<_> = remove.iter().map(|text| (*text).to_owned()).collect();
        let edit = JsonEdit::new(&set, &remove).unwrap().unwrap();
        serde_json::from_slice(&edit.apply(body.to_string().as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn values_are_set_and_removed_by_pointer() {
        assert_eq!(
            edit(
                json!({ "/model": "b", "/options/temperature": 0.5, "/stop/0": "x", "/stop/-": "y" }),
                &["/user", "/stop/1"],
                json!({ "model": "a", "user": "ann", "stop": ["1", "2"] }),
            ),
            json!({ "model": "b", "options": { "temperature": 0.5 }, "stop": ["x", "y"] })
        );
    }

    #[test]
    fn escaped_keys_are_reached() {
        assert_eq!(
            edit(json!({ "/a~1b/m~0n": 1 }), &[], json!({})),
            json!({ "a/b": { "m~n": 1 } })
        );
    }

    #[test]
    fn what_is_not_json_is_left_alone() {
        let edit = JsonEdit::new(&[("/a".into(), json!(1))].into(), &[]).unwrap().unwrap();
        assert_eq!(edit.apply(b"{ not json"), None);
    }
}
