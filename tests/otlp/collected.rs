//! What arrives of a branch.

use crate::{
    collector::{CALLER, Span, TRACE, attribute, sending_to, spans, traceparent},
    server::Server,
};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::json;
use std::time::Duration;
use tempfile::tempdir;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_spearmint::{
    BoxError, Branch, ConfigPool, LogLayer, Recorder, Trial,
    branch::{Role, TraceParent},
    http::{RoundRobinLayer, ShadowLayer, SingleLayer, place},
    otlp::SpanKind,
    record::MemoryBackend,
};

type Body = Full<bytes::Bytes>;

fn pool(ids: &[&str]) -> ConfigPool {
    ConfigPool::from_values(ids.iter().map(|id| json!({ "config_id": id, "secret": "hidden" })))
        .unwrap()
}

/// The spans at the server, and the branches as they were recorded, of one request to a primary whose
/// shadow fails.
async fn shadowed(headers: &[(&str, &str)]) -> (Vec<Span>, Vec<Branch>) {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let memory = MemoryBackend::new();
    let otlp = sending_to(&server).service_name("shop").kind(SpanKind::Client);
    let (recorder, recording) = Recorder::pair((memory.clone(), otlp));
    tokio::spawn(recording);
    let shadow = ShadowLayer::new(pool(&["stable", "candidate"]).primary("stable").unwrap());
    let shadow = shadow.experiment("ranker");
    let answer = service_fn(|request: Request<_>| async move {
        let place = place(request.extensions()).unwrap();
        place.metric("tokens", 812.0);
        match place.role() {
            Role::Primary => Ok(Response::new(Body::from("answer"))),
            _ => Err(BoxError::from("the shadow broke")),
        }
    });
    let mut service = shadow.layer(LogLayer::new(recorder.clone()).layer(answer));
    let mut request = Request::get("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::default()).unwrap();
    service.call(request).await.unwrap().into_body().collect().await.unwrap();
    shadow.drain(Duration::from_secs(30)).await;
    recorder.drain(Duration::from_secs(30)).await.unwrap();
    let mut branches = memory.branches();
    branches.sort_by(|a, b| a.config_id.cmp(&b.config_id));
    let spans = spans(&server, &branches[0].trace_id().to_string()).await;
    server.stop().await;
    (spans, branches)
}

#[tokio::test]
async fn branches_are_spans_below_their_caller_with_the_ids_that_their_services_were_told() {
    let (spans, branches) = shadowed(&[("traceparent", &traceparent("01"))]).await;
    let names: Vec<_> = spans.iter().map(Span::name).collect();
    assert_eq!(names, ["ranker/candidate", "ranker/stable"]);
    for (span, branch) in spans.iter().zip(&branches) {
        assert_eq!(branch.trace_id().to_string(), TRACE);
        assert_eq!((&*span.id(), &*span.parent()), (&*branch.span_id().to_string(), CALLER));
        assert_eq!(span.0["start_time_unix_nano"], branch.start_ns);
        assert_eq!(span.0["end_time_unix_nano"], branch.end_ns);
        for (key, value) in [
            ("spearmint.experiment", json!("ranker")),
            ("spearmint.config_id", json!(branch.config_id.as_str())),
            ("spearmint.role", json!(branch.role.as_str())),
            ("spearmint.strategy", json!("shadow")),
            ("spearmint.reason", json!(branch.reason.as_str())),
            ("spearmint.epoch", json!(branch.epoch.to_string())),
            ("spearmint.status", json!(branch.status.as_str())),
            ("spearmint.branch_id", json!(branch.id.to_string())),
            ("spearmint.request_id", json!(branch.request_id.to_string())),
            ("spearmint.retry_count", json!(0)),
            ("spearmint.probability", json!(1.0)),
            ("spearmint.tokens", json!(812.0)),
        ] {
            assert_eq!(span.attribute(key), value, "{key}");
        }
        assert!(!span.0.to_string().contains("hidden"), "{:?}", span.0);
    }
    let [candidate, stable] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((stable.status(), candidate.status()), ("STATUS_CODE_OK", "STATUS_CODE_ERROR"));
    assert_eq!(stable.attribute("http.response.body.size"), 6);
    assert_eq!(candidate.0["status"]["message"], "the shadow broke");
    assert_eq!(candidate.attribute("error.type"), "error");
    let event = &candidate.0["events"][0];
    assert_eq!(
        (&event["name"], &event["time_unix_nano"]),
        (&json!("exception"), &candidate.0["end_time_unix_nano"])
    );
    assert_eq!(attribute(event, "exception.message"), "the shadow broke");
}

#[tokio::test]
async fn without_a_caller_they_begin_a_trace_that_is_the_request() {
    let (spans, branches) = shadowed(&[]).await;
    let request = branches[0].request_id.to_string().replace('-', "");
    assert_eq!(branches[0].trace_id().to_string(), request);
    let parents: Vec<_> = spans.iter().map(Span::parent).collect();
    assert_eq!(parents, ["", ""]);
}

#[tokio::test]
async fn a_trace_that_its_caller_does_not_record_is_left_out_and_counted() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let otlp = sending_to(&server);
    let stats = otlp.stats();
    let (recorder, recording) = Recorder::pair(otlp);
    tokio::spawn(recording);
    let log = LogLayer::new(recorder.clone());
    let answer =
        service_fn(|_: Request<Body>| async { Ok::<_, BoxError>(Response::new(Body::default())) });
    let mut service = SingleLayer::new(pool(&["a"])[0].clone()).layer(log.layer(answer));
    for flags in ["00", "02", "01"] {
        let request = Request::get("/").header("traceparent", traceparent(flags));
        let answer = service.call(request.body(Body::default()).unwrap()).await.unwrap();
        answer.into_body().collect().await.unwrap();
    }
    recorder.drain(Duration::from_secs(30)).await.unwrap();
    assert_eq!((stats.sent(), stats.not_sampled(), stats.lost()), (1, 2, 0));
    assert_eq!(spans(&server, TRACE).await.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn an_inner_branch_is_below_the_outer_one() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let (recorder, recording) = Recorder::pair(sending_to(&server));
    tokio::spawn(recording);
    let log = LogLayer::new(recorder.clone());
    let answer =
        service_fn(|_: Request<Body>| async { Ok::<_, BoxError>(Response::new(Body::default())) });
    let inner = RoundRobinLayer::new(pool(&["x"])).experiment("inner").layer(log.layer(answer));
    // (A logging layer for each: the inner experiment's branches are not the outer one's.)
    let outer = RoundRobinLayer::new(pool(&["a"])).experiment("outer").layer(log.layer(inner));
    let request = Request::get("/").header("traceparent", traceparent("01"));
    let answer = outer.oneshot(request.body(Body::default()).unwrap()).await.unwrap();
    answer.into_body().collect().await.unwrap();
    recorder.drain(Duration::from_secs(30)).await.unwrap();
    let spans = spans(&server, TRACE).await;
    let [inner, outer] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((inner.name(), outer.name()), ("inner/x", "outer/a"));
    assert_eq!((&*inner.parent(), &*outer.parent()), (&*outer.id(), CALLER));
    server.stop().await;
}

#[tokio::test]
async fn many_branches_all_arrive_in_requests_of_a_bounded_size() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let otlp = sending_to(&server);
    let stats = otlp.stats();
    let (recorder, recording) = Recorder::pair(otlp);
    let log = LogLayer::new(recorder.clone());
    let answer = tower_spearmint::service_fn(|_: Trial<()>| async { Ok::<_, BoxError>(()) });
    let layer = tower_spearmint::RoundRobinLayer::new(pool(&["a"]));
    let mut service = layer.layer(log.layer(answer));
    for _ in 0..1_500 {
        service.ready().await.unwrap().call(()).await.unwrap();
    }
    tokio::spawn(recording);
    recorder.drain(Duration::from_secs(60)).await.unwrap();
    assert_eq!((recorder.stats().written, stats.sent(), stats.lost()), (1_500, 1_500, 0));
    server.stop().await;
}

#[test]
fn a_traceparent_of_the_tests_is_one() {
    assert!(TraceParent::parse(traceparent("01").as_bytes()).is_some());
}
