//! How long is the answer?

use crate::{
    BoxError,
    branch::named,
    evaluate::{Evaluation, Evaluator, at::At, at::looks_at},
};
use serde_json::Value;

named! {
    /// What a [`Length`] counts.
    Unit {
        /// Characters (Unicode scalar values).
        Characters = "characters",
        /// What stands between spaces.
        Words = "words",
        /// Bytes of UTF-8.
        Bytes = "bytes",
    }
}

/// How long the answer is: a text in characters, unless told otherwise; of a list, how many items it has;
/// anything else as its JSON.
///
/// ```
/// use tower_spearmint::evaluate::{Length, Unit};
///
/// let words = Length::new("words").unit(Unit::Words).at("/choices/0/message/content")?;
/// # let _ = words;
/// # Ok::<(), tower_spearmint::evaluate::EvaluatorError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Length {
    name: String,
    at: At,
    unit: Unit,
}

impl Length {
    /// Under this name, in characters.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), at: At::default(), unit: Unit::Characters }
    }

    /// Counts these.
    #[must_use]
    pub const fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    looks_at!();

    fn of_text(&self, text: &str) -> usize {
        match self.unit {
            Unit::Characters => text.chars().count(),
            Unit::Words => text.split_whitespace().count(),
            Unit::Bytes => text.len(),
        }
    }
}

impl Evaluator for Length {
    fn name(&self) -> &str {
        &self.name
    }

    async fn evaluate(&self, evaluation: &Evaluation) -> Result<Option<f64>, BoxError> {
        let length = match self.at.response(evaluation) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => self.of_text(text),
            Some(Value::Array(items)) => items.len(),
            Some(other) => self.of_text(&other.to_string()),
        };
        Ok(Some(length as f64))
    }

    fn is_quick(&self) -> bool {
        true
    }
}
