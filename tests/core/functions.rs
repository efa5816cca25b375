//! Plain functions as services.

use crate::support::{poll_once, pool, records};
use std::time::{Duration, Instant};
use tower::{Layer, Service};
use tower_spearmint::{
    MultiBranchLayer, RoundRobinLayer, Trial, blocking,
    branch::{Failure, FailureKind},
    service_fn,
};

#[tokio::test]
async fn an_async_function_is_a_service() {
    let mut service = RoundRobinLayer::new(pool(&["a", "b"]))
        .layer(service_fn(|trial: Trial<u32>| async move { Ok::<_, String>(trial.request() * 2) }));
    assert_eq!(service.call(21).await, Ok(42));
}

#[tokio::test]
async fn branches_of_a_blocking_function_run_beside_each_other() {
    let service = blocking(|trial: Trial<()>| {
        std::thread::sleep(Duration::from_millis(200));
        Ok::<_, std::io::Error>(trial.config().id().to_string())
    });
    let mut service = MultiBranchLayer::new(pool(&["a", "b", "c", "d"])).layer(service);
    let start = Instant::now();
    let branches = service.call(()).await.unwrap();
    assert!(branches.iter().all(|branch| branch.is_success()));
    assert!(start.elapsed() < Duration::from_millis(700), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_panic_in_a_blocking_function_is_its_error_and_a_failed_branch() {
    let records = records();
    let service = blocking(|_: Trial<()>| -> Result<(), std::io::Error> { panic!("too deep") });
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(records.layer.layer(service));
    let error = service.call(()).await.unwrap_err();
    let failure = error.downcast_ref::<Failure>().unwrap();
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Panic, "too deep"));
    assert_eq!(records.ends().await, ["a primary failed/panic"]);
    assert_eq!(records.all().await[0].failure.as_ref().unwrap().message, "too deep");
}

#[test]
fn a_blocking_function_without_a_runtime_is_an_error_not_a_panic() {
    let mut service = blocking(|n: u32| Ok::<_, std::io::Error>(n));
    let std::task::Poll::Ready(Err(error)) = poll_once(service.call(1)) else { panic!() };
    assert_eq!(error.to_string(), "error: a blocking function needs a Tokio runtime");
}

#[tokio::test]
async fn the_own_error_of_a_blocking_function_keeps_its_text() {
    let service = blocking(|_: Trial<()>| Err::<(), _>(std::io::Error::other("disk full")));
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(service);
    assert_eq!(service.call(()).await.unwrap_err().to_string(), "disk full");
}
