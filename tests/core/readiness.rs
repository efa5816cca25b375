//! Contract 2: a strategy is ready when the service inside is, the ready service is the one that
//! is called, and clones begin unready. One probe, repeated for every layer.
#![allow(clippy::unit_arg, reason = "the request is `()` for some layers only")]

use crate::support::{Strict, echo, poll_once, pool, ready, records};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};
use tower::{BoxError, Layer, Service, ServiceExt, buffer::Buffer, limit::ConcurrencyLimit};
use tower_spearmint::{
    LogLayer, MultiBranchLayer, Recorder, RoundRobinLayer, ShadowLayer, SingleLayer, Trial,
    record::MemoryBackend,
};
use tower_test::mock::{self, Mock};

/// Runs the same lines for every layer: its name, the layer, how to make a request, and how often
/// one request calls the service.
macro_rules! for_every_layer {
    (|$name:ident, $layer:ident, $request:ident, $calls:ident| $body:block) => {{
        let a = || pool(&["a"])[0].clone();
        let ab = || pool(&["a", "b"]);
        for_every_layer!(@one "Single", SingleLayer::new(a()), (|| ()), 1,
            $name, $layer, $request, $calls, $body);
        for_every_layer!(@one "RoundRobin", RoundRobinLayer::new(ab()), (|| ()), 1,
            $name, $layer, $request, $calls, $body);
        for_every_layer!(@one "weighted RoundRobin", RoundRobinLayer::new(ab()).seed(1), (|| ()), 1,
            $name, $layer, $request, $calls, $body);
        for_every_layer!(@one "Shadow",
            ShadowLayer::new(ab().primary("a").unwrap()).max_in_flight(10_000), (|| ()), 2,
            $name, $layer, $request, $calls, $body);
        for_every_layer!(@one "MultiBranch", MultiBranchLayer::new(ab()), (|| ()), 2,
            $name, $layer, $request, $calls, $body);
        for_every_layer!(@one "MultiBranch, serial", MultiBranchLayer::new(ab()).max_concurrent(1),
            (|| ()), 2, $name, $layer, $request, $calls, $body);
        for_every_layer!(@one "Log", LogLayer::new(Recorder::pair(MemoryBackend::new()).0),
            (|| Trial::new((), a())), 1, $name, $layer, $request, $calls, $body);
        for_every_layer!(@one "Single over Log",
            (SingleLayer::new(a()), LogLayer::new(Recorder::pair(MemoryBackend::new()).0)),
            (|| ()), 1, $name, $layer, $request, $calls, $body);
        for_every_layer!(@one "nested RoundRobin",
            (SingleLayer::new(a()), RoundRobinLayer::new(ab()).nested()), (|| ()), 1,
            $name, $layer, $request, $calls, $body);
    }};
    (@one $n:literal, $l:expr, $r:tt, $c:literal,
     $name:ident, $layer:ident, $request:ident, $calls:ident, $body:block) => {{
        let $name = $n;
        println!("{}", $name);
        let $layer = $l;
        let $request = $r;
        let $calls = $c;
        $body
    }};
}

type TestMock = Mock<Trial<()>, String>;

async fn answer(handle: &mut mock::Handle<Trial<()>, String>, times: u64) {
    for _ in 0..times {
        let (trial, send) = handle.next_request().await.unwrap();
        send.send_response(trial.config().id().to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_is_ready_when_its_service_is_and_calls_the_ready_one() {
    for_every_layer!(|name, layer, request, calls| {
        let (mock, mut handle): (TestMock, _) = mock::pair();
        handle.allow(0);
        let mut service = layer.layer(mock);
        assert!(
            poll_once(ready(&mut service, &request)).is_pending(),
            "{name}: ready before its service"
        );
        handle.allow(calls);
        ready(&mut service, &request).await.unwrap();
        // A mock panics when it, itself, was not ready.
        let response = service.call(request());
        let (response, ()) = tokio::join!(response, answer(&mut handle, calls));
        assert!(response.is_ok(), "{name}");
    });
}

#[tokio::test(start_paused = true)]
async fn a_clone_of_a_ready_service_begins_unready() {
    for_every_layer!(|name, layer, request, calls| {
        let (mock, mut handle): (TestMock, _) = mock::pair();
        handle.allow(calls);
        let mut service = layer.layer(mock);
        ready(&mut service, &request).await.unwrap();
        let mut clone = service.clone();
        let (response, ()) = tokio::join!(service.call(request()), answer(&mut handle, calls));
        assert!(response.is_ok(), "{name}");
        assert!(
            poll_once(ready(&mut clone, &request)).is_pending(),
            "{name}: the clone copied readiness"
        );
        handle.allow(calls);
        ready(&mut clone, &request).await.unwrap();
        let (response, ()) = tokio::join!(clone.call(request()), answer(&mut handle, calls));
        assert!(response.is_ok(), "{name}");
    });
}

#[tokio::test(start_paused = true)]
async fn an_error_of_becoming_ready_is_passed_on() {
    for_every_layer!(|name, layer, request, _calls| {
        let (mock, mut handle): (TestMock, _) = mock::pair();
        handle.send_error("out of order");
        let mut service = layer.layer(mock);
        let error = ready(&mut service, &request).await.unwrap_err();
        assert_eq!(error.to_string(), "out of order", "{name}");
    });
}

#[tokio::test(start_paused = true)]
async fn over_a_concurrency_limit_a_clone_waits_for_the_permit_of_the_ready_service() {
    for_every_layer!(|name, layer, request, _calls| {
        let strict = Strict::new(echo());
        let (violations, calls) = (strict.violations.clone(), strict.calls.clone());
        let mut service = layer.layer(ConcurrencyLimit::new(strict, 1));
        ready(&mut service, &request).await.unwrap();
        // (Dropped again: a clone that was asked keeps its place in the queue for permits.)
        let mut clone = service.clone();
        assert!(poll_once(ready(&mut clone, &request)).is_pending(), "{name}: two permits of one");
        drop(std::mem::replace(&mut clone, service.clone()));
        assert!(service.call(request()).await.is_ok(), "{name}");
        let ready = tokio::time::timeout(Duration::from_secs(1), ready(&mut clone, &request)).await;
        assert!(ready.expect("the permit came back").is_ok(), "{name}");
        assert!(clone.call(request()).await.is_ok(), "{name}");
        assert_eq!(violations.load(SeqCst), 0, "{name}");
        assert!(calls.load(SeqCst) >= 2, "{name}");
    });
}

#[tokio::test(start_paused = true)]
async fn over_a_buffer_ready_services_and_their_clones_can_be_called() {
    for_every_layer!(|name, layer, request, _calls| {
        let strict = Strict::new(echo());
        let violations = strict.violations.clone();
        let mut service = layer.layer(Buffer::new(strict, 2));
        for _ in 0..5 {
            ready(&mut service, &request).await.unwrap();
            let mut clone = service.clone();
            assert!(service.call(request()).await.is_ok(), "{name}");
            ready(&mut clone, &request).await.unwrap();
            assert!(clone.call(request()).await.is_ok(), "{name}");
        }
        assert_eq!(violations.load(SeqCst), 0, "{name}");
    });
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_through_clones_are_never_made_unready() {
    for_every_layer!(|name, layer, request, calls| {
        let strict = Strict::new(echo());
        let (violations, count) = (strict.violations.clone(), strict.calls.clone());
        let mut service = layer.layer(strict);
        for _ in 0..1_000 {
            // As hyper and axum do: the clone stays, the ready one is called.
            ready(&mut service, &request).await.unwrap();
            let clone = service.clone();
            let mut ready = std::mem::replace(&mut service, clone);
            assert!(ready.call(request()).await.is_ok(), "{name}");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(violations.load(SeqCst), 0, "{name}");
        assert_eq!(count.load(SeqCst), 1_000 * calls, "{name}");
    });
}

#[tokio::test(start_paused = true)]
async fn the_stream_of_branches_keeps_the_readiness_contract_too() {
    let (mock, mut handle): (TestMock, _) = mock::pair();
    handle.allow(0);
    let layer = MultiBranchLayer::new(pool(&["a", "b"])).streaming();
    let mut service = layer.layer(mock);
    assert!(poll_once(service.ready()).is_pending());
    handle.allow(2);
    service.ready().await.unwrap();
    let mut clone = service.clone();
    let stream = service.call(()).await.unwrap();
    let (count, ()) = tokio::join!(futures_util::StreamExt::count(stream), answer(&mut handle, 2));
    assert_eq!(count, 2);
    assert!(poll_once(clone.ready()).is_pending());
}

/// Ready at once, except for clones, which never are.
struct OnlyFirst<S> {
    inner: S,
    original: bool,
}

impl<S: Clone> Clone for OnlyFirst<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), original: false }
    }
}

impl<S: Service<Trial<()>>> Service<Trial<()>> for OnlyFirst<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.original { self.inner.poll_ready(cx) } else { Poll::Pending }
    }

    fn call(&mut self, trial: Trial<()>) -> S::Future {
        self.inner.call(trial)
    }
}

#[tokio::test(start_paused = true)]
async fn an_arm_whose_clone_is_never_ready_holds_up_only_itself() {
    let records = records();
    let service = OnlyFirst { inner: records.layer.layer(echo()), original: true };
    let layer =
        MultiBranchLayer::new(pool(&["a", "b"])).timeout(Duration::from_secs(5)).streaming();
    let mut service = layer.layer(service);
    let mut branches = service.ready().await.unwrap().call(()).await.unwrap();
    let start = tokio::time::Instant::now();
    let first = futures_util::StreamExt::next(&mut branches).await.unwrap();
    assert_eq!((first.config_id.as_str(), start.elapsed()), ("a", Duration::ZERO));
    let second = futures_util::StreamExt::next(&mut branches).await.unwrap();
    assert_eq!(second.failure.unwrap().to_string(), "timeout: not finished within 5s");
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(records.ends().await, ["a branch success", "b branch failed/timeout"]);
}

#[tokio::test(start_paused = true)]
async fn a_shadow_that_is_not_ready_is_skipped_and_never_called() {
    let records = records();
    let service = OnlyFirst { inner: records.layer.layer(echo()), original: true };
    let layer = ShadowLayer::new(pool(&["a", "b"]).primary("a").unwrap());
    let mut service = layer.layer(service);
    let start = tokio::time::Instant::now();
    assert_eq!(service.ready().await.unwrap().call(()).await.unwrap(), "a");
    assert_eq!(start.elapsed(), Duration::ZERO);
    layer.drain(Duration::from_secs(1)).await;
    assert_eq!(records.ends().await, ["a primary success", "b shadow skipped/not_ready"]);
    let stats = &layer.stats()[0];
    assert_eq!((stats.dispatched, stats.skipped, stats.in_flight), (0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_arm_that_fails_to_become_ready_is_recorded_as_the_failure_it_returns() {
    let records = records();
    let fails = Arc::new(AtomicBool::new(false));
    let inner = records.layer.layer(echo());
    let service = ClonesFail { inner, original: true, fails: fails.clone() };
    let mut service = MultiBranchLayer::new(pool(&["a", "b"])).layer(service);
    assert_eq!(service.call(()).await.unwrap().successes().count(), 2);
    fails.store(true, SeqCst);
    let branches = service.call(()).await.unwrap();
    assert_eq!(branches[1].failure.as_ref().unwrap().message, "will not be ready");
    assert_eq!(
        records.ends().await,
        ["a branch success", "a branch success", "b branch failed/error", "b branch success"]
    );
}

/// Its clones fail to become ready, when they are told to.
struct ClonesFail<S> {
    inner: S,
    original: bool,
    fails: Arc<AtomicBool>,
}

impl<S: Clone> Clone for ClonesFail<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), original: false, fails: self.fails.clone() }
    }
}

impl<S: Service<Trial<()>, Error = BoxError>> Service<Trial<()>> for ClonesFail<S> {
    type Response = S::Response;
    type Error = BoxError;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.fails.load(SeqCst) && !self.original {
            return Poll::Ready(Err("will not be ready".into()));
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, trial: Trial<()>) -> S::Future {
        self.inner.call(trial)
    }
}
