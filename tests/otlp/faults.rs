//! Collectors that fail, and what is made of it.

use crate::proxy::{Upstream, nobody, respond, upstream};
use http::Response;
use http_body_util::BodyExt;
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tower::{Layer, Service};
use tower_spearmint::{
    BoxError, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    otlp::{OtlpBackend, OtlpStats},
    record::RecorderStats,
    service_fn,
};

/// Answers the n-th request so; keeps their bodies.
async fn collector(
    answer: impl Fn(usize) -> Response<crate::proxy::Body> + Clone + Send + Sync + 'static,
) -> (Upstream, Arc<Mutex<Vec<bytes::Bytes>>>) {
    let (asked, bodies) = (Arc::new(AtomicUsize::new(0)), Arc::<Mutex<Vec<_>>>::default());
    let kept = bodies.clone();
    let upstream = upstream(move |request| {
        let (asked, kept, answer) = (asked.clone(), kept.clone(), answer.clone());
        async move {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            kept.lock().unwrap().push(body);
            answer(asked.fetch_add(1, SeqCst))
        }
    })
    .await;
    (upstream, bodies)
}

/// What comes of sending `count` branches.
async fn sent(otlp: OtlpBackend, count: usize) -> (RecorderStats, OtlpStats) {
    let stats = otlp.stats();
    let (recorder, recording) = Recorder::pair(otlp);
    let pool = ConfigPool::from_values([json!({ "config_id": "a" })]).unwrap();
    let answer = service_fn(|_: Trial<()>| async { Ok::<_, BoxError>(()) });
    let log = LogLayer::new(recorder.clone());
    let mut service = RoundRobinLayer::new(pool).layer(log.layer(answer));
    for _ in 0..count {
        service.call(()).await.unwrap();
    }
    tokio::spawn(recording);
    recorder.drain(Duration::from_secs(30)).await.unwrap();
    (recorder.stats(), stats)
}

fn to(upstream: &Upstream) -> OtlpBackend {
    OtlpBackend::new(&format!("http://{}", upstream.address)).unwrap()
}

fn status(code: u16) -> Response<crate::proxy::Body> {
    respond(code, "")
}

#[tokio::test]
async fn what_may_pass_is_tried_again_with_the_same_spans_until_they_are_taken() {
    let codes = [429, 502, 503, 504];
    let (upstream, bodies) =
        collector(move |at| status(codes.get(at).copied().unwrap_or(200))).await;
    let (recorded, spans) = sent(to(&upstream), 3).await;
    assert_eq!((recorded.written, recorded.lost), (3, 0));
    assert_eq!((spans.sent(), spans.lost()), (3, 0));
    let bodies = bodies.lock().unwrap();
    assert_eq!(bodies.len(), 5);
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let seen = upstream.seen.lock().unwrap();
    assert_eq!((seen[0].method.as_str(), seen[0].uri.path()), ("POST", "/v1/traces"));
    assert_eq!(seen[0].headers["content-type"], "application/x-protobuf");
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let (upstream, _) = collector(|at| {
        let mut answer = status(if at == 0 { 503 } else { 200 });
        answer.headers_mut().insert("retry-after", "1".parse().unwrap());
        answer
    })
    .await;
    let began = Instant::now();
    let (recorded, _) = sent(to(&upstream), 1).await;
    assert_eq!(recorded.written, 1);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_the_collector_refuses_is_lost_at_once_and_counted() {
    for code in [301, 400, 401, 413, 500] {
        let (upstream, bodies) = collector(move |_| status(code)).await;
        let (recorded, spans) = sent(to(&upstream), 2).await;
        assert_eq!((recorded.written, recorded.lost), (0, 2), "{code}");
        assert_eq!((spans.sent(), spans.lost()), (0, 2), "{code}");
        assert_eq!(bodies.lock().unwrap().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn spans_that_are_refused_one_by_one_are_counted() {
    let (upstream, bodies) = collector(|_| {
        // ExportTraceServiceResponse { partial_success { rejected_spans: 2, error_message: "no" } }
        let mut answer = respond(200, &b"\x0a\x06\x08\x02\x12\x02no"[..]);
        let kind = "application/x-protobuf".parse().unwrap();
        answer.headers_mut().insert("content-type", kind);
        answer
    })
    .await;
    let (recorded, spans) = sent(to(&upstream), 5).await;
    assert_eq!((recorded.written, recorded.lost), (3, 2));
    assert_eq!((spans.sent(), spans.rejected(), spans.lost()), (3, 2, 0));
    assert_eq!(bodies.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_collector_that_is_not_there_loses_what_it_does_not_get_in_time() {
    let otlp = OtlpBackend::new(&format!("http://{}", nobody().await)).unwrap();
    let began = Instant::now();
    // More than one request's worth: the second is not waited for as well.
    let (recorded, spans) = sent(otlp.give_up_after(Duration::from_secs(1)), 600).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!((recorded.written, recorded.lost), (0, 600));
    assert_eq!((spans.sent(), spans.lost()), (0, 600));
}
