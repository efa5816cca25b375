//! What of an answer is looked at.

use super::{Evaluation, EvaluatorError};
use serde_json::Value;

/// A JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)); the empty one is the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct At(String);

impl At {
    pub(super) fn new(pointer: &str) -> Result<Self, EvaluatorError> {
        if pointer.is_empty() || pointer.starts_with('/') {
            return Ok(Self(pointer.to_owned()));
        }
        Err(EvaluatorError::Pointer(pointer.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        value.pointer(&self.0)
    }

    /// What is there in the response.
    pub(super) fn response<'a>(&self, evaluation: &'a Evaluation) -> Option<&'a Value> {
        self.of(evaluation.response()?)
    }

    /// What is there in what was expected: the same place, or, where that is no JSON object or array, all of it.
    pub(super) fn expected<'a>(&self, evaluation: &'a Evaluation) -> Option<&'a Value> {
        let expected = evaluation.expected()?;
        if expected.is_object() || expected.is_array() { self.of(expected) } else { Some(expected) }
    }
}

/// The builder method of an evaluator that looks at one place.
macro_rules! looks_at {
    () => {
        /// Looks at what a JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)) names, instead of
        /// the whole; in what was expected, too, unless that is a plain value.
        ///
        /// # Errors
        ///
        /// When it is not one: it begins with a slash, or is empty.
        pub fn at(mut self, pointer: &str) -> Result<Self, $crate::evaluate::EvaluatorError> {
            self.at = $crate::evaluate::at::At::new(pointer)?;
            Ok(self)
        }
    };
}
pub(super) use looks_at;
