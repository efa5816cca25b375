//! Requests as traces: each is there once, with each of its branches as one span, and reads as the
//! store's own face answers it.

mod commands;
mod faults;
mod killed;
mod late;
mod same;

use crate::{
    server,
    support::{Stored, shared},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::Path, process::Command, time::Duration};
use tokio::{net::TcpListener, sync::oneshot};
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, ShadowLayer, Trial, branch::Role,
    mlflow_sync::MlflowSync, mlflow_sync::SyncMode, record::MemoryBackend, server::MlflowServer,
    service_fn, store::SqliteStore,
};

/// So many requests, each with a shadow, of which each third has failed: their branches, in
/// the order of their ids.
async fn requests(experiment: &str, count: usize) -> Vec<Branch> {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let logged = LogLayer::new(recorder.clone())
        .capture(|answer: &Value| Some(answer.clone()))
        .layer(service_fn(|trial: Trial<usize>| async move {
            match (trial.place().role(), trial.request() % 3) {
                (Role::Shadow, 0) => Err("the shadow broke".to_owned()),
                _ => Ok(json!({ "n": trial.request(), "text": "größer", "scores": [0.5, null] })),
            }
        }));
    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable", "llm": { "model": "large", "stop": ["a", "b"] } }),
        json!({ "config_id": "candidate", "llm": { "model": "small", "temperature": 0.25 } }),
    ]);
    let layer = ShadowLayer::new(pool.unwrap().primary("stable").unwrap()).experiment(experiment);
    let mut service = layer.layer(logged);
    for n in 0..count {
        service.call(n).await.unwrap();
    }
    let _ = layer.drain(Duration::from_secs(60)).await;
    recorder.drain(Duration::from_secs(60)).await.unwrap();
    let mut branches = memory.branches();
    branches.sort_by_key(|branch| branch.id);
    assert_eq!(branches.len(), 2 * count);
    branches
}

fn is_shadow(branch: &Branch) -> bool {
    branch.role == Role::Shadow
}

/// A store with so many requests.
async fn stored(experiment: &str, count: usize) -> Stored {
    let stored = Stored::new();
    stored.add(&requests(experiment, count).await).await;
    stored
}

/// Sending them.
fn sync(stored: &Stored, to: &str) -> MlflowSync {
    MlflowSync::new(stored.store.clone(), crate::support::backend(to)).modes(&[SyncMode::Traces])
}

/// The traces of an experiment as MLflow's own client reads them, in the order of their ids.
async fn read(uri: &str, experiment: &str) -> Vec<Value> {
    let mut command = Command::new(server::python());
    command
        .arg(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sync/traces/read.py")))
        .arg(experiment)
        .env("MLFLOW_TRACKING_URI", uri)
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut traces: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON from Python");
    traces.sort_by_key(|trace| trace["id"].to_string());
    traces
}

/// Those that the shared server has.
async fn sent(experiment: &str) -> Vec<Value> {
    read(&shared().uri(), experiment).await
}

/// Those of the store's own face, without what only it or only MLflow says of a trace: `sent` have
/// to be like these.
async fn own(stored: &Stored, experiment: &str) -> Vec<Value> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let server = MlflowServer::new(SqliteStore::open(stored.path()).unwrap()).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        server.serve(listener, stop).await.unwrap();
    });
    let traces = read(&uri, experiment).await;
    stop.send(()).unwrap();
    serving.await.unwrap();
    traces
}

/// Whether MLflow has the same traces as the store's own face, each with the same spans.
#[track_caller]
fn assert_same(sent: &[Value], own: &[Value]) {
    let ids = |traces: &[Value]| -> Vec<_> { traces.iter().map(|t| t["id"].clone()).collect() };
    assert_eq!(ids(sent), ids(own), "each request is a trace, once");
    for (sent, own) in sent.iter().zip(own) {
        assert_eq!(common(sent), common(own));
        let spans = sent["spans"].as_array().unwrap();
        let ids: BTreeSet<_> = spans.iter().map(|span| span["id"].to_string()).collect();
        assert_eq!(ids.len(), spans.len(), "each branch is a span, once: {sent}");
    }
}

/// Without where the server keeps it, and which run it belongs to (a run of the store's own face,
/// which is none at MLflow).
fn common(trace: &Value) -> Value {
    let mut trace = trace.clone();
    trace["tags"].as_object_mut().unwrap().remove("mlflow.artifactLocation");
    let metadata = trace["metadata"].as_object_mut().unwrap();
    metadata.remove("mlflow.sourceRun");
    metadata.remove("mlflow.trace.infoFinalized");
    // Those that began at the same time may stand in either order.
    trace["spans"].as_array_mut().unwrap().sort_by_key(|span| span["id"].to_string());
    trace
}
