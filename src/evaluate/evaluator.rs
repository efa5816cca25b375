//! What judges answers.

use super::Evaluation;
use crate::BoxError;
use futures_util::future::BoxFuture;
use std::{future::Future, sync::Arc};

/// Judges the answer of a branch by a number, which is recorded as a metric of the branch.
///
/// It is asynchronous, because the judges that are worth most ask others (a model, a service of
/// labels) and wait for them. It runs on a thread of its own beside those that serve, within bounds; what
/// computes for long, or blocks, is better a [`function`](super::function). While four times as many of its calls
/// run as branches are judged [at once](super::Evaluators::at_once), hung ones among them, branches are recorded
/// without (`busy`).
///
/// ```
/// use tower_spearmint::{BoxError, evaluate::{Evaluation, Evaluator}};
///
/// struct Judge { /* a client of a model */ }
///
/// impl Evaluator for Judge {
///     fn name(&self) -> &str {
///         "judged"
///     }
///
///     async fn evaluate(&self, evaluation: &Evaluation) -> Result<Option<f64>, BoxError> {
///         let Some((request, response)) = evaluation.request().zip(evaluation.response()) else {
///             return Ok(None);
///         };
///         self.ask(&format!("From 0 to 1, how well does {response} answer {request}?")).await
///     }
/// }
/// # impl Judge { async fn ask(&self, _: &str) -> Result<Option<f64>, BoxError> { Ok(None) } }
/// ```
pub trait Evaluator: Send + Sync + 'static {
    /// The name of the metric; see [`BranchMetrics::is_name`](crate::branch::BranchMetrics::is_name).
    fn name(&self) -> &str;

    /// The number, or none if there is nothing to judge.
    ///
    /// # Errors
    ///
    /// Whatever kept it from judging: the branch is recorded without the number, and that is counted.
    ///
    /// # Cancel safety
    ///
    /// It is dropped when its time is up.
    fn evaluate(
        &self,
        evaluation: &Evaluation,
    ) -> impl Future<Output = Result<Option<f64>, BoxError>> + Send;

    /// Whether it is only for branches of which it is known what they should have answered; false
    /// unless it says otherwise. Only those wait for the primary's answer.
    fn needs_expected(&self) -> bool {
        false
    }

    /// Whether it answers at once from what it is shown; false unless it says otherwise. One that does is
    /// called without a task of its own: it must neither wait nor take long.
    fn is_quick(&self) -> bool {
        false
    }
}

/// An evaluator of any type.
pub(super) trait AnyEvaluator: Send + Sync {
    fn needs_expected(&self) -> bool;

    fn is_quick(&self) -> bool;

    fn run(
        self: Arc<Self>,
        evaluation: Evaluation,
    ) -> BoxFuture<'static, Result<Option<f64>, BoxError>>;
}

impl<E: Evaluator> AnyEvaluator for E {
    fn needs_expected(&self) -> bool {
        Evaluator::needs_expected(self)
    }

    fn is_quick(&self) -> bool {
        Evaluator::is_quick(self)
    }

    fn run(
        self: Arc<Self>,
        evaluation: Evaluation,
    ) -> BoxFuture<'static, Result<Option<f64>, BoxError>> {
        Box::pin(async move { self.evaluate(&evaluation).await })
    }
}
