//! All configs at once, combined into one response.

use crate::support::{FedBody, Records, body_of, fed, hear, no_body, pool, records, whole_body};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    BoxError,
    branch::{Failure, FailureKind},
    http::{Combine, CombinedBody, ForkBody, MultiBranchLayer, RecordBody, place},
    service_fn,
};

type Fork = ForkBody<FedBody>;
type Answer = Result<Response<FedBody>, BoxError>;

fn layer(combine: Combine) -> MultiBranchLayer {
    MultiBranchLayer::new(pool(&["a", "b", "c"])).experiment("ranker").combine(combine)
}

fn respond(status: u16, media: &'static str, body: FedBody) -> Response<FedBody> {
    Response::builder().status(status).header(header::CONTENT_TYPE, media).body(body).unwrap()
}

fn ok(text: &'static str) -> Answer {
    Ok(respond(200, "text/plain", whole_body(text)))
}

/// Answers with what is there for each config, after its time.
fn answering(
    answers: impl IntoIterator<Item = (&'static str, u64, Answer)>,
) -> impl Service<Request<Fork>, Response = Response<FedBody>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ 'static {
    let answers: HashMap<_, _> =
        answers.into_iter().map(|(id, seconds, answer)| (id, (seconds, answer))).collect();
    let answers = Arc::new(Mutex::new(answers));
    service_fn(move |request: Request<Fork>| {
        let id = place(request.extensions()).unwrap().config_id().to_string();
        let answer = answers.lock().unwrap().remove(id.as_str());
        async move {
            let (seconds, answer) = answer.unwrap();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            answer
        }
    })
}

async fn combined<S>(
    layer: &MultiBranchLayer,
    records: &Records,
    service: S,
) -> Response<CombinedBody<RecordBody<FedBody>>>
where
    S: Service<Request<Fork>, Response = Response<FedBody>, Error = BoxError, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let service = layer.layer(records.layer.layer(service));
    service.oneshot(Request::new(no_body())).await.unwrap()
}

async fn read<B>(response: Response<B>) -> String
where
    B: http_body::Body<Data = Bytes, Error = BoxError>,
{
    let heard = hear(response.into_body()).await;
    assert!(heard.whole);
    String::from_utf8(heard.data).unwrap()
}

/// Without what differs from run to run.
fn steady(entry: &Value) -> Value {
    let mut entry = entry.clone();
    let map = entry.as_object_mut().unwrap();
    assert!(map.remove("branch_id").unwrap().is_string());
    assert!(map.remove("duration_ns").unwrap().is_u64());
    if let Some(response) = map.get_mut("response") {
        response.as_object_mut().unwrap().remove("headers");
    }
    entry
}

#[tokio::test(start_paused = true)]
async fn a_json_array_holds_all_branches_in_the_order_of_the_pool() {
    let records = records();
    let service = answering([
        ("a", 3, Ok(respond(200, "application/JSON; charset=utf-8", whole_body(r#"{"x":1}"#)))),
        ("b", 2, Ok(respond(201, "text/plain", body_of(&["te", "xt"])))),
        ("c", 1, Ok(respond(404, "image/png", whole_body(&b"\xff\x00"[..])))),
    ]);
    let response = combined(&layer(Combine::Json), &records, service).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let array: Vec<Value> = serde_json::from_str(&read(response).await).unwrap();
    assert_eq!(
        array.iter().map(steady).collect::<Vec<_>>(),
        [
            json!({ "config_id": "a", "status": "success",
                "response": { "status": 200, "body": { "x": 1 } } }),
            json!({ "config_id": "b", "status": "success",
                "response": { "status": 201, "body": "text" } }),
            json!({ "config_id": "c", "status": "success",
                "response": { "status": 404, "body_base64": "/wA=" } }),
        ]
    );
    assert_eq!(array[1]["response"]["headers"]["content-type"], "text/plain");
    let all = records.all().await;
    let ids: Vec<_> = array.iter().map(|entry| entry["branch_id"].as_str().unwrap()).collect();
    for branch in &all {
        assert!(ids.contains(&branch.id.to_string().as_str()));
        assert_eq!(branch.request_id, all[0].request_id);
    }
    assert_eq!(records.ends().await, ["a branch success", "b branch success", "c branch success"]);
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_fails_stands_beside_the_others_with_its_failure() {
    let records = records();
    let refused = Failure::new(FailureKind::Connect, "connection refused");
    let service = answering([
        ("a", 0, ok("x")),
        ("b", 0, Err(refused.into())),
        ("c", 0, Ok(respond(500, "text/plain", whole_body("sorry")))),
    ]);
    let response = combined(&layer(Combine::Json), &records, service).await;
    assert_eq!(response.status(), StatusCode::OK);
    let array: Vec<Value> = serde_json::from_str(&read(response).await).unwrap();
    assert_eq!(
        array[1..].iter().map(steady).collect::<Vec<_>>(),
        [
            json!({ "config_id": "b", "status": "failed",
                "failure": { "kind": "connect", "message": "connection refused" } }),
            json!({ "config_id": "c", "status": "failed",
                "failure": { "kind": "status", "message": "500 Internal Server Error" },
                "response": { "status": 500, "body": "sorry" } }),
        ]
    );
    assert_eq!(
        records.ends().await,
        ["a branch success", "b branch failed/connect", "c branch failed/status"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_json_array_of_failures_only_is_a_bad_gateway() {
    let records = records();
    let service = answering([
        ("a", 0, Err("no".into())),
        ("b", 0, Err("no".into())),
        ("c", 0, Ok(respond(503, "text/plain", no_body()))),
    ]);
    let response = combined(&layer(Combine::Json), &records, service).await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
}

#[tokio::test(start_paused = true)]
async fn a_branch_beyond_the_bound_is_oversized_in_the_answer_and_in_the_records() {
    let records = records();
    let (feed, endless) = fed();
    feed.data("12345");
    feed.data("6");
    let service = answering([
        ("a", 0, ok("12345")),
        ("b", 0, Ok(respond(200, "text/plain", endless))),
        ("c", 0, ok("")),
    ]);
    let layer = layer(Combine::Json).max_response_bytes(5);
    let array: Vec<Value> =
        serde_json::from_str(&read(combined(&layer, &records, service).await).await).unwrap();
    assert_eq!(
        steady(&array[1])["failure"],
        json!({ "kind": "oversized", "message": "the response has more than 5 bytes" })
    );
    assert_eq!(
        records.ends().await,
        ["a branch success", "b branch failed/oversized", "c branch success"]
    );
    assert!(feed.is_unheard());
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_breaks_off_is_truncated_in_the_answer_and_in_the_records() {
    let records = records();
    let (feed, broken) = fed();
    feed.data("12345");
    feed.fail();
    let service = answering([
        ("a", 0, ok("x")),
        ("b", 0, Ok(respond(200, "text/plain", broken))),
        ("c", 0, ok("x")),
    ]);
    let response = combined(&layer(Combine::Json), &records, service).await;
    let array: Vec<Value> = serde_json::from_str(&read(response).await).unwrap();
    assert_eq!(array[1]["failure"]["kind"], "truncated");
    assert_eq!(records.ends().await[1], "b branch failed/truncated");
}

#[tokio::test(start_paused = true)]
async fn a_branch_has_its_time_for_head_and_body_together() {
    let records = records();
    let (_feed, stuck) = fed();
    let service = answering([
        ("a", 1, ok("x")),
        ("b", 10, ok("x")),
        ("c", 0, Ok(respond(200, "text/plain", stuck))),
    ]);
    let began = Instant::now();
    let layer = layer(Combine::Json).timeout(Duration::from_secs(2));
    let array: Vec<Value> =
        serde_json::from_str(&read(combined(&layer, &records, service).await).await).unwrap();
    assert_eq!(began.elapsed().as_secs(), 2);
    assert_eq!(
        array[1]["failure"],
        json!({ "kind": "timeout", "message": "not finished within 2s" })
    );
    assert_eq!(array[2]["failure"]["kind"], "timeout");
    assert_eq!(
        records.ends().await,
        ["a branch success", "b branch failed/timeout", "c branch failed/timeout"]
    );
}

#[tokio::test(start_paused = true)]
async fn lines_arrive_as_their_branches_end() {
    let records = records();
    let service = answering([("a", 30, ok("slow")), ("b", 10, ok("x")), ("c", 20, ok("y"))]);
    let began = Instant::now();
    let response = combined(&layer(Combine::Ndjson), &records, service).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/x-ndjson");
    let mut body = response.into_body();
    for (id, seconds) in [("b", 10), ("c", 20), ("a", 30)] {
        let line = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(began.elapsed().as_secs(), seconds);
        assert_eq!(line.last(), Some(&b'\n'));
        let entry: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(entry["config_id"], id);
    }
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn events_arrive_as_their_branches_end_and_one_says_that_all_have() {
    let records = records();
    let service = answering([("a", 30, ok("sl\now")), ("b", 10, ok("x")), ("c", 20, ok("y"))]);
    let began = Instant::now();
    let response = combined(&layer(Combine::Sse), &records, service).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = response.into_body();
    for (id, seconds) in [("b", 10), ("c", 20), ("a", 30)] {
        let event = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(began.elapsed().as_secs(), seconds);
        let event = std::str::from_utf8(&event).unwrap();
        let data =
            event.strip_prefix("event: branch\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
        assert!(!data.contains('\n'));
        let entry: Value = serde_json::from_str(data).unwrap();
        assert_eq!(entry["config_id"], id);
    }
    let done = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(done, "event: done\ndata: {}\n\n");
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_a_stream_cancels_what_has_not_ended() {
    let records = records();
    let service = answering([("a", 30, ok("slow")), ("b", 10, ok("x")), ("c", 20, ok("y"))]);
    let mut body = combined(&layer(Combine::Ndjson), &records, service).await.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(
        records.ends().await,
        ["a branch cancelled", "b branch success", "c branch cancelled"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_success_is_streamed_and_the_others_are_cancelled() {
    let records = records();
    let (feed, first) = fed();
    let service = answering([
        ("a", 30, ok("late")),
        ("b", 10, Ok(respond(200, "text/plain", first))),
        ("c", 5, Ok(respond(404, "text/plain", whole_body("not here")))),
    ]);
    let began = Instant::now();
    let response = combined(&layer(Combine::FirstSuccess), &records, service).await;
    assert_eq!((began.elapsed().as_secs(), response.status()), (10, StatusCode::OK));
    // (The refusal was kept in reserve until now; its body was never read.)
    assert_eq!(records.ends().await, ["a branch cancelled", "c branch cancelled"]);
    let mut body = response.into_body();
    feed.data("some");
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "some");
    drop(feed);
    assert!(body.frame().await.is_none());
    assert_eq!(records.ends().await[1], "b branch success");
}

#[tokio::test(start_paused = true)]
async fn without_a_success_a_refusal_is_better_than_a_failure() {
    let records = records();
    let service = answering([
        ("a", 1, Err("no".into())),
        ("b", 2, Ok(respond(503, "text/plain", whole_body("sorry")))),
        ("c", 3, Ok(respond(404, "text/plain", whole_body("not here")))),
    ]);
    let response = combined(&layer(Combine::FirstSuccess), &records, service).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(read(response).await, "not here");
    assert_eq!(
        records.ends().await,
        ["a branch failed/error", "b branch failed/status", "c branch success"]
    );
}

#[tokio::test(start_paused = true)]
async fn without_any_answer_the_first_success_is_a_bad_gateway() {
    let records = records();
    let service = answering([
        ("a", 1, Err("no".into())),
        ("b", 2, Err("no".into())),
        ("c", 3, Err("no".into())),
    ]);
    let response = combined(&layer(Combine::FirstSuccess), &records, service).await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(read(response).await, "no branch answered\n");
}

#[tokio::test(start_paused = true)]
async fn a_function_of_the_users_combines() {
    let records = records();
    let longest = Combine::with(|branches| {
        let outputs = branches.iter().filter_map(|branch| branch.output.as_ref());
        outputs.max_by_key(|response| response.body().len()).unwrap().clone()
    });
    let service = answering([("a", 1, ok("xx")), ("b", 2, Err("no".into())), ("c", 0, ok("xxx"))]);
    let response = combined(&layer(longest), &records, service).await;
    assert_eq!(read(response).await, "xxx");
}

/// Answers with the length of the request's body; the config `b` fails without reading.
fn measuring()
-> impl Service<Request<Fork>, Response = Response<FedBody>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ 'static {
    service_fn(|request: Request<Fork>| async move {
        let id = place(request.extensions()).unwrap().config_id().to_string();
        if id == "b" {
            return Err("did not read".into());
        }
        let heard = hear(request.into_body()).await;
        let text = format!("{} {}", heard.data.len(), heard.whole);
        Ok::<_, BoxError>(respond(200, "text/plain", whole_body(text)))
    })
}

async fn bodies(layer: &MultiBranchLayer, body: FedBody) -> Vec<Value> {
    let response = layer.layer(measuring()).oneshot(Request::new(body)).await.unwrap();
    let array: Vec<Value> = serde_json::from_str(&read(response).await).unwrap();
    array.iter().map(|entry| entry["response"]["body"].clone()).collect()
}

fn large() -> FedBody {
    let (feed, body) = fed();
    for _ in 0..1_000 {
        feed.data(vec![7; 1_000]);
    }
    body
}

#[tokio::test]
async fn the_whole_body_reaches_all_branches_though_one_fails_without_reading() {
    let whole = json!("1000000 true");
    assert_eq!(bodies(&layer(Combine::Json), large()).await, [whole.clone(), Value::Null, whole]);
}

#[tokio::test]
async fn the_whole_body_reaches_branches_that_wait_for_their_turn() {
    for count in [1, 2] {
        let whole = json!("1000000 true");
        let layer = layer(Combine::Json).max_concurrent(count);
        assert_eq!(bodies(&layer, large()).await, [whole.clone(), Value::Null, whole]);
    }
}

#[tokio::test]
async fn no_branch_takes_a_body_that_broke_off_for_a_whole_one() {
    for count in [1, 3] {
        let (feed, body) = fed();
        feed.data("begun");
        feed.fail();
        let layer = layer(Combine::Json).max_concurrent(count);
        for answer in bodies(&layer, body).await {
            assert!(answer.is_null() || answer == "5 false", "{answer}");
        }
    }
}

#[tokio::test]
async fn an_empty_body_is_empty_for_all_branches() {
    for count in [1, 3] {
        let layer = layer(Combine::Json).max_concurrent(count);
        let empty = json!("0 true");
        assert_eq!(bodies(&layer, no_body()).await, [empty.clone(), Value::Null, empty]);
    }
}

#[tokio::test]
async fn trailers_reach_all_branches() {
    let (feed, body) = fed();
    feed.data("x");
    feed.trailers([("t".parse().unwrap(), "1".parse().unwrap())].into_iter().collect());
    drop(feed);
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    let service = service_fn(move |request: Request<Fork>| {
        let seen = counter.clone();
        async move {
            if hear(request.into_body()).await.trailers.is_some() {
                seen.fetch_add(1, SeqCst);
            }
            ok("x")
        }
    });
    layer(Combine::Json).layer(service).oneshot(Request::new(body)).await.unwrap();
    assert_eq!(seen.load(SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn so_many_branches_as_allowed_run_at_once() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (running.clone(), most.clone());
    let service = service_fn(move |_: Request<Fork>| {
        let (now, peak) = (now.clone(), peak.clone());
        async move {
            peak.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            now.fetch_sub(1, SeqCst);
            ok("x")
        }
    });
    let began = Instant::now();
    let layer = layer(Combine::Json).max_concurrent(2);
    layer.layer(service).oneshot(Request::new(no_body())).await.unwrap();
    assert_eq!((most.load(SeqCst), began.elapsed().as_secs()), (2, 2));
}

#[tokio::test]
async fn a_branch_that_hangs_is_cancelled_with_its_caller() {
    let records = records();
    let service = service_fn(|_: Request<Fork>| pending::<Answer>());
    let layer = layer(Combine::Json);
    let call = combined(&layer, &records, service);
    assert!(tokio::time::timeout(Duration::from_millis(5), call).await.is_err());
    assert_eq!(
        records.ends().await,
        ["a branch cancelled", "b branch cancelled", "c branch cancelled"]
    );
}
