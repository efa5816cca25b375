//! A trace that was sent is what the store's own face shows.

use super::{assert_same, own, requests, sent, stored, sync};
use crate::support::{Stored, shared};
use serde_json::json;
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    ConfigPool, LogLayer, MultiBranchLayer, Recorder, ShadowLayer,
    branch::{BranchId, Role},
    record::MemoryBackend,
    service_fn,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_read_as_the_stores_own_face_answers_it() {
    let stored = stored("sync-traces", 12).await;
    let done = sync(&stored, &shared().uri()).run(&mut |_| {}).await.unwrap();
    assert_eq!((done.sent, done.refused, done.removed, done.left_out), (24, 0, 0, 0));
    let sent = sent("sync-traces").await;
    assert_same(&sent, &own(&stored, "sync-traces").await);
    // What it says, and not only that both say the same.
    let rows = stored.rows();
    let shadow = rows.iter().find(|row| row.role == Role::Shadow).unwrap();
    let primary = rows.iter().find(|row| row.id == shadow.request_id).unwrap();
    let trace = &sent[0];
    assert_eq!(trace["id"], format!("tr-{}", primary.id.to_string().replace('-', "")));
    assert_eq!(
        (&trace["state"], &trace["duration_ms"], &trace["tags"]["mlflow.traceName"]),
        (&json!("OK"), &json!((primary.duration_ns / 1_000_000)), &json!("sync-traces"))
    );
    assert_eq!(trace["metadata"]["spearmint.config_id"], "stable");
    let span = |name: &str| {
        let spans = trace["spans"].as_array().unwrap();
        spans.iter().find(|span| span["name"] == name).unwrap()
    };
    let (root, own, other) = (span("sync-traces"), span("stable"), span("candidate"));
    assert_eq!((&own["parent"], &other["parent"]), (&root["id"], &root["id"]));
    assert_eq!(own["inputs"]["llm"], json!({ "model": "large", "stop": ["a", "b"] }));
    assert_eq!(own["outputs"], json!({ "n": 0, "text": "größer", "scores": [0.5, null] }));
    assert_eq!(own["start_ns"], primary.start_ns);
    assert_eq!(own["end_ns"], primary.end_ns);
    assert_eq!(
        (&other["status"], &other["message"]),
        (&json!("ERROR"), &json!("the shadow broke"))
    );
    assert_eq!(other["events"][0][2]["exception.message"], "the shadow broke");
    assert_eq!(other["attributes"]["spearmint.branch_id"], shadow.id.to_string());
    // MLflow's pages fetch the spans as a file.
    let path = format!(
        "/ajax-api/3.0/mlflow/get-trace-artifact?request_id={}",
        trace["id"].as_str().unwrap()
    );
    let ask = move || shared().ask("GET", &path, "").unwrap();
    let file = tokio::task::spawn_blocking(ask).await.unwrap();
    assert!(file.starts_with("HTTP/1.1 200"), "{file}");
    for name in ["sync-traces", "stable", "candidate"] {
        assert!(file.contains(&format!(r#""name": "{name}""#)), "{name}: {file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_experiments_inside_others_is_one_trace_of_the_outermost() {
    let stored = Stored::new();
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let logged = LogLayer::new(recorder.clone());
    let pool =
        |ids: [&str; 2]| ConfigPool::from_values(ids.map(|id| json!({ "config_id": id }))).unwrap();
    let inner = MultiBranchLayer::new(pool(["mild", "hot"])).experiment("sync-inner").nested();
    let outer = ShadowLayer::new(pool(["small", "big"]).primary("small").unwrap());
    let outer = outer.experiment("sync-outer");
    let answer = service_fn(|_| async { Ok::<_, std::convert::Infallible>("fine") });
    let mut service = outer.layer(logged.layer(inner.layer(logged.layer(answer))));
    for _ in 0..4 {
        let _ = service.call(()).await.unwrap();
    }
    let _ = outer.drain(Duration::from_secs(60)).await;
    recorder.drain(Duration::from_secs(60)).await.unwrap();
    let branches = memory.branches();
    assert_eq!(branches.len(), 4 * 6);
    stored.add(&branches).await;
    let done = sync(&stored, &shared().uri()).run(&mut |_| {}).await.unwrap();
    assert_eq!(done.sent, 24);
    let sent_outer = sent("sync-outer").await;
    assert_eq!(sent_outer.len(), 4);
    assert_same(&sent_outer, &own(&stored, "sync-outer").await);
    assert!(sent("sync-inner").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_more_than_fits_into_one_call_is_one_trace() {
    let stored = Stored::new();
    let mut branches = requests("sync-large", 1).await;
    let shadow = branches.pop().unwrap();
    for n in 0..30_u8 {
        let mut shadow = shadow.clone();
        let mut id = *shadow.id.as_bytes();
        id[10] ^= n;
        shadow.id = BranchId::from_bytes(id);
        shadow.output = Some(json!("x".repeat(50_000)));
        branches.push(shadow);
    }
    stored.add(&branches).await;
    let done = sync(&stored, &shared().uri()).run(&mut |_| {}).await.unwrap();
    assert_eq!(done.sent, 31);
    let sent = sent("sync-large").await;
    assert_eq!(sent[0]["spans"].as_array().unwrap().len(), 32);
    assert_same(&sent, &own(&stored, "sync-large").await);
}
