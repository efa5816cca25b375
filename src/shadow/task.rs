//! One shadow, on its own task.

use super::{
    GenericShadowLayer,
    answers::{Answers, Other},
    arm::ShadowArm,
    breaker::Pass,
    in_flight::Permit,
    pairs::bring_other,
};
use crate::{
    branch::{Failure, FailureKind, SkipReason},
    carrier::Settle,
    caught::caught,
    clock::Tick,
    compare::Compare,
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
pub(super) struct Task<C, K, V, T> {
    pub(super) place: Place,
    pub(super) reason: Reason,
    pub(super) permit: Permit,
    pub(super) pass: Option<Pass>,
    pub(super) at: usize,
    pub(super) layer: Arc<GenericShadowLayer<C, K, V>>,
    /// Where its answer is compared, if it is.
    pub(super) answers: Option<Arc<Answers<T>>>,
    pub(super) started: bool,
}

impl<C, K, V, T> Task<C, K, V, T> {
    fn arm(&self) -> &ShadowArm {
        &self.layer.state.shadows[self.at]
    }

    /// Refuses the shadow: dropping its copy of the request ends the branch for this reason.
    fn skip(&self, reason: SkipReason) {
        self.reason.skipped(reason);
    }
}

impl<C, K, V, T> Drop for Task<C, K, V, T> {
    fn drop(&mut self) {
        // Dropped without ever having been polled: its runtime is gone.
        if !self.started {
            self.skip(SkipReason::NoRuntime);
        }
        // Whoever skipped it: the service may have, too.
        if let Some(reason) = self.reason.skip() {
            self.arm().count_late_skip(reason);
        }
    }
}

/// A shadow, to be spawned. The fields are dropped in this order: first the task says why, then
/// the copy's branch ends.
pub(super) struct Shadow<C, K, V, T, S, Q> {
    pub(super) task: Task<C, K, V, T>,
    /// Until the service gets it.
    pub(super) copy: Option<Q>,
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
#[expect(clippy::manual_async_fn, reason = "an async fn holds what it is given twice")]
pub(super) fn run<C, K, V, S, Q>(
    mut shadow: Shadow<C, K, V, V::Kept, S, Q>,
) -> impl Future<Output = ()>
where
    C: Settle<S::Response> + Send + Sync + 'static,
    K: Send + Sync + 'static,
    V: Compare<C::Settled>,
    S: Service<Q>,
    S::Error: fmt::Display + fmt::Debug + 'static,
{
    async move {
        let Shadow { task, copy, service, left } = &mut shadow;
        task.started = true;
        task.place.start = Tick::now();
        let timeout = task.arm().bounds.timeout;
        let stop = {
            let mut work = pin!(execute(task, service, copy));
            let mut deadline = pin!(tokio::time::sleep(timeout));
            let mut cut = pin!(task.permit.cut());
            let mut caller_left = pin!(async {
                match left {
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
                if cut.as_mut().poll(cx).is_ready() {
                    task.permit.count_stopped();
                    return Poll::Ready(Stop::Cut);
                }
                if caller_left.as_mut().poll(cx).is_ready() {
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
        let failed = task.has_failed::<S::Response>(&stop);
        if let (Some(pass), Some(failed)) = (task.pass.take(), failed) {
            pass.ended(failed);
        }
        let end = match stop {
            Stop::Done(Ok(answer)) => End::Success(bring(task, answer)),
            Stop::Done(Err(failure)) => End::Failed(Box::new(failure)),
            Stop::NotReady | Stop::Timeout | Stop::Cut | Stop::Dropped => End::Cancelled,
        };
        let results = &task.layer.state.results;
        if results.keeps() {
            let end = task.reason.end().unwrap_or(end);
            results.keep(task.place.branch(Tick::now(), end));
        }
    }
}

impl<C, K, V, T> Task<C, K, V, T> {
    /// Whether the end of the shadow says that its service has failed; `None` if it says nothing.
    fn has_failed<R>(&self, stop: &Stop<C::Settled>) -> Option<bool>
    where
        C: Settle<R>,
    {
        // A request body that broke off is the caller's doing.
        let of = |failure: &Failure| (failure.kind != FailureKind::Incomplete).then_some(true);
        match (self.reason.failure(), stop) {
            (Some(failure), _) => of(failure),
            (None, Stop::Done(Ok(answer))) => Some(self.layer.carrier.has_failed(answer)),
            (None, Stop::Done(Err(failure))) => of(failure),
            (None, Stop::NotReady | Stop::Timeout | Stop::Cut | Stop::Dropped) => None,
        }
    }
}

/// Brings an answer to where it is compared, and gives it back where it is to be kept.
fn bring<C, K, V, A>(task: &mut Task<C, K, V, V::Kept>, answer: A) -> Option<A>
where
    C: Send + Sync + 'static,
    K: Send + Sync + 'static,
    V: Compare<A>,
{
    // What failed or was refused has no answer to speak of.
    let Some(answers) = task.answers.take().filter(|_| !task.reason.is_set()) else {
        return Some(answer);
    };
    let layer = &task.layer;
    let kept = caught(|| {
        if layer.state.results.keeps() {
            (layer.compare.keep(&answer), Some(answer))
        } else {
            (layer.compare.take(answer), None)
        }
    });
    match kept {
        Ok((kept, answer)) => {
            let other = Other { place: task.place.clone(), at: task.at, kept };
            bring_other::<_, _, _, A>(layer, &answers, other);
            answer
        }
        Err(panic) => {
            tracing::error!(%panic, "keeping an answer for its comparison panicked");
            layer.state.not_compared(task.at);
            None
        }
    }
}

async fn execute<C, K, V, T, S, Q>(
    task: &Task<C, K, V, T>,
    service: &mut S,
    copy: &mut Option<Q>,
) -> Stop<C::Settled>
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
    // Asked once. (A copy that is not sent is dropped with its shadow: after the reason is set.)
    match poll_fn(|cx| Poll::Ready(caught(|| service.poll_ready(cx)))).await {
        Ok(Poll::Ready(Ok(()))) => {}
        Ok(Poll::Ready(Err(_)) | Poll::Pending) => {
            task.skip(SkipReason::NotReady);
            return Stop::NotReady;
        }
        Err(panic) => return panicked(panic),
    }
    let Some(copy) = copy.take() else { return Stop::NotReady };
    // What is over is not held any longer than it must be: the task has room for all it holds at once.
    let answered = {
        let mut response = match caught(|| service.call(copy)) {
            Ok(response) => pin!(response),
            Err(panic) => return panicked(panic),
        };
        let polled = poll_fn(|cx| match caught(|| response.as_mut().poll(cx)) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        });
        match polled.await {
            Ok(answered) => answered,
            Err(panic) => return panicked(panic),
        }
    };
    let settled = match answered {
        Ok(response) => task.layer.carrier.settle(response, &task.reason),
        Err(error) => return Stop::Done(Err(Failure::of_error(&error))),
    };
    Stop::Done(settled.await)
}

/// A panic in what settles the response is the shadow's failure, too, and goes no further.
fn poll_caught<T>(
    work: Pin<&mut impl Future<Output = Stop<T>>>,
    cx: &mut Context<'_>,
) -> Poll<Stop<T>> {
    caught(|| work.poll(cx)).unwrap_or_else(|panic| Poll::Ready(Stop::Done(Err(panic))))
}
