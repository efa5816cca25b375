//! How like is the answer to the one that was expected?

use crate::{
    BoxError,
    evaluate::{Evaluation, Evaluator, Function, at::At, function},
};
use serde_json::Value;
use std::{fmt, sync::Arc};

/// How like the answer is to the one that was expected, by a function of yours, which is given both; it runs where a
/// [`function`] does.
///
/// ```
/// use serde_json::Value;
/// use tower_spearmint::evaluate::Similarity;
///
/// /// Words that both have, of those that either has.
/// fn jaccard(answer: &Value, expected: &Value) -> f64 {
///     let words = |value: &Value| -> std::collections::BTreeSet<String> {
///         value.as_str().unwrap_or_default().split_whitespace().map(str::to_lowercase).collect()
///     };
///     let (a, b) = (words(answer), words(expected));
///     a.intersection(&b).count() as f64 / a.union(&b).count().max(1) as f64
/// }
///
/// let similar = Similarity::new("similar", jaccard).at("/choices/0/message/content")?;
/// # let _ = similar;
/// # Ok::<(), tower_spearmint::evaluate::EvaluatorError>(())
/// ```
pub struct Similarity {
    name: String,
    at: At,
    score: Arc<Score>,
    calls: Function<Call>,
}

type Score = dyn Fn(&Value, &Value) -> f64 + Send + Sync;
type Call = Box<dyn Fn(&Evaluation) -> Option<f64> + Send + Sync>;

impl Similarity {
    /// Under this name.
    pub fn new<F>(name: &str, score: F) -> Self
    where
        F: Fn(&Value, &Value) -> f64 + Send + Sync + 'static,
    {
        Self::looking(name.to_owned(), At::default(), Arc::new(score))
    }

    /// Looks at what a JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)) names, instead of
    /// the whole; in what was expected, too, unless that is a plain value.
    ///
    /// # Errors
    ///
    /// When it is not one: it begins with a slash, or is empty.
    pub fn at(self, pointer: &str) -> Result<Self, crate::evaluate::EvaluatorError> {
        Ok(Self::looking(self.name, At::new(pointer)?, self.score))
    }

    fn looking(name: String, at: At, score: Arc<Score>) -> Self {
        let (place, by) = (at.clone(), score.clone());
        let call: Call = Box::new(move |evaluation| {
            Some(by(place.response(evaluation)?, place.expected(evaluation)?))
        });
        let calls = function(&name, call).needing_expected();
        Self { name, at, score, calls }
    }
}

impl Evaluator for Similarity {
    fn name(&self) -> &str {
        &self.name
    }

    async fn evaluate(&self, evaluation: &Evaluation) -> Result<Option<f64>, BoxError> {
        self.calls.evaluate(evaluation).await
    }

    fn needs_expected(&self) -> bool {
        true
    }
}

impl fmt::Debug for Similarity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Similarity")
            .field("name", &self.name)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
