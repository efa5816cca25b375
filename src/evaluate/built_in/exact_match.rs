//! Is the answer the one that was expected?

use crate::{
    BoxError,
    compare::{JsonRules, json},
    evaluate::{Evaluation, Evaluator, at::At, at::looks_at},
};

/// 1 if the answer is the one that was expected, else 0: as JSON (1 equals 1.0, the order of keys does not
/// count), and texts without the space around them.
///
/// ```
/// use tower_spearmint::evaluate::ExactMatch;
///
/// let exact = ExactMatch::new("correct").at("/answer")?;
/// # let _ = exact;
/// # Ok::<(), tower_spearmint::evaluate::EvaluatorError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ExactMatch {
    name: String,
    at: At,
    rules: JsonRules,
}

impl ExactMatch {
    /// Under this name.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), at: At::default(), rules: JsonRules::default() }
    }

    looks_at!();
}

impl Evaluator for ExactMatch {
    fn name(&self) -> &str {
        &self.name
    }

    /// An answer that has nothing at the place is wrong, unless nothing was expected there.
    async fn evaluate(&self, evaluation: &Evaluation) -> Result<Option<f64>, BoxError> {
        if evaluation.response().is_none() || evaluation.expected().is_none() {
            return Ok(None);
        }
        let is_right = match (self.at.response(evaluation), self.at.expected(evaluation)) {
            (Some(found), Some(expected)) => match (found.as_str(), expected.as_str()) {
                (Some(found), Some(expected)) => found.trim() == expected.trim(),
                _ => json(expected, found, &self.rules).is_empty(),
            },
            (None, None) => return Ok(None),
            _ => false,
        };
        Ok(Some(f64::from(is_right)))
    }

    fn needs_expected(&self) -> bool {
        true
    }

    fn is_quick(&self) -> bool {
        true
    }
}
