//! Where a value stands, without the doubt that a key with a dot in it leaves in a dotted path.

use super::super::path;
use serde_json::{Map, Value};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    At(usize),
}

impl Step {
    /// As a key of a reference.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Key(key) => key.clone(),
            Self::At(index) => index.to_string(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Address(pub(super) Vec<Step>);

impl Address {
    /// The address that a dotted path leads to in `root`; steps that are not there count as keys.
    pub(super) fn of_path(root: &Value, path: &str) -> Self {
        let mut here = Some(root);
        Self(
            path::steps(path)
                .map(|name| {
                    let step = step(here, &name);
                    here = here.and_then(|value| child(value, &step));
                    step
                })
                .collect(),
        )
    }

    pub(super) fn find_mut<'a>(&self, root: &'a mut Value) -> Option<&'a mut Value> {
        self.0.iter().try_fold(root, |value, step| match (value, step) {
            (Value::Object(map), Step::Key(key)) => map.get_mut(key),
            (Value::Array(items), Step::At(at)) => items.get_mut(*at),
            _ => None,
        })
    }

    /// Whether it leads into what stands for many values.
    pub(super) fn is_in_space(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Key(key) if names_a_space(key)))
    }
}

pub(super) fn child<'a>(value: &'a Value, step: &Step) -> Option<&'a Value> {
    match (value, step) {
        (Value::Object(map), Step::Key(key)) => map.get(key),
        (Value::Array(items), Step::At(at)) => items.get(*at),
        _ => None,
    }
}

/// What `name` means below `here`: an index of a list (from its end, if negative), otherwise a key.
pub(super) fn step(here: Option<&Value>, name: &str) -> Step {
    if let Some(Value::Array(items)) = here
        && let Ok(at) = name.parse::<isize>()
    {
        let from_end = items.len().checked_sub(at.unsigned_abs());
        let at = if at < 0 { from_end } else { Some(at.unsigned_abs()) };
        // What is before the first item is nowhere, as what is after the last.
        return Step::At(at.unwrap_or(usize::MAX));
    }
    Step::Key(name.to_owned())
}

/// JSON Schema's own keys begin with `$`, too.
const OF_JSON_SCHEMA: [&str; 9] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$ref",
    "$schema",
    "$vocabulary",
];

fn names_a_space(key: &str) -> bool {
    key.starts_with('$') && !OF_JSON_SCHEMA.contains(&key)
}

/// Whether a map stands for many values, as `{ $choice: [a, b] }` does: one of its keys begins
/// with `$`.
pub(super) fn is_space(map: &Map<String, Value>) -> bool {
    map.keys().any(|key| names_a_space(key))
}

/// Where the value that stands at this address may come to stand when what is around it is
/// expanded: `a.$choice[1].b` at `a.b`. Indices below a `$` key choose, so they go with it.
pub(super) fn expanded(steps: &[Step]) -> Address {
    let mut inside = false;
    Address(
        steps
            .iter()
            .filter(|step| {
                let opens = matches!(step, Step::Key(key) if names_a_space(key));
                inside |= opens;
                let chooses = inside && matches!(step, Step::At(_));
                !(opens || chooses)
            })
            .cloned()
            .collect(),
    )
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().fold(String::new(), |path, step| match step {
            Step::Key(key) => path::child(&path, key),
            Step::At(index) => path::item(&path, *index),
        }))
    }
}
