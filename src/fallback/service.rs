//! The service.

use super::{FallbackFuture, FallbackLayer};
use crate::trial::Trial;
use std::{
    fmt,
    task::{Context, Poll},
};
use tower_service::Service;

/// A config that answers when the chosen one cannot be reached; see [the module](super).
///
/// # Readiness
///
/// Ready when the inner service is; that one is called with the chosen config. The fallback calls
/// a clone, awaited in the future.
#[derive(Debug, Clone)]
pub struct Fallback<S> {
    pub(super) inner: S,
    pub(super) layer: FallbackLayer,
}

impl<S, R> Service<Trial<R>> for Fallback<S>
where
    R: Clone,
    S: Service<Trial<R>> + Clone,
    S::Error: fmt::Display + fmt::Debug + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = FallbackFuture<S, Trial<R>, Option<Trial<R>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, trial: Trial<R>) -> Self::Future {
        let place = trial.place();
        // The clone is a view: it stands for no branch until it is seated anew.
        let spare = self.layer.covers(place).then(|| trial.clone());
        FallbackFuture::new(self.inner.clone(), self.inner.call(trial), spare, self.layer.clone())
    }
}
