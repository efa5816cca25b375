//! Requests that were recorded, as traces of MLflow's client.

use super::script;
use serde_json::json;
use std::{path::Path, time::Duration};
use tokio::{net::TcpListener, sync::oneshot};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    ConfigPool, LogLayer, Recorder, ShadowLayer, Trial, branch::Role, server::MlflowServer,
    service_fn, store::SqliteStore,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_traces_with_their_branches_as_spans() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("spearmint.db");
    record(&file).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let server = MlflowServer::new(SqliteStore::open(&file).unwrap()).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        server.serve(listener, stop).await.unwrap();
    });
    tokio::task::spawn_blocking(move || script("requests_as_traces.py", [uri])).await.unwrap();
    stop.send(()).unwrap();
    serving.await.unwrap();
}

/// 30 requests with a shadow each; every third shadow fails.
async fn record(file: &Path) {
    let (recorder, recording) = Recorder::pair(SqliteStore::open(file).unwrap());
    tokio::spawn(recording);
    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable", "model": "small" }),
        json!({ "config_id": "candidate", "model": "large" }),
    ])
    .unwrap();
    let log = LogLayer::new(recorder.clone()).capture(|n: &usize| Some(json!({ "answer": n })));
    let answer = service_fn(|trial: Trial<usize>| async move {
        match (trial.place().role(), trial.request() % 3) {
            (Role::Shadow, 0) => Err("the shadow broke".to_owned()),
            _ => Ok(*trial.request()),
        }
    });
    let layer = ShadowLayer::new(pool.primary("stable").unwrap()).experiment("ranker");
    let mut service = layer.layer(log.layer(answer));
    for n in 0..30 {
        service.ready().await.unwrap().call(n).await.unwrap();
        // Their order is that of their times, which are milliseconds to MLflow.
        let now = std::time::Instant::now();
        while now.elapsed() < Duration::from_millis(2) {}
    }
    let _ = layer.drain(Duration::from_secs(60)).await;
    recorder.drain(Duration::from_secs(60)).await.unwrap();
}
