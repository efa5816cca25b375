//! Two values, side by side.

use crate::config::{Exact, REDACTED, path};
use serde_json::Value;
use std::ops::ControlFlow;

/// A value, and what may be shown of it: the same, with secrets replaced.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) value: &'a Value,
    pub(super) shown: &'a Value,
}

impl<'a> Side<'a> {
    /// All of it may be shown.
    pub(super) const fn open(value: &'a Value) -> Self {
        Self { value, shown: value }
    }

    fn is_hidden(self) -> bool {
        self.shown == REDACTED && self.value != REDACTED
    }

    fn key(self, key: &str) -> Option<Self> {
        Some(Self { value: self.value.get(key)?, shown: self.shown.get(key)? })
    }

    fn item(self, at: usize) -> Option<Self> {
        Some(Self { value: self.value.get(at)?, shown: self.shown.get(at)? })
    }
}

/// Is told a path, and what may be shown of what is there on either side.
pub(super) type Found<'f> = dyn FnMut(&str, Option<&Value>, Option<&Value>) -> ControlFlow<()> + 'f;

/// Goes through both until `found` has enough. Recurses as deep as the values are nested.
pub(super) fn walk(path: &str, a: Side<'_>, b: Side<'_>, found: &mut Found<'_>) -> ControlFlow<()> {
    match (a.shown, b.shown) {
        (Value::Object(x), Value::Object(y)) => {
            for key in x.keys() {
                either(&path::join(path, key), a.key(key), b.key(key), found)?;
            }
            for key in y.keys().filter(|key| !x.contains_key(*key)) {
                either(&path::join(path, key), None, b.key(key), found)?;
            }
            ControlFlow::Continue(())
        }
        (Value::Array(x), Value::Array(y)) => (0..x.len().max(y.len()))
            .try_for_each(|at| either(&format!("{path}[{at}]"), a.item(at), b.item(at), found)),
        // A secret map is one text here.
        _ if same(a.value, b.value) => ControlFlow::Continue(()),
        _ => {
            // What one side takes for a secret may have been none on the other.
            let hidden = Value::from(REDACTED);
            let hides = a.is_hidden() || b.is_hidden();
            let is_secret =
                |side: Side<'_>| hides && !(side.value.is_null() || side.value.is_boolean());
            found(
                path,
                Some(if is_secret(a) { &hidden } else { a.shown }),
                Some(if is_secret(b) { &hidden } else { b.shown }),
            )
        }
    }
}

fn either(
    path: &str,
    a: Option<Side<'_>>,
    b: Option<Side<'_>>,
    found: &mut Found<'_>,
) -> ControlFlow<()> {
    match (a, b) {
        (Some(a), Some(b)) => walk(path, a, b, found),
        (None, None) => ControlFlow::Continue(()),
        (a, b) => found(path, a.map(|a| a.shown), b.map(|b| b.shown)),
    }
}

/// Whether two values are the same, 1 and 1.0 among them.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(key, a)| y.get(key).is_some_and(|b| same(a, b)))
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(a, b)| same(a, b))
        }
        (Value::Number(x), Value::Number(y)) => Exact::of(x) == Exact::of(y),
        _ => a == b,
    }
}
