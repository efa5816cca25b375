//! The primary never waits for a shadow.

use crate::support::{behaving, echo, end, eventually, poll_once, pool, records};
use serde_json::json;
use std::{
    future::pending,
    panic::panic_any,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tower::{BoxError, Layer, Service, ServiceExt};
use tower_spearmint::{
    ConfigPool, ShadowLayer, Trial,
    shadow::{OnCancel, ShadowSettings},
};

fn layer() -> ShadowLayer {
    ShadowLayer::new(pool(&["stable", "new"]).primary("stable").unwrap())
}

const SECOND: Duration = Duration::from_secs(1);

async fn is_new(id: String, what: impl Future<Output = ()>) -> Result<(), BoxError> {
    if id == "new" {
        what.await;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_slow_shadow_changes_neither_the_response_nor_its_time() {
    let records = records();
    let layer = layer();
    let mut service =
        layer.layer(records.layer.layer(behaving(|id| is_new(id, sleep(10 * SECOND)))));
    let start = Instant::now();
    for _ in 0..3 {
        assert_eq!(service.call(()).await.unwrap(), "stable");
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(layer.stats()[0].in_flight, 3);
    assert_eq!(layer.drain(20 * SECOND).await.cut_off, 0);
    assert_eq!(start.elapsed().as_secs(), 10);
    let results = layer.shadow_results::<String>();
    assert_eq!(results.iter().map(end).collect::<Vec<_>>(), ["new shadow success"; 3]);
    let ends = records.ends().await;
    assert_eq!(ends[..3], ["new shadow success"; 3]);
    assert_eq!(ends[3..], ["stable primary success"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_shadow_that_never_answers_times_out_unnoticed() {
    let records = records();
    let layer = layer().timeout(2 * SECOND);
    let mut service = layer.layer(records.layer.layer(behaving(|id| is_new(id, pending()))));
    let start = Instant::now();
    assert_eq!(service.call(()).await.unwrap(), "stable");
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(layer.drain(3 * SECOND).await.cut_off, 0);
    assert_eq!(start.elapsed().as_secs(), 2);
    let branch = &layer.shadow_results::<String>()[0];
    assert_eq!(branch.failure.as_ref().unwrap().to_string(), "timeout: not finished within 2s");
    assert_eq!(records.ends().await, ["new shadow failed/timeout", "stable primary success"]);
}

#[tokio::test(start_paused = true)]
async fn the_slow_primary_of_a_quick_shadow_is_waited_for_alone() {
    let layer = layer();
    let mut service = layer.layer(behaving(|id| async move {
        if id == "stable" {
            sleep(5 * SECOND).await;
        }
        Ok(())
    }));
    let start = Instant::now();
    assert_eq!(service.call(()).await.unwrap(), "stable");
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(layer.stats()[0].in_flight, 0);
}

/// A service that panics for the shadow where it is told to.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Ready,
    Call,
    Poll,
}

struct Panics<S> {
    inner: S,
    at: At,
    is_clone: bool,
}

impl<S: Clone> Clone for Panics<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), at: self.at, is_clone: true }
    }
}

impl<S> Service<Trial<()>> for Panics<S>
where
    S: Service<Trial<()>, Response = String, Error = BoxError, Future: Send + 'static>,
{
    type Response = String;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<String, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.at == At::Ready && self.is_clone {
            panic_any("not ready, but in a panic");
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, trial: Trial<()>) -> Self::Future {
        let shadow = trial.config().id().as_str() == "new";
        if shadow && self.at == At::Call {
            panic!("in call of {}", trial.config().id());
        }
        let response = self.inner.call(trial);
        let at = self.at;
        Box::pin(async move {
            if shadow && at == At::Poll {
                panic!("in the middle");
            }
            response.await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_shadow_that_panics_anywhere_is_a_failure_and_nothing_more() {
    for (at, message) in [
        (At::Ready, "not ready, but in a panic"),
        (At::Call, "in call of new"),
        (At::Poll, "in the middle"),
    ] {
        for logged_inside in [false, true] {
            let records = records();
            let layer = layer();
            let mut service = if logged_inside {
                let service = Panics { inner: records.layer.layer(echo()), at, is_clone: false };
                tower::util::BoxService::new(layer.layer(service))
            } else {
                let service = Panics { inner: echo(), at, is_clone: false };
                tower::util::BoxService::new(layer.layer(records.layer.layer(service)))
            };
            for _ in 0..2 {
                assert_eq!(service.ready().await.unwrap().call(()).await.unwrap(), "stable");
            }
            layer.drain(SECOND).await;
            let results = layer.shadow_results::<String>();
            for result in &results {
                assert_eq!(result.failure.as_ref().unwrap().message, message);
            }
            assert_eq!(results.len(), 2);
            let ends = records.ends().await;
            if !logged_inside {
                assert_eq!(ends[..2], ["new shadow failed/panic"; 2]);
                for branch in records.all().await {
                    if let Some(failure) = branch.failure {
                        assert_eq!(failure.message, message);
                    }
                }
            }
            assert_eq!(ends[ends.len() - 2..], ["stable primary success"; 2]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_panics_in_its_call_leaves_its_shadows_alone() {
    let records = records();
    let layer = layer();
    let mut service = layer.layer(records.layer.layer(behaving(|id| {
        assert_ne!(id, "stable", "the primary panics");
        async { Ok(()) }
    })));
    let panic = tokio::spawn(async move { service.call(()).await }).await.unwrap_err();
    assert!(panic.is_panic());
    layer.drain(SECOND).await;
    assert_eq!(records.ends().await, ["new shadow success", "stable primary failed/panic"]);
}

#[tokio::test(start_paused = true)]
async fn beyond_max_in_flight_shadows_are_skipped_and_recorded_with_the_reason() {
    let records = records();
    let layer = layer().max_in_flight(2);
    let mut service =
        layer.layer(records.layer.layer(behaving(|id| is_new(id, sleep(10 * SECOND)))));
    for _ in 0..5 {
        service.call(()).await.unwrap();
    }
    let stats = layer.stats()[0].clone();
    assert_eq!((stats.dispatched, stats.skipped, stats.in_flight), (2, 3, 2));
    layer.drain(20 * SECOND).await;
    let ends = records.ends().await;
    assert_eq!(ends[..3], ["new shadow skipped/max_in_flight"; 3]);
    assert_eq!(ends[3..5], ["new shadow success"; 2]);
    assert_eq!(ends[5..], ["stable primary success"; 5]);
    // There is room again.
    service.call(()).await.unwrap();
    assert_eq!(layer.stats()[0].dispatched, 3);
}

#[tokio::test(start_paused = true)]
async fn a_skip_before_any_request_reached_the_logging_layer_is_recorded_all_the_same() {
    let records = records();
    let layer = layer().max_in_flight(0);
    let mut service = layer.layer(records.layer.layer(echo()));
    service.call(()).await.unwrap();
    assert_eq!(
        records.ends().await,
        ["new shadow skipped/max_in_flight", "stable primary success"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_sampled_share_of_requests_is_shadowed_and_the_rest_is_counted() {
    let records = records();
    let layer = layer().sample(0.2).max_in_flight(10_000);
    let mut service = layer.layer(records.layer.layer(echo()));
    for _ in 0..1_000 {
        service.call(()).await.unwrap();
    }
    layer.drain(SECOND).await;
    let stats = layer.stats()[0].clone();
    assert!(stats.dispatched.abs_diff(200) <= 5, "{stats:?}");
    assert_eq!(stats.dispatched + stats.sampled_out, 1_000);
    let branches = records.all().await;
    assert_eq!(branches.len() as u64, 1_000 + stats.dispatched);
    let shadow = branches.iter().find(|branch| branch.role.as_str() == "shadow").unwrap();
    assert_eq!(shadow.probability, 0.2);
}

#[tokio::test(start_paused = true)]
async fn all_shadows_are_sampled_by_one_draw() {
    let pool = pool(&["stable", "often", "seldom"]);
    let layer = ShadowLayer::new(pool.primary("stable").unwrap())
        .sample(0.5)
        .for_config("seldom", ShadowSettings::default().sample(0.1))
        .unwrap()
        .keep_results(10_000)
        .max_in_flight(10_000);
    let mut service = layer.layer(echo());
    for _ in 0..1_000 {
        service.call(()).await.unwrap();
    }
    layer.drain(SECOND).await;
    let results = layer.shadow_results::<String>();
    let requests = |id: &str| -> std::collections::HashSet<_> {
        let of = results.iter().filter(|branch| branch.config_id.as_str() == id);
        of.map(|branch| branch.request_id).collect()
    };
    assert!(requests("often").len().abs_diff(500) <= 5);
    assert!(requests("seldom").len().abs_diff(100) <= 5);
    assert!(requests("seldom").is_subset(&requests("often")));
}

#[tokio::test(start_paused = true)]
async fn a_config_brings_its_own_settings() {
    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable" }),
        json!({ "config_id": "off", "shadow": { "sample": 0 } }),
        json!({ "config_id": "short", "shadow": { "timeout": "150ms", "max_in_flight": 1 } }),
    ])
    .unwrap();
    let layer = ShadowLayer::new(pool.primary("stable").unwrap()).settings_from_configs().unwrap();
    let mut service = layer.layer(behaving(|id| async move {
        if id == "short" {
            pending::<()>().await;
        }
        Ok(())
    }));
    let start = Instant::now();
    service.call(()).await.unwrap();
    service.call(()).await.unwrap();
    layer.drain(SECOND).await;
    assert_eq!(start.elapsed().as_millis() / 10, 15);
    let stats = layer.stats();
    assert_eq!((stats[0].sampled_out, stats[0].dispatched), (2, 0));
    assert_eq!((stats[1].skipped, stats[1].dispatched), (1, 1));
}

#[test]
fn wrong_settings_name_the_config_the_path_and_what_would_be_right() {
    let error = |shadow: serde_json::Value| {
        let pool = ConfigPool::from_values([
            json!({ "config_id": "stable" }),
            json!({ "config_id": "new", "shadow": shadow }),
        ]);
        let layer = ShadowLayer::new(pool.unwrap().primary("stable").unwrap());
        layer.settings_from_configs().unwrap_err().to_string()
    };
    assert_eq!(
        error(json!({ "sample": 20 })),
        "config `new`: `shadow.sample`: 20 is not a share of requests; write a number from 0 to 1"
    );
    assert_eq!(
        error(json!({ "timeout": 2 })),
        "config `new`: `shadow.timeout`: `2` is not a duration; write a number and a unit, as in \
         150ms, 2s, 5m or 1h"
    );
    assert_eq!(
        error(json!({ "sampel": 0.2 })),
        "config `new`: `shadow.sampel`: unknown field `sampel`, expected one of `sample`, \
         `timeout`, `max_in_flight`, `breaker`"
    );
    let layer = ShadowLayer::new(pool(&["stable", "new"]).primary("stable").unwrap());
    assert_eq!(
        layer.for_config("newer", ShadowSettings::default()).unwrap_err().to_string(),
        "no config `newer`; the pool has `stable`, `new`"
    );
}

#[tokio::test(start_paused = true)]
async fn shadows_finish_when_the_caller_leaves() {
    let records = records();
    let layer = layer();
    let mut service = layer.layer(records.layer.layer(behaving(|_| async {
        sleep(SECOND).await;
        Ok(())
    })));
    let response = tokio::time::timeout(SECOND / 2, service.call(())).await;
    assert!(response.is_err());
    assert_eq!(layer.drain(10 * SECOND).await.cut_off, 0);
    assert_eq!(records.ends().await, ["new shadow success", "stable primary cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn shadows_are_cancelled_with_their_caller_if_that_is_the_policy() {
    let records = records();
    let layer = layer().on_cancel(OnCancel::Cancel);
    let mut service = layer.layer(records.layer.layer(behaving(|_| async {
        sleep(SECOND).await;
        Ok(())
    })));
    assert!(tokio::time::timeout(SECOND / 2, service.call(())).await.is_err());
    let start = Instant::now();
    assert_eq!(layer.drain(10 * SECOND).await.cut_off, 0);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(records.ends().await, ["new shadow cancelled", "stable primary cancelled"]);
    assert_eq!(end(&layer.shadow_results::<String>()[0]), "new shadow cancelled");
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_has_answered_does_not_cancel_its_shadows() {
    let layer = layer().on_cancel(OnCancel::Cancel);
    let mut service = layer.layer(behaving(|id| is_new(id, sleep(SECOND))));
    service.call(()).await.unwrap();
    layer.drain(10 * SECOND).await;
    assert_eq!(end(&layer.shadow_results::<String>()[0]), "new shadow success");
}

#[tokio::test(start_paused = true)]
async fn drain_cuts_off_what_runs_beyond_the_deadline() {
    let records = records();
    let layer = layer().timeout(100 * SECOND);
    let mut service = layer.layer(records.layer.layer(behaving(|id| is_new(id, pending()))));
    for _ in 0..3 {
        service.call(()).await.unwrap();
    }
    let start = Instant::now();
    assert_eq!(layer.drain(5 * SECOND).await.cut_off, 3);
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(layer.stats()[0].in_flight, 0);
    assert_eq!(records.ends().await[..3], ["new shadow cancelled"; 3]);
}

#[tokio::test]
async fn drain_does_not_wait_for_a_shadow_that_keeps_its_thread_busy() {
    let busy = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
    let busy = busy.unwrap();
    let layer = layer().runtime(busy.handle().clone());
    let let_go = Arc::new(AtomicUsize::new(0));
    let held = let_go.clone();
    let mut service = layer.layer(behaving(move |id| {
        let held = held.clone();
        async move {
            while id == "new" && held.load(SeqCst) == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        }
    }));
    service.call(()).await.unwrap();
    let drained = tokio::time::timeout(5 * SECOND, layer.drain(Duration::from_millis(50))).await;
    let_go.store(1, SeqCst);
    assert_eq!(drained.expect("within the deadline").cut_off, 1);
    busy.shutdown_background();
}

#[tokio::test]
async fn shadows_run_on_a_runtime_of_their_own() {
    let own = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("shadows")
        .enable_time()
        .build()
        .unwrap();
    let layer = layer().runtime(own.handle().clone());
    let names = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = names.clone();
    let mut service = layer.layer(behaving(move |id| {
        let seen = seen.clone();
        async move {
            let thread = std::thread::current().name().unwrap_or_default().to_owned();
            seen.lock().unwrap().push((id, thread));
            Ok(())
        }
    }));
    service.call(()).await.unwrap();
    layer.drain(5 * SECOND).await;
    let names = names.lock().unwrap().clone();
    assert!(names.iter().any(|(id, thread)| id == "new" && thread == "shadows"), "{names:?}");
    assert!(names.iter().any(|(id, thread)| id == "stable" && thread != "shadows"), "{names:?}");
    own.shutdown_background();
}

#[tokio::test]
async fn shadows_for_a_runtime_that_is_gone_end_all_the_same() {
    let records = records();
    let own = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let layer = layer().runtime(own.handle().clone());
    own.shutdown_background();
    let mut service = layer.layer(records.layer.layer(echo()));
    for _ in 0..3 {
        assert_eq!(service.call(()).await.unwrap(), "stable");
    }
    layer.drain(SECOND).await;
    assert_eq!(layer.stats()[0].in_flight, 0);
    let ends = records.ends().await;
    assert_eq!(ends.len(), 6, "{ends:?}");
}

#[test]
fn without_a_runtime_the_primary_answers_and_its_shadow_is_skipped() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let records = runtime.block_on(async { records() });
    let layer = layer();
    let mut service = layer.layer(records.layer.layer(echo()));
    let Poll::Ready(Ok(answer)) = poll_once(service.call(())) else { panic!() };
    assert_eq!(answer, "stable");
    let ends = runtime.block_on(records.ends());
    assert_eq!(ends, ["new shadow skipped/no_runtime", "stable primary success"]);
    let stats = layer.stats()[0].clone();
    assert_eq!((stats.dispatched, stats.skipped, stats.in_flight), (0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_results_that_are_kept_are_bounded() {
    let layer = layer().keep_results(3);
    let mut service = layer.layer(echo());
    for _ in 0..10 {
        service.call(()).await.unwrap();
        layer.drain(SECOND).await;
    }
    let results = layer.shadow_results::<String>();
    assert_eq!(results.len(), 3);
    assert!(results.iter().is_sorted_by_key(|branch| branch.id));
    assert!(layer.shadow_results::<String>().is_empty());

    let none = layer.keep_results(0);
    none.layer(echo()).call(()).await.unwrap();
    none.drain(SECOND).await;
    assert!(none.shadow_results::<String>().is_empty());
}

#[tokio::test(start_paused = true)]
async fn all_services_of_a_layer_share_its_cap() {
    let layer = layer().max_in_flight(1);
    let slow = behaving(|id| is_new(id, sleep(SECOND)));
    for _ in 0..3 {
        // As axum's `Router<()>` does: a new service for each request.
        layer.layer(slow.clone()).call(()).await.unwrap();
    }
    let stats = layer.stats()[0].clone();
    assert_eq!((stats.dispatched, stats.skipped), (1, 2));
}

#[tokio::test]
async fn no_shadow_is_lost_under_load_from_many_tasks() {
    let records = records();
    let layer = layer().max_in_flight(usize::MAX).keep_results(0);
    let service = layer.layer(records.layer.layer(echo()));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let mut service = service.clone();
            tokio::spawn(async move {
                for _ in 0..500 {
                    service.call(()).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    eventually("all shadows ended", || layer.stats()[0].in_flight == 0).await;
    assert_eq!(records.all().await.len(), 8_000);
}
