//! All branches of one request.

use super::BranchStream;
use crate::branch::{Branch, Branches};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Resolves when every branch has ended.
pub struct MultiBranchFuture<T, E> {
    /// An error only if the service was called unready and says so this way.
    stream: Result<BranchStream<T>, Option<E>>,
    done: Vec<Option<Branch<T>>>,
}

impl<T, E> MultiBranchFuture<T, E> {
    pub(super) fn new(stream: Result<BranchStream<T>, E>) -> Self {
        let count = stream.as_ref().map_or(0, BranchStream::remaining);
        let done = (0..count).map(|_| None).collect();
        Self { stream: stream.map_err(Some), done }
    }
}

// Nothing in it is pinned in place: the branches are boxed.
impl<T, E> Unpin for MultiBranchFuture<T, E> {}

impl<T, E> Future for MultiBranchFuture<T, E> {
    type Output = Result<Branches<T>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let stream = match &mut this.stream {
            Ok(stream) => stream,
            Err(error) => {
                return error.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error)));
            }
        };
        while let Some((at, branch)) = ready!(stream.poll_placed(cx)) {
            this.done[at] = Some(branch);
        }
        Poll::Ready(Ok(Branches::new(this.done.drain(..).flatten().collect())))
    }
}

impl<T, E> fmt::Debug for MultiBranchFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MultiBranchFuture").finish_non_exhaustive()
    }
}
