//! Functions that judge.

use super::{Evaluation, Evaluator};
use crate::BoxError;
use std::{fmt, sync::Arc};
use tokio::sync::Semaphore;

/// A function as an evaluator: the number, or none if there is nothing to judge. It runs on a thread where it may
/// compute and block.
///
/// A call that was started cannot be stopped: one that hangs is given up when its time is up, and its
/// thread is lost. At most [`Function::AT_ONCE`] calls run at once; while so many hang, branches are recorded
/// without (`busy`).
///
/// ```
/// use tower_spearmint::evaluate::{Evaluation, Evaluators, function};
///
/// let politeness = function("polite", |evaluation: &Evaluation| {
///     let text = evaluation.response()?.as_str()?;
///     Some(f64::from(text.contains("please")))
/// });
/// let evaluation = Evaluators::new().with(politeness).build()?;
/// # let _ = evaluation;
/// # Ok::<(), tower_spearmint::BoxError>(())
/// ```
pub fn function<F>(name: &str, f: F) -> Function<F>
where
    F: Fn(&Evaluation) -> Option<f64> + Send + Sync + 'static,
{
    Function {
        name: name.into(),
        f: Arc::new(f),
        free: Arc::new(Semaphore::new(Function::<F>::AT_ONCE)),
        needs_expected: false,
    }
}

/// See [`function`].
pub struct Function<F> {
    name: Arc<str>,
    f: Arc<F>,
    free: Arc<Semaphore>,
    needs_expected: bool,
}

impl<F> Function<F> {
    /// How many calls run at once.
    pub const AT_ONCE: usize = 16;

    /// Only for branches of which it is known what they should have answered.
    #[must_use]
    pub fn needing_expected(mut self) -> Self {
        self.needs_expected = true;
        self
    }
}

impl<F> Evaluator for Function<F>
where
    F: Fn(&Evaluation) -> Option<f64> + Send + Sync + 'static,
{
    fn name(&self) -> &str {
        &self.name
    }

    async fn evaluate(&self, evaluation: &Evaluation) -> Result<Option<f64>, BoxError> {
        let permit = self.free.clone().try_acquire_owned().map_err(|_| Busy)?;
        let (f, evaluation) = (self.f.clone(), evaluation.clone());
        let call = tokio::task::spawn_blocking(move || {
            // A call that hangs holds it.
            let _permit = permit;
            f(&evaluation)
        });
        match call.await {
            Ok(score) => Ok(score),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => Err(error.into()),
            },
        }
    }

    fn needs_expected(&self) -> bool {
        self.needs_expected
    }
}

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Enough calls are running.
#[derive(Debug, thiserror::Error)]
#[error("enough calls of the function are running")]
pub(super) struct Busy;
