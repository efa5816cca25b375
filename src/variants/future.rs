//! Awaits the chosen service, then its answer.

use super::{Queue, Waiting};
use crate::{
    BoxError,
    branch::{Failure, FailureKind},
};
use pin_project::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_service::Service;

/// Awaits the chosen service, then its answer.
#[pin_project]
pub struct VariantsFuture<S: Service<R>, R> {
    #[pin]
    state: State<S, R>,
}

#[pin_project(project = Projected)]
enum State<S: Service<R>, R> {
    Ready { service: S, request: Option<R>, queue: Queue, waiting: Option<Waiting> },
    Called(#[pin] S::Future),
    Failed(Option<Failure>),
}

impl<S: Service<R>, R> VariantsFuture<S, R> {
    pub(super) const fn new(service: S, request: R, queue: Queue) -> Self {
        Self { state: State::Ready { service, request: Some(request), queue, waiting: None } }
    }

    pub(super) const fn failed(failure: Failure) -> Self {
        Self { state: State::Failed(Some(failure)) }
    }
}

impl<S, R> Future for VariantsFuture<S, R>
where
    S: Service<R>,
    S::Error: Into<BoxError>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                Projected::Ready { service, request, queue, waiting } => {
                    match service.poll_ready(cx) {
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                        Poll::Pending if waiting.is_some() => return Poll::Pending,
                        Poll::Pending => match queue.wait() {
                            Some(place) => {
                                *waiting = Some(place);
                                return Poll::Pending;
                            }
                            None => {
                                let message = format!("{} callers are waiting already", queue.max);
                                let failure = Failure::new(FailureKind::Overloaded, message);
                                return Poll::Ready(Err(failure.into()));
                            }
                        },
                    }
                    let Some(request) = request.take() else { return Poll::Pending };
                    let future = service.call(request);
                    this.state.set(State::Called(future));
                }
                Projected::Called(future) => {
                    return Poll::Ready(ready!(future.poll(cx)).map_err(Into::into));
                }
                Projected::Failed(failure) => {
                    return failure
                        .take()
                        .map_or(Poll::Pending, |failure| Poll::Ready(Err(failure.into())));
                }
            }
        }
    }
}

impl<S: Service<R>, R> fmt::Debug for VariantsFuture<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VariantsFuture").finish_non_exhaustive()
    }
}
