//! A service for each config.

use crate::support::{pool, records};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::Notify;
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    BoxError, Variants,
    branch::{Failure, FailureKind},
    http::RoundRobinLayer,
};

type Body = Empty<Bytes>;

/// Ready when its gate is open.
#[derive(Clone)]
struct Gated {
    id: String,
    gate: Arc<Gate>,
    ready: bool,
}

#[derive(Default)]
struct Gate {
    open: AtomicBool,
    opened: Notify,
}

impl Service<Request<Body>> for Gated {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.id != "a" || self.gate.open.load(SeqCst) {
            self.ready = true;
            return Poll::Ready(Ok(()));
        }
        let (gate, waker) = (self.gate.clone(), cx.waker().clone());
        tokio::spawn(async move {
            gate.opened.notified().await;
            waker.wake();
        });
        Poll::Pending
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called unready");
        std::future::ready(Ok(Response::new(Body::new())))
    }
}

fn variants(ids: &[&str]) -> (Variants<Gated>, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let variants = Variants::build(&pool(ids), |config| {
        Ok::<_, BoxError>(Gated { id: config.id().to_string(), gate: gate.clone(), ready: false })
    });
    (variants.unwrap(), gate)
}

fn failure(error: BoxError) -> Failure {
    *error.downcast().unwrap()
}

#[tokio::test]
async fn a_caller_waits_until_the_chosen_service_is_ready() {
    let records = records();
    let (variants, gate) = variants(&["a"]);
    let service = RoundRobinLayer::new(pool(&["a"])).layer(records.layer.layer(variants));
    let mut call = tokio::spawn(service.oneshot(Request::new(Body::new())));
    assert!(tokio::time::timeout(Duration::from_millis(10), &mut call).await.is_err());
    gate.open.store(true, SeqCst);
    gate.opened.notify_waiters();
    call.await.unwrap().unwrap();
    assert_eq!(records.ends_of(1).await, ["a primary success"]);
}

#[tokio::test]
async fn beyond_so_many_waiting_callers_the_next_is_refused_as_overloaded() {
    let records = records();
    let (variants, _gate) = variants(&["a"]);
    let service =
        RoundRobinLayer::new(pool(&["a"])).layer(records.layer.layer(variants.max_waiting(2)));
    let mut waiting = Vec::new();
    for _ in 0..2 {
        waiting.push(tokio::spawn(service.clone().oneshot(Request::new(Body::new()))));
        tokio::task::yield_now().await;
    }
    let error = failure(service.clone().oneshot(Request::new(Body::new())).await.unwrap_err());
    assert_eq!(error.to_string(), "overloaded: 2 callers are waiting already");
    assert_eq!(records.ends_of(1).await, ["a primary failed/overloaded"]);

    // One that leaves makes room.
    waiting.pop().unwrap().abort();
    tokio::task::yield_now().await;
    let call = service.oneshot(Request::new(Body::new()));
    assert!(tokio::time::timeout(Duration::from_millis(10), call).await.is_err(), "refused");
}

/// Each variant has a queue of its own.
#[tokio::test]
async fn a_variant_that_is_never_ready_holds_up_only_its_own_callers() {
    let (variants, _gate) = variants(&["a", "b"]);
    let service = RoundRobinLayer::new(pool(&["a", "b"])).layer(variants.max_waiting(1));
    let _stuck = tokio::spawn(service.clone().oneshot(Request::new(Body::new())));
    tokio::task::yield_now().await;
    for turn in 0..6 {
        let call = service.clone().oneshot(Request::new(Body::new()));
        let result = tokio::time::timeout(Duration::from_secs(5), call).await.unwrap();
        assert_eq!(result.is_ok(), turn % 2 == 0, "turn {turn}");
    }
}

#[tokio::test]
async fn a_config_without_a_service_is_a_failure_that_names_it() {
    let (variants, _gate) = variants(&["b"]);
    let service = RoundRobinLayer::new(pool(&["c"])).layer(variants);
    let error = failure(service.oneshot(Request::new(Body::new())).await.unwrap_err());
    assert_eq!(
        (error.kind, error.message.as_str()),
        (FailureKind::Error, "no service for the config `c`")
    );
}

#[tokio::test]
async fn a_request_that_came_through_no_strategy_is_a_failure_that_says_so() {
    let (variants, _gate) = variants(&["b"]);
    let error = failure(variants.oneshot(Request::new(Body::new())).await.unwrap_err());
    assert_eq!(error.message, "no config: the request did not come through a strategy");
}
