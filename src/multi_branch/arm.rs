//! One branch of several.

use crate::{
    branch::{Branch, Failure, FailureKind},
    clock::Tick,
    record::End,
    trial::{Place, Reason},
};
use std::{
    fmt,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};
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
            None => caught(execute(ready, service, copy)).await,
            Some(timeout) => {
                // The work is dropped before this block ends, the reason set before that.
                let mut work = pin!(caught(execute(ready, service, copy)));
                match tokio::time::timeout(timeout, work.as_mut()).await {
                    Ok(result) => result,
                    Err(_) => {
                        let failure = Failure::new(
                            FailureKind::Timeout,
                            format!("not finished within {timeout:?}"),
                        );
                        reason.failed(failure.clone());
                        Err(failure)
                    }
                }
            }
        };
        let end = match end {
            Ok(response) => End::Success(Some(response)),
            Err(failure) => End::Failed(Box::new(failure)),
        };
        let end = reason.end().unwrap_or(end);
        (at, place.branch(Tick::now(), end))
    })
}

async fn execute<S, Q>(ready: bool, mut service: S, copy: Q) -> Result<S::Response, Failure>
where
    S: Service<Q>,
    S::Error: fmt::Display + fmt::Debug + 'static,
{
    if !ready {
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(|error| Failure::of_error(&error))?;
    }
    service.call(copy).await.map_err(|error| Failure::of_error(&error))
}

/// A panic in a branch is its failure and goes no further.
async fn caught<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)))
            .unwrap_or_else(|panic| Poll::Ready(Err(Failure::of_panic(&*panic))))
    })
    .await
}
