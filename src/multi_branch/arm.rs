//! One branch of several.

use crate::{
    branch::{Branch, Failure, FailureKind, SkipReason},
    caught::caught,
    clock::Tick,
    trial::{End, Place, Reason},
};
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};
use tokio::runtime::Handle;
use tower_service::Service;

/// A branch with its position in the pool.
pub(super) type BoxArm<T> = Pin<Box<dyn Future<Output = (usize, Branch<T>)> + Send>>;

pub(super) fn boxed<S, Q>(
    at: usize,
    ready: bool,
    service: S,
    copy: Q,
    mut place: Place,
    reason: Reason,
    timeout: Option<Duration>,
) -> BoxArm<S::Response>
where
    S: Service<Q> + Send + 'static,
    S::Response: Send + 'static,
    S::Error: fmt::Display + fmt::Debug + Send + 'static,
    S::Future: Send,
    Q: Send + 'static,
{
    Box::pin(async move {
        place.start = Tick::now();
        let end = match timeout {
            None => execute(ready, service, copy, &reason).await,
            Some(_) if Handle::try_current().is_err() => {
                reason.skipped(SkipReason::NoRuntime);
                drop(copy);
                End::Skipped(SkipReason::NoRuntime)
            }
            Some(timeout) => {
                // The work is dropped at the end of this block: after the reason is set.
                let mut work = pin!(execute(ready, service, copy, &reason));
                match tokio::time::timeout(timeout, work.as_mut()).await {
                    Ok(end) => end,
                    Err(_) => failed(
                        &reason,
                        Failure::new(
                            FailureKind::Timeout,
                            format!("not finished within {timeout:?}"),
                        ),
                    ),
                }
            }
        };
        let end = reason.end().unwrap_or(end);
        (at, place.branch(Tick::now(), end))
    })
}

/// Whoever sees the drop of the copy, or of the service's future, reads the reason.
fn failed<T>(reason: &Reason, failure: Failure) -> End<T> {
    reason.failed(failure.clone());
    End::Failed(Box::new(failure))
}

/// A panic in a branch is its failure and goes no further.
async fn execute<S, Q>(ready: bool, mut service: S, copy: Q, reason: &Reason) -> End<S::Response>
where
    S: Service<Q>,
    S::Error: fmt::Display + fmt::Debug + 'static,
{
    if !ready {
        match polled(|cx| service.poll_ready(cx)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return failed(reason, Failure::of_error(&error)),
            Err(panic) => return failed(reason, panic),
        }
    }
    let mut response = match caught(|| service.call(copy)) {
        Ok(response) => pin!(response),
        Err(panic) => return failed(reason, panic),
    };
    match polled(|cx| response.as_mut().poll(cx)).await {
        Ok(Ok(response)) => End::Success(Some(response)),
        Ok(Err(error)) => End::Failed(Box::new(Failure::of_error(&error))),
        Err(panic) => failed(reason, panic),
    }
}

/// Polls until it is ready or panics.
async fn polled<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Result<T, Failure> {
    poll_fn(|cx| match caught(|| poll(cx)) {
        Ok(result) => result.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
