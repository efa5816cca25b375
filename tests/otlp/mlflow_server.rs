//! Spans at a real MLflow server.

use crate::{
    collector::{CALLER, EXPERIMENT, TRACE, traceparent},
    mlflow,
};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tower::{Layer, Service, service_fn};
use tower_spearmint::{
    BoxError, ConfigPool, LogLayer, Recorder,
    branch::Role,
    http::{ShadowLayer, place},
    otlp::OtlpBackend,
    record::MemoryBackend,
};

#[tokio::test(flavor = "multi_thread")]
async fn mlflows_own_client_reads_the_branches_of_a_request_as_spans() {
    let server = tokio::task::spawn_blocking(mlflow::Server::start).await.unwrap();
    let otlp = OtlpBackend::new(&server.uri()).unwrap().header(EXPERIMENT, "0").unwrap();
    let stats = otlp.stats();
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair((memory.clone(), otlp.service_name("shop")));
    tokio::spawn(recording);
    let pool = ["stable", "candidate"].map(|id| json!({ "config_id": id }));
    let pool = ConfigPool::from_values(pool).unwrap();
    let shadow = ShadowLayer::new(pool.primary("stable").unwrap()).experiment("ranker");
    let answer = service_fn(|request: Request<_>| async move {
        match place(request.extensions()).unwrap().role() {
            Role::Primary => Ok(Response::new(Full::<bytes::Bytes>::from("answer"))),
            _ => Err(BoxError::from("the shadow broke")),
        }
    });
    let mut service = shadow.layer(LogLayer::new(recorder.clone()).layer(answer));
    let request = Request::get("/").header("traceparent", traceparent("01"));
    let request = request.body(Full::<bytes::Bytes>::default()).unwrap();
    service.call(request).await.unwrap().into_body().collect().await.unwrap();
    shadow.drain(Duration::from_secs(30)).await;
    recorder.drain(Duration::from_secs(60)).await.unwrap();
    assert_eq!((stats.sent(), stats.rejected(), stats.lost()), (2, 0, 0));

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/otlp/read_trace.py");
    let id = format!("tr-{TRACE}");
    let printed = tokio::task::spawn_blocking(move || server.python(&script, &[&id])).await;
    let spans: Value = serde_json::from_str(&printed.unwrap()).unwrap();
    let mut branches = memory.branches();
    branches.sort_by(|a, b| a.config_id.cmp(&b.config_id));
    for (at, (name, status)) in
        [("ranker/candidate", "ERROR"), ("ranker/stable", "OK")].into_iter().enumerate()
    {
        let (span, branch) = (&spans[at], &branches[at]);
        assert_eq!((&span["name"], &span["status"]), (&json!(name), &json!(status)));
        assert_eq!(span["span_id"], branch.span_id().to_string());
        assert_eq!(span["parent_id"], CALLER);
        assert_eq!(span["start_ns"], branch.start_ns);
        assert_eq!(span["end_ns"], branch.end_ns);
        assert_eq!(span["attributes"]["spearmint.role"], branch.role.as_str());
        assert_eq!(span["attributes"]["spearmint.config_id"], branch.config_id.as_str());
    }
    assert_eq!(spans[0]["events"], json!(["exception"]));
    assert_eq!(spans.as_array().unwrap().len(), 2);
}
