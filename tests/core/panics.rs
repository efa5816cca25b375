//! A panic is a failure, recorded once with its message; whoever is called by the caller passes it
//! on.

use crate::support::{behaving, pool, records};
use std::{any::Any, time::Duration};
use tower::{BoxError, Layer, Service};
use tower_spearmint::{MultiBranchLayer, RoundRobinLayer, ShadowLayer, SingleLayer};

/// In the future of the service.
async fn later(_: String) -> Result<(), BoxError> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    panic!("later")
}

/// In `call` itself.
fn at_once(_: String) -> std::future::Ready<Result<(), BoxError>> {
    panic!("at once")
}

async fn panic_of<S>(mut service: S) -> Box<dyn Any + Send>
where
    S: Service<(), Future: Send, Error: Send, Response: Send> + Send + 'static,
{
    tokio::spawn(async move { service.call(()).await }).await.err().expect("a panic").into_panic()
}

macro_rules! reaches_the_caller_and_is_recorded_once {
    ($layer:expr, $expected:expr) => {
        for (in_call, message) in [(true, "at once"), (false, "later")] {
            let records = records();
            let layer = $layer;
            let panic = if in_call {
                panic_of(layer.layer(records.layer.layer(behaving(at_once)))).await
            } else {
                panic_of(layer.layer(records.layer.layer(behaving(later)))).await
            };
            assert_eq!(panic.downcast_ref::<&str>(), Some(&message));
            tokio::time::sleep(Duration::from_secs(5)).await;
            let expected: &[&str] = &$expected;
            assert_eq!(records.ends().await, expected);
            for branch in records.all().await {
                assert_eq!(branch.failure.unwrap().message, message);
            }
        }
    };
}

#[tokio::test(start_paused = true)]
async fn single_passes_a_panic_on_and_records_it() {
    let config = pool(&["a"])[0].clone();
    reaches_the_caller_and_is_recorded_once!(
        SingleLayer::new(config.clone()),
        ["a primary failed/panic"]
    );
}

#[tokio::test(start_paused = true)]
async fn round_robin_passes_a_panic_on_and_records_it() {
    reaches_the_caller_and_is_recorded_once!(
        RoundRobinLayer::new(pool(&["a", "b"])),
        ["a primary failed/panic"]
    );
}

#[tokio::test(start_paused = true)]
async fn shadow_passes_the_panic_of_the_primary_on_and_keeps_that_of_the_shadow() {
    reaches_the_caller_and_is_recorded_once!(
        ShadowLayer::new(pool(&["a", "b"]).primary("a").unwrap()),
        ["a primary failed/panic", "b shadow failed/panic"]
    );
}

#[tokio::test(start_paused = true)]
async fn multi_branch_keeps_panics_to_the_branches_they_happened_in() {
    for (in_call, message) in [(true, "at once"), (false, "later")] {
        let records = records();
        let layer = MultiBranchLayer::new(pool(&["a", "b"]));
        let branches = if in_call {
            layer.layer(records.layer.layer(behaving(at_once))).call(()).await.unwrap()
        } else {
            layer.layer(records.layer.layer(behaving(later))).call(()).await.unwrap()
        };
        for branch in &branches {
            assert_eq!(branch.failure.as_ref().unwrap().message, message);
        }
        assert_eq!(records.ends().await, ["a branch failed/panic", "b branch failed/panic"]);
        for branch in records.all().await {
            assert_eq!(branch.failure.unwrap().message, message);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_hook_or_in_capture_changes_neither_response_nor_record() {
    let records = records();
    let log = records
        .layer
        .clone()
        .on_branch(|_| panic!("a careless hook"))
        .capture(|_: &String| -> Option<serde_json::Value> { panic!("a careless capture") });
    let mut service = SingleLayer::new(pool(&["a"])[0].clone())
        .layer(log.layer(behaving(|_| std::future::ready(Ok(())))));
    assert_eq!(service.call(()).await.unwrap(), "a");
    assert_eq!(records.ends().await, ["a primary success"]);
    // Also in the drop of a future.
    drop(service.call(()));
    assert_eq!(records.ends().await, ["a primary cancelled", "a primary success"]);
}
