//! Numbers that stand in responses.

use super::{EvaluatorError, Missed, at::At};
use crate::trial::Content;
use serde_json::Value;
use std::sync::Arc;

/// A number that stands in the response, under a name.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) name: Arc<str>,
    at: At,
}

impl Reading {
    pub(super) fn new(name: &str, pointer: &str) -> Result<Self, EvaluatorError> {
        Ok(Self { name: name.into(), at: At::new(pointer)? })
    }

    /// The number: `true` is 1 and `false` is 0.
    pub(super) fn read(&self, content: &Content) -> Result<f64, Missed> {
        let found = match content.pointer(self.at.as_str()) {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::Bool(is_so)) => Some(f64::from(*is_so)),
            _ => None,
        };
        found.filter(|number| number.is_finite()).ok_or(Missed::NoValue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_truths_are_read_and_nothing_else_is_one() {
        let body = json!({ "a/b": { "~": [1, 2.5] }, "yes": true, "text": "7", "none": null });
        let content = Content::of(body);
        let read = |at| Reading::new("x", at).unwrap().read(&content);
        assert_eq!(read("/a~1b/~0/1"), Ok(2.5));
        assert_eq!(read("/yes"), Ok(1.0));
        for at in ["/text", "/none", "/a~1b", "/missing", ""] {
            assert_eq!(read(at), Err(Missed::NoValue), "{at}");
        }
    }

    #[test]
    fn of_what_came_in_pieces_the_last_that_has_it_counts() {
        let pieces = vec![json!({ "n": 1 }), json!({ "n": 2 }), json!({ "n": null }), json!([])];
        let content = Content { pieces, ..Content::default() };
        let read = |at| Reading::new("x", at).unwrap().read(&content);
        // A null is there, as OpenAI's `usage` is in all chunks but the last.
        assert_eq!((read("/n"), read("/m")), (Ok(2.0), Err(Missed::NoValue)));
    }
}
