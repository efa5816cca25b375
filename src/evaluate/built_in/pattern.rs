//! Does the answer match a regular expression?

use crate::{
    BoxError,
    evaluate::{Evaluation, Evaluator, EvaluatorError, at::At, at::looks_at},
};
use regex::{Regex, RegexBuilder};
use serde_json::Value;
use std::borrow::Cow;

/// How large a compiled pattern may be.
const SIZE_LIMIT: usize = 1 << 20;

/// 1 if the answer matches a regular expression somewhere, else 0. What is no text is looked at as its
/// JSON. The syntax is that of the crate [`regex`](https://docs.rs/regex), which takes linear time.
///
/// ```
/// use tower_spearmint::evaluate::Pattern;
///
/// let apology = Pattern::new("apologises", r"(?i)\bsorry\b")?.at("/text")?;
/// # let _ = apology;
/// # Ok::<(), tower_spearmint::evaluate::EvaluatorError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pattern {
    name: String,
    at: At,
    regex: Regex,
}

impl Pattern {
    /// Under this name.
    ///
    /// # Errors
    ///
    /// When it is not a regular expression, or too large a one.
    pub fn new(name: &str, pattern: &str) -> Result<Self, EvaluatorError> {
        let regex = RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build();
        let regex = regex.map_err(|error| EvaluatorError::Pattern(error.to_string()))?;
        Ok(Self { name: name.to_owned(), at: At::default(), regex })
    }

    looks_at!();
}

impl Evaluator for Pattern {
    fn name(&self) -> &str {
        &self.name
    }

    /// Where there is nothing at the place, nothing matches.
    async fn evaluate(&self, evaluation: &Evaluation) -> Result<Option<f64>, BoxError> {
        if evaluation.response().is_none() {
            return Ok(None);
        }
        let text = match self.at.response(evaluation) {
            None => Cow::Borrowed(""),
            Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
            Some(other) => Cow::Owned(other.to_string()),
        };
        Ok(Some(f64::from(self.regex.is_match(&text))))
    }

    fn is_quick(&self) -> bool {
        true
    }
}
