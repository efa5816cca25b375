//! The future of a strategy that hands one response through.

use super::MarkResponse;
use pin_project::pin_project;
use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The inner future; its response is marked with the branch that gave it.
#[pin_project]
pub struct MarkFuture<F, C, M> {
    #[pin]
    inner: F,
    mark: Option<M>,
    carrier: PhantomData<fn(C)>,
}

impl<F, C, M> MarkFuture<F, C, M> {
    pub(crate) const fn new(inner: F, mark: M) -> Self {
        Self { inner, mark: Some(mark), carrier: PhantomData }
    }
}

impl<F, C, M, T, E> Future for MarkFuture<F, C, M>
where
    F: Future<Output = Result<T, E>>,
    C: MarkResponse<M, T>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut result = ready!(this.inner.poll(cx));
        if let (Ok(response), Some(mark)) = (&mut result, this.mark.take()) {
            C::mark(mark, response);
        }
        Poll::Ready(result)
    }
}

impl<F, C, M> fmt::Debug for MarkFuture<F, C, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MarkFuture").finish_non_exhaustive()
    }
}
