//! A branch ends with its response body.

use crate::support::{FedBody, Records, body_of, fed, fed_of, hear, no_body, records, whole_body};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use std::{future::pending, time::Duration};
use tower::{Layer, Service};
use tower_spearmint::{
    BoxError, Config,
    http::{RecordBody, SingleLayer, place},
    record::Failures,
    service_fn,
};

fn config() -> Config {
    Config::new(json!({ "config_id": "a" })).unwrap()
}

/// The response of a recorded service that answers so.
async fn answered(
    records: &Records,
    method: Method,
    status: StatusCode,
    body: FedBody,
) -> Response<RecordBody<FedBody>> {
    let mut body = Some(body);
    let service = service_fn(move |_: Request<()>| {
        let mut response = Response::new(body.take().unwrap());
        *response.status_mut() = status;
        async move { Ok::<_, BoxError>(response) }
    });
    let mut service = SingleLayer::new(config()).layer(records.layer.layer(service));
    let request = Request::builder().method(method).body(()).unwrap();
    service.call(request).await.unwrap()
}

async fn get(records: &Records, status: u16, body: FedBody) -> Response<RecordBody<FedBody>> {
    answered(records, Method::GET, StatusCode::from_u16(status).unwrap(), body).await
}

#[tokio::test]
async fn a_branch_succeeds_at_the_end_of_its_body_and_not_before() {
    let records = records();
    let (feed, body) = fed();
    let mut response = get(&records, 200, body).await;
    feed.data("some");
    response.body_mut().frame().await.unwrap().unwrap();
    assert!(records.ends().await.is_empty());
    drop(feed);
    assert!(hear(response.into_body()).await.whole);
    assert_eq!(records.ends().await, ["a primary success"]);
}

#[tokio::test]
async fn the_duration_is_that_of_the_whole_body() {
    let records = records();
    let (feed, body) = fed();
    let response = get(&records, 200, body).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    drop(feed);
    hear(response.into_body()).await;
    assert!(records.all().await[0].duration_ns >= 30_000_000);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_failure_though_the_status_was_200() {
    let records = records();
    let (feed, body) = fed();
    feed.data("some");
    feed.fail();
    assert!(!hear(get(&records, 200, body).await.into_body()).await.whole);
    let branches = records.all().await;
    assert_eq!(records.ends().await, ["a primary failed/truncated"]);
    assert_eq!(branches[0].failure.as_ref().unwrap().message, "the line went dead");
}

#[tokio::test]
async fn a_body_dropped_early_was_cancelled() {
    let records = records();
    let (feed, body) = fed();
    let mut response = get(&records, 200, body).await;
    feed.data("some");
    response.body_mut().frame().await.unwrap().unwrap();
    drop(response);
    assert_eq!(records.ends().await, ["a primary cancelled"]);
}

#[tokio::test]
async fn a_status_of_500_or_above_is_a_failure_when_the_body_ends() {
    for status in [500, 503, 599] {
        let records = records();
        hear(get(&records, status, body_of(&["sorry"])).await.into_body()).await;
        assert_eq!(records.ends().await, ["a primary failed/status"]);
    }
}

/// As by a client that looks at the status only.
#[tokio::test]
async fn a_status_of_500_is_a_failure_even_if_nobody_reads_its_body() {
    let records = records();
    drop(get(&records, 500, body_of(&["sorry"])).await);
    assert_eq!(records.ends().await, ["a primary failed/status"]);
}

#[tokio::test]
async fn a_status_below_500_is_no_failure() {
    for status in [200, 302, 404, 429, 499] {
        let records = records();
        hear(get(&records, status, body_of(&["x"])).await.into_body()).await;
        assert_eq!(records.ends().await, ["a primary success"]);
    }
}

#[tokio::test]
async fn an_empty_body_ends_at_once() {
    let records = records();
    let _response = get(&records, 200, no_body()).await;
    assert_eq!(records.ends().await, ["a primary success"]);
}

/// A server sends no body for these, and never reads the one there is.
#[tokio::test]
async fn a_response_whose_body_is_never_sent_ends_at_once() {
    let records = records();
    drop(answered(&records, Method::HEAD, StatusCode::OK, whole_body("unsent")).await);
    drop(get(&records, 204, whole_body("unsent")).await);
    drop(get(&records, 304, whole_body("unsent")).await);
    assert_eq!(records.ends().await, ["a primary success"; 3]);
}

#[tokio::test]
async fn a_known_length_ends_with_its_last_byte() {
    let records = records();
    let (feed, body) = fed_of(4);
    let mut response = get(&records, 200, body.not_at_end_with_the_last_byte()).await;
    feed.data("wh");
    response.body_mut().frame().await.unwrap().unwrap();
    assert!(records.ends().await.is_empty());
    feed.data("le");
    response.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(records.ends().await, ["a primary success"]);
    // And once only.
    drop(feed);
    hear(response.into_body()).await;
    assert_eq!(records.ends().await, ["a primary success"]);
}

/// As a gRPC server over HTTP/2 does: it never asks what follows them.
#[tokio::test]
async fn a_body_with_trailers_ends_with_them() {
    let records = records();
    let (feed, body) = fed();
    feed.trailers(http::HeaderMap::new());
    let mut response = get(&records, 200, body).await;
    response.body_mut().frame().await.unwrap().unwrap();
    drop(response);
    assert_eq!(records.ends().await, ["a primary success"]);
}

#[tokio::test]
async fn a_caller_that_leaves_before_the_head_cancels_the_branch() {
    let records = records();
    let service = service_fn(|_: Request<()>| pending::<Result<Response<FedBody>, BoxError>>());
    let mut service = SingleLayer::new(config()).layer(records.layer.layer(service));
    let call = tokio::time::timeout(Duration::from_millis(5), service.call(Request::new(())));
    assert!(call.await.is_err());
    assert_eq!(records.ends().await, ["a primary cancelled"]);
}

#[tokio::test]
async fn a_panic_is_recorded_with_what_it_said_wherever_it_happens() {
    for in_call in [true, false] {
        let records = records();
        let service = service_fn(move |_: Request<()>| {
            assert!(!in_call, "at the call");
            async move {
                assert!(in_call, "later");
                Ok::<_, BoxError>(Response::new(no_body()))
            }
        });
        let mut service = SingleLayer::new(config()).layer(records.layer.layer(service));
        let call = tokio::spawn(async move { service.call(Request::new(())).await.map(drop) });
        assert!(call.await.unwrap_err().is_panic());
        let branches = records.all().await;
        assert_eq!(records.ends().await, ["a primary failed/panic"]);
        let message = &branches[0].failure.as_ref().unwrap().message;
        assert_eq!(message, if in_call { "at the call" } else { "later" });
    }
}

#[tokio::test]
async fn a_capture_that_panics_costs_the_output_and_not_the_response() {
    let records = records();
    let layer = records.layer.clone().capture(|_: &Response<FedBody>| panic!("no output"));
    let service =
        service_fn(|_: Request<()>| async { Ok::<_, BoxError>(Response::new(whole_body("x"))) });
    let mut service = SingleLayer::new(config()).layer(layer.layer(service));
    let response = service.call(Request::new(())).await.unwrap();
    assert!(hear(response.into_body()).await.whole);
    assert_eq!(records.ends().await, ["a primary success"]);
}

#[tokio::test]
async fn alone_every_request_is_a_branch_of_its_own_experiment() {
    let records = records();
    let layer = records.layer.clone().alone("plain", config());
    let service = service_fn(|request: Request<()>| async move {
        let place = place(request.extensions()).unwrap();
        assert_eq!((place.experiment(), place.config_id().as_str()), ("plain", "a"));
        Ok::<_, BoxError>(Response::new(whole_body("x")))
    });
    let mut service = layer.layer(service);
    for _ in 0..2 {
        let response = service.call(Request::new(())).await.unwrap();
        hear(response.into_body()).await;
    }
    let branches = records.all().await;
    assert_eq!(records.ends().await, ["a primary success"; 2]);
    assert_eq!(&*branches[0].experiment, "plain");
    assert_ne!(branches[0].request_id, branches[1].request_id);
}

#[tokio::test]
async fn under_a_strategy_the_strategys_place_counts_and_not_the_one_alone() {
    let records = records();
    let layer = records.layer.clone().alone("plain", config());
    let service =
        service_fn(|_: Request<()>| async { Ok::<_, BoxError>(Response::new(no_body())) });
    let strategy = SingleLayer::new(config()).experiment("ranker");
    strategy.layer(layer.layer(service)).call(Request::new(())).await.unwrap();
    assert_eq!(&*records.all().await[0].experiment, "ranker");
}

#[tokio::test]
async fn of_two_logging_layers_the_outer_one_records() {
    let (outer, inner) = (records(), records());
    let service =
        service_fn(|_: Request<()>| async { Ok::<_, BoxError>(Response::new(no_body())) });
    let logged = outer.layer.layer(inner.layer.layer(service));
    SingleLayer::new(config()).layer(logged).call(Request::new(())).await.unwrap();
    assert_eq!(outer.ends().await, ["a primary success"]);
    assert!(inner.ends().await.is_empty());
}

#[tokio::test]
async fn the_first_byte_is_that_of_the_head_and_comes_before_the_end() {
    let records = records();
    let (feed, body) = fed();
    let response = get(&records, 200, body).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    drop(feed);
    hear(response.into_body()).await;
    let branch = &records.all().await[0];
    let first_byte = branch.first_byte_ns.unwrap();
    assert!(first_byte + 30_000_000 <= branch.duration_ns, "{first_byte}");
}

#[tokio::test]
async fn the_bytes_of_a_response_are_counted_however_it_ends() {
    let out = async |read: usize, breaks: bool, method: Method| {
        let records = records();
        let (feed, body) = fed();
        feed.data("some");
        feed.data("thing");
        if breaks {
            feed.fail();
        }
        drop(feed);
        let mut response = answered(&records, method, StatusCode::OK, body).await;
        for _ in 0..read {
            response.body_mut().frame().await;
        }
        drop(response);
        let branch = records.all().await.remove(0);
        // Nobody saw the request's body being read.
        assert_eq!(branch.bytes_in, None);
        (branch.bytes_out, branch.status.as_str())
    };
    assert_eq!(out(3, false, Method::GET).await, (Some(9), "success"));
    assert_eq!(out(3, true, Method::GET).await, (Some(9), "failed"));
    assert_eq!(out(1, false, Method::GET).await, (Some(4), "cancelled"));
    assert_eq!(out(0, false, Method::GET).await, (Some(0), "cancelled"));
    assert_eq!(out(0, false, Method::HEAD).await, (Some(0), "success"));
}

#[tokio::test]
async fn a_service_that_never_answered_has_no_first_byte_and_no_bytes() {
    let records = records();
    let service = service_fn(|_: Request<()>| pending::<Result<Response<FedBody>, BoxError>>());
    let mut service = SingleLayer::new(config()).layer(records.layer.layer(service));
    let call = service.call(Request::new(()));
    tokio::time::timeout(Duration::from_millis(5), call).await.unwrap_err();
    let branch = &records.all().await[0];
    assert_eq!((branch.first_byte_ns, branch.bytes_out), (None, None));
}

#[tokio::test]
async fn a_handler_says_numbers_of_its_branch_until_the_body_ends() {
    let records = records();
    let (feed, body) = fed();
    let body = std::sync::Mutex::new(Some(body));
    let said = std::sync::Arc::new(std::sync::OnceLock::new());
    let later = said.clone();
    let service = service_fn(move |request: Request<()>| {
        let place = place(request.extensions()).unwrap().clone();
        place.metric("tokens", 1.0);
        let _ = later.set(place);
        let body = body.lock().unwrap().take().unwrap();
        async { Ok::<_, BoxError>(Response::new(body)) }
    });
    let mut service = SingleLayer::new(config()).layer(records.layer.layer(service));
    let response = service.call(Request::new(())).await.unwrap();
    // While it streams.
    said.get().unwrap().metric("tokens", 812.0);
    drop(feed);
    hear(response.into_body()).await;
    assert_eq!(records.all().await[0].metrics.get("tokens"), Some(812.0));
}

/// How a gRPC call ended that was answered so.
async fn grpc(head: Option<&'static str>, trailers: Option<&'static str>) -> String {
    let (feed, body) = fed();
    grpc_by(feed, body, head, trailers).await
}

async fn grpc_by(
    feed: crate::support::Feed,
    body: FedBody,
    head: Option<&'static str>,
    trailers: Option<&'static str>,
) -> String {
    let records = records();
    feed.data("a message");
    if let Some(status) = trailers {
        let mut fields = http::HeaderMap::new();
        fields.insert("grpc-status", status.parse().unwrap());
        fields.insert("grpc-message", "no%20room".parse().unwrap());
        feed.trailers(fields);
    }
    drop(feed);
    let mut body = Some(if head.is_some() { no_body() } else { body });
    let service = service_fn(move |_: Request<()>| {
        let mut response = Response::new(body.take().unwrap());
        response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        if let Some(status) = head {
            response.headers_mut().insert("grpc-status", status.parse().unwrap());
        }
        async move { Ok::<_, BoxError>(response) }
    });
    let mut service = SingleLayer::new(config()).layer(records.layer.layer(service));
    hear(service.call(Request::new(())).await.unwrap().into_body()).await;
    let branch = records.all().await.remove(0);
    branch.failure.map_or(branch.status.to_string(), |failure| failure.to_string())
}

#[tokio::test]
async fn a_grpc_call_ends_as_its_status_says_in_trailers_or_without_a_body() {
    for ok in ["0", "1", "3", "5", "7", "16"] {
        assert_eq!(grpc(None, Some(ok)).await, "success", "{ok}");
        assert_eq!(grpc(Some(ok), None).await, "success", "{ok}");
    }
    assert_eq!(grpc(None, None).await, "success");
    assert_eq!(grpc(None, Some("13")).await, "status: grpc-status 13: no room");
    assert_eq!(grpc(Some("14"), None).await, "status: grpc-status 14: UNAVAILABLE");
}

#[tokio::test]
async fn trailers_count_though_the_length_was_known_before() {
    for (status, expected) in [("0", "success"), ("13", "status: grpc-status 13: no room")] {
        let (feed, body) = fed_of(9);
        let body = body.not_at_end_with_the_last_byte();
        assert_eq!(grpc_by(feed, body, None, Some(status)).await, expected);
    }
}

#[tokio::test]
async fn a_layer_can_be_told_what_a_failure_is() {
    let records = records();
    let failures = Failures::default().status([429..=429, 500..=502]);
    for (status, end) in [(429, "failed"), (404, "success"), (502, "failed"), (503, "success")] {
        let service = service_fn(move |_: Request<()>| async move {
            let mut response = Response::new(no_body());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            Ok::<_, BoxError>(response)
        });
        let log = records.layer.clone().failures(failures.clone());
        let mut service = SingleLayer::new(config()).layer(log.layer(service));
        hear(service.call(Request::new(())).await.unwrap().into_body()).await;
        assert_eq!(records.all().await.pop().unwrap().status.as_str(), end, "{status}");
    }
}
