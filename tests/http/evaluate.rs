//! Answers of HTTP services, measured and judged.

use crate::support::{Feed, Records, fed, hear, pool, records};
use axum::{Json, Router, body::Body, routing::post};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body::Body as HttpBody;
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    sync::Mutex,
    time::Duration,
};
use tower::{Layer, Service, ServiceBuilder};
use tower_spearmint::{
    BoxError, ConfigPool, Place,
    branch::Role,
    evaluate::{Evaluating, Evaluation, Evaluators, ExactMatch, Expected, function},
    http::{ShadowLayer, SingleLayer},
    service_fn,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Answers as its config says, and notes what it was asked.
async fn answer(place: Place, Json(question): Json<Value>) -> Json<Value> {
    place.note_request(question);
    let answer: String = place.config().get("answer").unwrap();
    Json(json!({ "answer": answer, "usage": { "tokens": answer.len() } }))
}

/// Through a socket.
fn ask(address: std::net::SocketAddr, body: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /ask HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn the_answers_of_a_router_and_its_shadow_are_measured_and_judged() {
    let records = records();
    let asked =
        function("asked", |e: &Evaluation| Some(e.request()?["words"].as_array()?.len() as f64));
    let evaluation = Evaluators::new()
        .measure("tokens", "/usage/tokens")
        .with(ExactMatch::new("same").at("/answer").unwrap())
        .with(asked)
        .expected(Expected::Primary)
        .build()
        .unwrap();
    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable", "answer": "tea" }),
        json!({ "config_id": "candidate", "answer": "coffee" }),
    ]);
    let shadow = ShadowLayer::new(pool.unwrap().primary("stable").unwrap()).methods([Method::POST]);
    let layers = ServiceBuilder::new()
        .layer(shadow.clone())
        .layer(records.layer.clone().evaluate(evaluation.clone()));
    let app = Router::new().route("/ask", post(answer)).layer(layers);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });

    let question = move || ask(address, r#"{"words":["hot","drink"]}"#);
    let said = tokio::task::spawn_blocking(question).await.unwrap();
    assert!(said.ends_with(r#"{"answer":"tea","usage":{"tokens":3}}"#), "{said}");
    records.ends_of(1).await;
    shadow.drain(PATIENCE).await;
    // By itself, not because somebody waits for the end.
    for _ in 0..15_000 {
        if evaluation.stats().metrics["same"].had == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    evaluation.drain(PATIENCE).await.unwrap();
    for branch in records.all().await {
        let said: Vec<_> = branch.metrics.iter().collect();
        match branch.role {
            Role::Primary => assert_eq!(said, [("asked", 2.0), ("tokens", 3.0)]),
            _ => assert_eq!(said, [("asked", 2.0), ("same", 0.0), ("tokens", 6.0)]),
        }
    }
    assert_eq!(records.all().await.len(), 2);
}

/// An answer whose body is still to come.
async fn answered(
    records: &Records,
    evaluation: &Evaluating,
    status: u16,
) -> (Feed, impl HttpBody<Data = Bytes, Error = BoxError> + Unpin + use<>) {
    let (feed, body) = fed();
    let body = Mutex::new(Some(body));
    let service = service_fn(move |_: Request<Body>| {
        let body = body.lock().unwrap().take().unwrap();
        async move {
            let response = Response::builder().header(header::CONTENT_TYPE, "application/json");
            Ok::<_, BoxError>(response.status(status).body(body)?)
        }
    });
    let log = records.layer.clone().evaluate(evaluation.clone());
    let mut service = SingleLayer::new(pool(&["a"])[0].clone()).layer(log.layer(service));
    let response = service.call(Request::new(Body::empty())).await.unwrap();
    (feed, Box::pin(response.into_body()))
}

/// What is kept of a body is what passed, however it was read.
#[tokio::test]
async fn a_body_that_breaks_off_is_not_measured() {
    let records = records();
    let evaluation = Evaluators::new().measure("n", "/n").build().unwrap();
    let (feed, body) = answered(&records, &evaluation, 200).await;
    feed.data(r#"{"n":1}"#);
    feed.fail();
    hear(body).await;
    assert_eq!(records.ends().await, ["a primary failed/truncated"]);
    assert!(records.all().await[0].metrics.is_empty());
    assert_eq!(evaluation.stats().metrics["n"].missed, [].into());
}

#[tokio::test]
async fn a_failed_answer_whose_caller_leaves_early_is_not_measured() {
    use http_body_util::BodyExt as _;

    let records = records();
    let evaluation = Evaluators::new().measure("n", "/n").build().unwrap();
    let (feed, mut body) = answered(&records, &evaluation, 500).await;
    // Whole as JSON, but nobody knows what would have followed.
    feed.data(r#"{"n":1}"#);
    body.frame().await.unwrap().unwrap();
    drop(body);
    evaluation.drain(PATIENCE).await.unwrap();
    assert_eq!(records.ends().await, ["a primary failed/status"]);
    assert!(records.all().await[0].metrics.is_empty());
}

#[tokio::test]
async fn an_answer_that_has_no_body_is_not_judged_as_an_empty_one() {
    let records = records();
    let answered = function("answered", |e: &Evaluation| Some(f64::from(e.response().is_some())));
    let evaluation = Evaluators::new().with(answered).build().unwrap();
    let service = service_fn(|request: Request<Body>| async move {
        let status = match request.uri().path() {
            "/unchanged" => StatusCode::NOT_MODIFIED,
            _ => StatusCode::OK,
        };
        let response = Response::builder().header(header::CONTENT_TYPE, "text/plain");
        Ok::<_, BoxError>(response.status(status).body(Body::empty())?)
    });
    let log = records.layer.clone().evaluate(evaluation.clone());
    let mut service = SingleLayer::new(pool(&["a"])[0].clone()).layer(log.layer(service));
    for (method, path) in
        [(Method::HEAD, "/"), (Method::GET, "/unchanged"), (Method::GET, "/empty")]
    {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        drop(service.call(request).await.unwrap());
    }
    evaluation.drain(PATIENCE).await.unwrap();
    let branches = records.all().await;
    let answered: Vec<_> = branches.iter().map(|branch| branch.metrics.get("answered")).collect();
    assert_eq!(answered, [Some(0.0), Some(0.0), Some(1.0)]);
}
