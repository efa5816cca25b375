//! Traces: those that clients send, and the requests that were recorded.

mod assessed;
mod of_clients;
mod of_requests;
mod otlp;
mod searched;

use crate::support::{Answer, Server};
use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    ConfigPool, LogLayer, Recorder, ShadowLayer, Trial, branch::Role, service_fn,
    store::SqliteStore,
};

const API: &str = "/api/3.0/mlflow/traces";
const API_2: &str = "/api/2.0/mlflow/traces";

/// What was answered; it must have gone well.
async fn post(server: &Server, path: &str, body: Value) -> Value {
    let answer = server.post(path, &body).await;
    assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
    answer.json()
}

async fn get(server: &Server, path: &str) -> Value {
    let answer = server.get(&format!("{API}/{path}")).await;
    assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
    answer.json()
}

/// A trace with its spans.
async fn whole(server: &Server, id: &str) -> Value {
    get(server, &format!("get?trace_id={id}")).await["trace"].clone()
}

/// The ids that a search finds.
async fn found(server: &Server, search: Value) -> Vec<String> {
    ids(&post(server, &format!("{API}/search"), search).await)
}

fn ids(answer: &Value) -> Vec<String> {
    let traces = answer["traces"].as_array().cloned().unwrap_or_default();
    traces.iter().map(|trace| trace["trace_id"].as_str().unwrap().to_owned()).collect()
}

/// The place of an experiment, as a search names it.
fn location(experiment: &str) -> Value {
    json!({ "type": "MLFLOW_EXPERIMENT", "mlflow_experiment": { "experiment_id": experiment } })
}

/// Sends spans to an experiment.
async fn send(server: &Server, experiment: &str, content_type: &str, body: Bytes) -> Answer {
    let headers = [("content-type", content_type), ("x-mlflow-experiment-id", experiment)];
    server.try_call_with("POST", "/v1/traces", &headers, Full::new(body)).await.unwrap()
}

/// Spans in OpenTelemetry's JSON.
fn request(spans: &Value) -> Bytes {
    let resource = json!({ "attributes": [
        { "key": "service.name", "value": { "stringValue": "shop" } },
    ]});
    json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": spans }] }] })
        .to_string()
        .into()
}

/// A span of the trace whose id is 16 times `trace`; the one called `a` is the root of the others.
fn span(trace: u8, name: &str, start_ms: u64, end_ms: u64) -> Value {
    let mut span = json!({
        "traceId": format!("{trace:02x}").repeat(16),
        "spanId": format!("{:016x}", u64::from(name.as_bytes()[0])),
        "name": name,
        "startTimeUnixNano": (start_ms * 1_000_000).to_string(),
        "endTimeUnixNano": (end_ms * 1_000_000).to_string(),
        "attributes": [{ "key": "mlflow.spanType", "value": { "stringValue": "TOOL" } }],
        "status": { "code": 1 },
    });
    if !name.starts_with('a') {
        span["parentSpanId"] = format!("{:016x}", u64::from(b'a')).into();
    }
    span
}

async fn send_spans(server: &Server, spans: Value) {
    let answer = send(server, "0", "application/json", request(&spans)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.json(), json!({}));
}

/// The id of the trace whose spans are of `trace`.
fn id(trace: u8) -> String {
    format!("tr-{}", format!("{trace:02x}").repeat(16))
}

/// Requests with a shadow each, in the experiment `ranker`; the shadow fails. Their ids as traces.
async fn record(directory: &TempDir, count: usize) -> Vec<String> {
    let store = SqliteStore::open(directory.path().join("spearmint.db")).unwrap();
    let (recorder, recording) = Recorder::pair(store);
    tokio::spawn(recording);
    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable", "model": "small" }),
        json!({ "config_id": "candidate", "model": "large" }),
    ])
    .unwrap();
    let log = LogLayer::new(recorder.clone())
        .capture(|answer: &(usize, String)| Some(json!({ "answer": answer.0 })));
    let answer = service_fn(|trial: Trial<usize>| async move {
        match trial.place().role() {
            Role::Primary => Ok((*trial.request(), trial.place().request_id().to_string())),
            _ => Err("the shadow broke".to_owned()),
        }
    });
    let layer = ShadowLayer::new(pool.primary("stable").unwrap()).experiment("ranker");
    let mut service = layer.layer(log.layer(answer));
    let mut ids = Vec::new();
    for n in 0..count {
        let (_, id) = service.ready().await.unwrap().call(n).await.unwrap();
        ids.push(format!("tr-{}", id.replace('-', "")));
        // They differ in their times.
        let now = Instant::now();
        while now.elapsed() < Duration::from_millis(2) {}
    }
    let _ = layer.drain(Duration::from_secs(60)).await;
    recorder.drain(Duration::from_secs(60)).await.unwrap();
    ids
}

/// The id of the experiment of that name.
async fn experiment(server: &Server, name: &str) -> String {
    let path = format!("/api/2.0/mlflow/experiments/get-by-name?experiment_name={name}");
    let answer = server.get(&path).await.json();
    answer["experiment"]["experiment_id"].as_str().unwrap().to_owned()
}
