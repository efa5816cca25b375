//! First the chosen config, then, if need be, the fallback.

use super::FallbackLayer;
use crate::trial::Trial;
use pin_project::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_service::Service;

/// What is kept of a request until it is known whether the fallback needs it.
pub trait Spare<Response> {
    /// The request.
    type Request;
    /// What is kept to mark the fallback's response with.
    type Mark;

    /// The request once more, for the fallback; `None` if it cannot be had any more.
    fn again(self, layer: &FallbackLayer) -> Option<(Self::Request, Self::Mark)>;

    /// Says on the response that it is the fallback's.
    fn mark(mark: Self::Mark, response: &mut Response);
}

impl<R, Response> Spare<Response> for Option<Trial<R>> {
    type Request = Trial<R>;
    type Mark = ();

    fn again(self, layer: &FallbackLayer) -> Option<(Self::Request, ())> {
        self.map(|trial| {
            let seat = layer.seat(trial.place());
            (Trial::seated(trial.into_request(), seat), ())
        })
    }

    fn mark((): (), _: &mut Response) {}
}

/// First the chosen config, then, if need be, the fallback.
#[pin_project]
pub struct FallbackFuture<S: Service<Q>, Q, P: Spare<S::Response>> {
    service: S,
    layer: FallbackLayer,
    #[pin]
    state: State<S, Q, P>,
}

#[pin_project(project = Projected)]
enum State<S: Service<Q>, Q, P: Spare<S::Response>> {
    Chosen {
        #[pin]
        future: S::Future,
        spare: Option<P>,
    },
    /// The first error stands if the fallback cannot be had either.
    Fallback { next: Option<(Q, P::Mark, S::Error)> },
    Called {
        #[pin]
        future: S::Future,
        mark: Option<P::Mark>,
    },
}

impl<S: Service<Q>, Q, P: Spare<S::Response>> FallbackFuture<S, Q, P> {
    pub(super) const fn new(service: S, future: S::Future, spare: P, layer: FallbackLayer) -> Self {
        Self { service, layer, state: State::Chosen { future, spare: Some(spare) } }
    }
}

impl<S, Q, P> Future for FallbackFuture<S, Q, P>
where
    S: Service<Q>,
    S::Error: fmt::Display + fmt::Debug + 'static,
    P: Spare<S::Response, Request = Q>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                Projected::Chosen { future, spare } => {
                    let error = match ready!(future.poll(cx)) {
                        Ok(response) => return Poll::Ready(Ok(response)),
                        Err(error) => error,
                    };
                    if !this.layer.catches(&error) {
                        return Poll::Ready(Err(error));
                    }
                    let Some((request, mark)) =
                        spare.take().and_then(|spare| spare.again(this.layer))
                    else {
                        return Poll::Ready(Err(error));
                    };
                    this.state.set(State::Fallback { next: Some((request, mark, error)) });
                }
                Projected::Fallback { next } => {
                    let is_ready = ready!(this.service.poll_ready(cx)).is_ok();
                    let Some((request, mark, error)) = next.take() else { return Poll::Pending };
                    if !is_ready {
                        return Poll::Ready(Err(error));
                    }
                    let future = this.service.call(request);
                    this.state.set(State::Called { future, mark: Some(mark) });
                }
                Projected::Called { future, mark } => {
                    let mut result = ready!(future.poll(cx));
                    if let (Ok(response), Some(mark)) = (&mut result, mark.take()) {
                        P::mark(mark, response);
                    }
                    return Poll::Ready(result);
                }
            }
        }
    }
}

impl<S: Service<Q>, Q, P: Spare<S::Response>> fmt::Debug for FallbackFuture<S, Q, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackFuture").finish_non_exhaustive()
    }
}
