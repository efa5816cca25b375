//! The future of the primary.

use crate::carrier::{Keep, MarkFuture, MarkResponse, Settle};
use pin_project::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::Semaphore;

/// The future of the primary; the shadows are not in it.
#[pin_project]
pub struct ShadowFuture<F, C, M, T> {
    #[pin]
    primary: MarkFuture<F, C, M>,
    guard: Option<LeaveGuard>,
    /// What the answer is kept for, and who knows how. Dropped with the future if there is none.
    keep: Option<(C, Keep<T>)>,
}

impl<F, C, M, T> ShadowFuture<F, C, M, T> {
    pub(super) const fn new(
        primary: MarkFuture<F, C, M>,
        guard: Option<LeaveGuard>,
        keep: Option<(C, Keep<T>)>,
    ) -> Self {
        Self { primary, guard, keep }
    }
}

impl<F, C, M, R, E> Future for ShadowFuture<F, C, M, C::Settled>
where
    F: Future<Output = Result<R, E>>,
    C: MarkResponse<M, R> + Settle<R>,
{
    type Output = Result<C::Watched, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.primary.poll(cx));
        if let Some(guard) = this.guard.take() {
            guard.answered();
        }
        let keep = this.keep.take();
        Poll::Ready(result.map(|response| C::watch(response, keep)))
    }
}

impl<F, C, M, T> fmt::Debug for ShadowFuture<F, C, M, T> {
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
