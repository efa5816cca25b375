//! The future of the primary.

use crate::carrier::{MarkFuture, MarkResponse};
use pin_project::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::Semaphore;

/// The future of the primary; the shadows are not in it.
#[pin_project]
pub struct ShadowFuture<F, C, M> {
    #[pin]
    primary: MarkFuture<F, C, M>,
    guard: Option<LeaveGuard>,
}

impl<F, C, M> ShadowFuture<F, C, M> {
    pub(super) const fn new(primary: MarkFuture<F, C, M>, guard: Option<LeaveGuard>) -> Self {
        Self { primary, guard }
    }
}

impl<F, C, M, T, E> Future for ShadowFuture<F, C, M>
where
    F: Future<Output = Result<T, E>>,
    C: MarkResponse<M, T>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = this.primary.poll(cx);
        if result.is_ready()
            && let Some(guard) = this.guard.take()
        {
            guard.answered();
        }
        result
    }
}

impl<F, C, M> fmt::Debug for ShadowFuture<F, C, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShadowFuture").finish_non_exhaustive()
    }
}

/// Tells the shadows when the caller leaves before the primary has answered.
pub(super) struct LeaveGuard {
    /// Closed when the caller left; simply gone when the primary answered.
    left: Arc<Semaphore>,
    answered: bool,
}

impl LeaveGuard {
    pub(super) fn new() -> Self {
        Self { left: Arc::new(Semaphore::new(0)), answered: false }
    }

    pub(super) fn left(&self) -> Arc<Semaphore> {
        self.left.clone()
    }

    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for LeaveGuard {
    fn drop(&mut self) {
        if !self.answered {
            self.left.close();
        }
    }
}
