//! One shadow, on its own task.

use super::{
    in_flight::Permit,
    layer::{ShadowArm, State},
};
use crate::{
    branch::{Failure, FailureKind, SkipReason},
    carrier::Settle,
    caught::caught,
    clock::Tick,
    trial::{End, Place, Reason},
};
use std::{
    fmt,
    future::{Future, pending, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::Semaphore;
use tower_service::Service;

/// What a shadow needs besides its service and its copy of the request.
pub(super) struct Task<C> {
    pub(super) place: Place,
    pub(super) reason: Reason,
    pub(super) permit: Permit,
    pub(super) at: usize,
    pub(super) shadows: Arc<[ShadowArm]>,
    pub(super) state: Arc<State>,
    pub(super) carrier: C,
    pub(super) started: bool,
}

impl<C> Task<C> {
    /// Refuses the shadow: dropping its copy of the request ends the branch for this reason.
    fn skip(&self, reason: SkipReason) {
        self.reason.skipped(reason);
    }
}

impl<C> Drop for Task<C> {
    fn drop(&mut self) {
        // Dropped without ever having been polled: its runtime is gone.
        if !self.started {
            self.skip(SkipReason::NoRuntime);
        }
        // Whoever skipped it: the service may have, too.
        if self.reason.is_skip() {
            self.shadows[self.at].count_skip();
        }
    }
}

/// A shadow, to be spawned. The fields are dropped in this order: first the task says why, then
/// the copy's branch ends.
pub(super) struct Shadow<C, S, Q> {
    pub(super) task: Task<C>,
    pub(super) copy: Q,
    pub(super) service: S,
    pub(super) left: Option<Arc<Semaphore>>,
}

/// Why a shadow stopped.
enum Stop<T> {
    Done(Result<T, Failure>),
    NotReady,
    Timeout,
    Cut,
    /// Another left the reason, and does not wait for the shadow to notice: it fell behind.
    Dropped,
}

/// Runs one shadow to its end, its time-out, or until it is told to stop.
pub(super) async fn run<C, S, Q>(shadow: Shadow<C, S, Q>)
where
    C: Settle<S::Response>,
    S: Service<Q>,
    S::Error: fmt::Display + fmt::Debug + 'static,
{
    let Shadow { mut task, copy, service, left } = shadow;
    task.started = true;
    task.place.start = Tick::now();
    let timeout = task.shadows[task.at].bounds.timeout;
    let stop = {
        let mut work = pin!(execute(&task, service, copy));
        let mut deadline = pin!(tokio::time::sleep(timeout));
        let mut cut = pin!(task.permit.cut());
        let mut caller_left = pin!(async {
            match &left {
                Some(left) => {
                    let _ = left.acquire().await;
                }
                None => pending().await,
            }
        });
        let stop = poll_fn(|cx| {
            if let Poll::Ready(stop) = poll_caught(work.as_mut(), cx) {
                return Poll::Ready(stop);
            }
            if task.reason.poll_given(cx).is_ready() {
                return Poll::Ready(Stop::Dropped);
            }
            if deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Stop::Timeout);
            }
            if cut.as_mut().poll(cx).is_ready() || caller_left.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Stop::Cut);
            }
            Poll::Pending
        })
        .await;
        // Say why before the work is dropped: whoever sees the drop reads it.
        match &stop {
            Stop::Timeout => task.reason.failed(Failure::new(
                FailureKind::Timeout,
                format!("not finished within {timeout:?}"),
            )),
            Stop::Done(_) | Stop::NotReady | Stop::Cut | Stop::Dropped => {}
        }
        stop
    };
    if task.state.results.keeps() {
        let end = match stop {
            Stop::Done(Ok(response)) => End::Success(Some(response)),
            Stop::Done(Err(failure)) => End::Failed(Box::new(failure)),
            Stop::NotReady | Stop::Timeout | Stop::Cut | Stop::Dropped => End::Cancelled,
        };
        let end = task.reason.end().unwrap_or(end);
        task.state.results.keep(task.place.branch(Tick::now(), end));
    }
}

async fn execute<C, S, Q>(task: &Task<C>, mut service: S, copy: Q) -> Stop<C::Settled>
where
    C: Settle<S::Response>,
    S: Service<Q>,
    S::Error: fmt::Display + fmt::Debug + 'static,
{
    // Whoever sees the drop of the copy, or of the service's future, reads what is said here.
    let panicked = |panic: Failure| {
        task.reason.failed(panic.clone());
        Stop::Done(Err(panic))
    };
    // Asked once. (The copy is dropped when this function returns: after the reason is set.)
    match poll_fn(|cx| Poll::Ready(caught(|| service.poll_ready(cx)))).await {
        Ok(Poll::Ready(Ok(()))) => {}
        Ok(Poll::Ready(Err(_)) | Poll::Pending) => {
            task.skip(SkipReason::NotReady);
            return Stop::NotReady;
        }
        Err(panic) => return panicked(panic),
    }
    let mut response = match caught(|| service.call(copy)) {
        Ok(response) => pin!(response),
        Err(panic) => return panicked(panic),
    };
    let response = poll_fn(|cx| match caught(|| response.as_mut().poll(cx)) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    });
    match response.await {
        Ok(Ok(response)) => Stop::Done(task.carrier.settle(response, &task.reason).await),
        Ok(Err(error)) => Stop::Done(Err(Failure::of_error(&error))),
        Err(panic) => panicked(panic),
    }
}

/// A panic in what settles the response is the shadow's failure, too, and goes no further.
fn poll_caught<T>(
    work: Pin<&mut impl Future<Output = Stop<T>>>,
    cx: &mut Context<'_>,
) -> Poll<Stop<T>> {
    caught(|| work.poll(cx)).unwrap_or_else(|panic| Poll::Ready(Stop::Done(Err(panic))))
}
