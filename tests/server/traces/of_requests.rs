//! Requests that were recorded, as traces.

use super::{API, API_2, experiment, found, get, location, post, record, request, send, whole};
use crate::support::Server;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::{TempDir, tempdir};
use tower::{Layer, ServiceExt};
use tower_spearmint::{
    ConfigPool, LogLayer, Recorder, ShadowLayer, service_fn, store::SqliteStore,
};

/// Three requests, each with a shadow that failed; the experiment's id, and the traces' ids.
async fn started() -> (TempDir, Server, String, Vec<String>) {
    let directory = tempdir().unwrap();
    let ids = record(&directory, 3).await;
    let server = Server::start(&directory).await;
    let ranker = experiment(&server, "ranker").await;
    (directory, server, ranker, ids)
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let all = span["attributes"].as_array().unwrap();
    all.iter().find(|pair| pair["key"] == key).map_or(&Value::Null, |pair| &pair["value"])
}

/// An id in base64, from its hexadecimal digits.
fn encoded(digits: &str) -> String {
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    STANDARD.encode((0..digits.len()).step_by(2).map(byte).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_request_is_a_trace_and_its_branches_are_spans() {
    let (_directory, server, ranker, ids) = started().await;
    let trace = whole(&server, &ids[1]).await;
    let info = &trace["trace_info"];
    assert_eq!(info["trace_location"], location(&ranker));
    assert_eq!(
        (&info["state"], &info["response_preview"]),
        (&json!("OK"), &json!("{\"answer\": 1}"))
    );
    assert_eq!(
        info["tags"],
        json!({
            "mlflow.traceName": "ranker", "mlflow.trace.spansLocation": "TRACKING_STORE",
        })
    );
    let digits = &ids[1][3..];
    assert_eq!(info["trace_metadata"]["mlflow.sourceRun"], digits);
    assert_eq!(info["trace_metadata"]["spearmint.strategy"], "shadow");
    assert_eq!(info["trace_metadata"]["spearmint.trace_id"], digits);
    assert_eq!(info["trace_metadata"]["spearmint.parent_span_id"], Value::Null);
    assert_eq!(info["trace_metadata"]["spearmint.config_id"], "stable");

    let spans = trace["spans"].as_array().unwrap();
    let [root, primary, shadow] = &spans[..] else { panic!("{spans:?}") };
    for span in spans {
        assert_eq!(span["trace_id"], encoded(digits));
        assert_eq!(attribute(span, "mlflow.traceRequestId"), &json!({ "string_value": ids[1] }));
    }
    assert_eq!((&root["name"], &root["parent_span_id"]), (&json!("ranker"), &Value::Null));
    // The span that the branch's service is told of in `traceparent`.
    assert_eq!(primary["span_id"], encoded(&digits[16..]));
    for (span, name, role, code) in [
        (primary, "stable", "primary", "STATUS_CODE_OK"),
        (shadow, "candidate", "shadow", "STATUS_CODE_ERROR"),
    ] {
        assert_eq!((&span["name"], &span["status"]["code"]), (&json!(name), &json!(code)));
        assert_eq!(span["parent_span_id"], root["span_id"]);
        assert_eq!(attribute(span, "spearmint.role"), &json!({ "string_value": role }));
        assert_eq!(attribute(span, "spearmint.config_id"), &json!({ "string_value": name }));
        let inputs = attribute(span, "mlflow.spanInputs").to_string();
        assert!(inputs.contains("\"model\""), "{inputs}");
        assert!(attribute(span, "spearmint.duration_ms")["double_value"].is_f64());
    }
    assert_eq!(shadow["status"]["message"], "the shadow broke");
    assert_eq!(shadow["events"][0]["name"], "exception");
    assert!(shadow["events"][0]["attributes"].to_string().contains("the shadow broke"));
    assert_eq!(root["start_time_unix_nano"], primary["start_time_unix_nano"]);
    assert_eq!(root["end_time_unix_nano"], primary["end_time_unix_nano"]);
    server.stop().await;
}

#[tokio::test]
async fn requests_are_found_as_traces_are() {
    let (_directory, server, ranker, ids) = started().await;
    let newest_first: Vec<_> = ids.iter().rev().cloned().collect();
    let search = |filter: &str| {
        let search = json!({ "locations": [location(&ranker)], "filter": filter });
        found(&server, search)
    };
    for filter in [
        "",
        "status = 'OK'",
        "name = 'ranker'",
        "tags.`mlflow.traceName` LIKE 'rank%'",
        "metadata.`spearmint.strategy` = 'shadow'",
        "metadata.spearmint.config_id = 'stable'",
        "execution_time_ms >= 0 AND end_time_ms > 1000",
        "span.name = 'candidate' AND span.status = 'ERROR'",
        "span.type = 'CHAIN' AND span.name = 'ranker' AND span.status = 'OK'",
        "span.attributes.spearmint.role = 'shadow'",
        "span.attributes.`spearmint.failure_message` LIKE '%broke%'",
        "span.attributes.spearmint.retry_count LIKE '0%'",
        "trace.text ILIKE '%SHADOW BROKE%'",
        "span.content LIKE '%\"large\"%'",
        "feedback.f IS NULL",
    ] {
        assert_eq!(search(filter).await, newest_first, "{filter}");
    }
    // By the trace that a service was told of, too.
    let trace = format!("metadata.`spearmint.trace_id` = '{}'", &ids[1][3..]);
    assert_eq!(search(&trace).await, [ids[1].clone()]);
    for filter in [
        "status = 'ERROR'",
        "name = 'other'",
        "timestamp_ms < 1000",
        "span.name = 'candidate' AND span.status = 'OK'",
        "span.name = 'stable' AND span.attributes.spearmint.role = 'shadow'",
        "execution_time_ms > 100000",
        "client_request_id != 'x'",
        "metadata.spearmint.config_id = 'candidate'",
    ] {
        assert!(search(filter).await.is_empty(), "{filter}");
    }
    assert_eq!(search(&format!("request_id = '{}'", ids[1])).await, [&*ids[1]]);
    assert_eq!(search(&format!("request_id IN ('{}', 'x')", ids[2])).await, [&*ids[2]]);
    // Each branch is a run.
    let shadows = json!({
        "experiment_ids": [ranker], "filter": "tags.spearmint.role = 'shadow'",
        "order_by": ["start_time ASC"],
    });
    let shadows = post(&server, "/api/2.0/mlflow/runs/search", shadows).await;
    let run = shadows["runs"][0]["info"]["run_id"].as_str().unwrap();
    assert_eq!(search(&format!("run_id = '{run}'")).await, [&*ids[0]]);
    server.stop().await;
}

#[tokio::test]
async fn what_is_said_of_a_request_is_laid_over_its_record() {
    let (directory, server, ranker, ids) = started().await;
    let path = format!("{API_2}/{}/tags", ids[0]);
    let tag = |key: &str, value: &str| json!({ "key": key, "value": value }).to_string();
    assert_eq!(server.call("PATCH", &path, tag("team", "red")).await.status, 200);
    assert_eq!(server.call("PATCH", &path, tag("mlflow.traceName", "mine")).await.status, 200);
    let good = json!({ "assessment": {
        "assessment_name": "good", "feedback": { "value": true },
        "source": { "source_type": "HUMAN" },
    }});
    post(&server, &format!("{API}/{}/assessments", ids[0]), good).await;
    server.stop().await;
    let server = Server::start(&directory).await;
    let info = get(&server, &ids[0]).await["trace"]["trace_info"].clone();
    assert_eq!(
        (&info["tags"]["team"], &info["tags"]["mlflow.traceName"]),
        (&json!("red"), &json!("mine"))
    );
    assert_eq!(info["assessments"][0]["feedback"], json!({ "value": true }));
    for filter in ["tags.team = 'red'", "name = 'mine'", "feedback.good = 'true'"] {
        let search = json!({ "locations": [location(&ranker)], "filter": filter });
        assert_eq!(found(&server, search).await, [&*ids[0]], "{filter}");
    }
    assert_eq!(server.call("DELETE", &path, tag("mlflow.traceName", "")).await.status, 200);
    let (_, _, said) = server.call("DELETE", &path, tag("mlflow.traceName", "")).await.error();
    assert!(said.contains("part of the record of the request"), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_request_is_no_trace_and_its_branches_stay_as_runs() {
    let (_directory, server, ranker, ids) = started().await;
    let delete = |body: Value| post(&server, "/api/2.0/mlflow/traces/delete-traces", body);
    let by_id = json!({ "experiment_id": ranker, "request_ids": [ids[1]] });
    assert_eq!(delete(by_id.clone()).await, json!({ "traces_deleted": 1 }));
    assert_eq!(delete(by_id).await, json!({ "traces_deleted": 0 }));
    assert_eq!(server.get(&format!("{API}/{}", ids[1])).await.status, 404);
    let search = || found(&server, json!({ "locations": [location(&ranker)] }));
    assert_eq!(search().await, [&*ids[2], &*ids[0]]);
    let oldest = json!({
        "experiment_id": ranker, "max_timestamp_millis": 9_999_999_999_999_u64, "max_traces": 1,
    });
    assert_eq!(delete(oldest).await, json!({ "traces_deleted": 1 }));
    assert_eq!(search().await, [&*ids[2]]);
    let runs = json!({ "experiment_ids": [ranker] });
    let runs = post(&server, "/api/2.0/mlflow/runs/search", runs).await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 6);
    server.stop().await;
}

#[tokio::test]
async fn what_a_service_sends_as_spans_stands_below_the_branch_that_called_it() {
    let (directory, server, ranker, ids) = started().await;
    let digits = &ids[0][3..];
    let below = json!([{
        "traceId": digits, "spanId": "00000000000000aa", "parentSpanId": &digits[16..],
        "name": "query", "startTimeUnixNano": "5", "endTimeUnixNano": "6",
    }]);
    // Whatever experiment it names.
    let answer = send(&server, "0", "application/json", request(&below)).await;
    assert_eq!(answer.status, 200);
    let trace = whole(&server, &ids[0]).await;
    let spans = trace["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 4);
    assert_eq!(
        (&spans[3]["name"], &spans[3]["parent_span_id"]),
        (&json!("query"), &spans[1]["span_id"])
    );
    assert_eq!(trace["trace_info"]["trace_location"], location(&ranker));
    let everywhere = json!({
        "locations": [location(&ranker), location("0")], "filter": "span.name = 'query'",
    });
    assert_eq!(found(&server, everywhere).await, [&*ids[0]], "it is found once");
    let delete = json!({ "experiment_id": ranker, "request_ids": [ids[0]] });
    post(&server, "/api/2.0/mlflow/traces/delete-traces", delete).await;
    server.stop().await;
    let store = rusqlite::Connection::open(directory.path().join("spearmint.db")).unwrap();
    let left: i64 =
        store.query_row("SELECT count(*) FROM mlflow_span", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

/// A request to an experiment within another one; whether the outer one is recorded as well.
async fn nested(directory: &TempDir, is_outer_recorded: bool) {
    let store = SqliteStore::open(directory.path().join("spearmint.db")).unwrap();
    let (recorder, recording) = Recorder::pair(store);
    tokio::spawn(recording);
    let shadows = |name: &str, ids: [&str; 2]| {
        let pool = ids.map(|id| json!({ "config_id": id }));
        let pool = ConfigPool::from_values(pool).unwrap();
        ShadowLayer::new(pool.primary(ids[0]).unwrap()).experiment(name)
    };
    let (outer, inner) = (shadows("outer", ["small", "big"]), shadows("inner", ["mild", "hot"]));
    let inner = inner.nested();
    let log = LogLayer::new(recorder.clone());
    let service = inner.layer(log.layer(service_fn(|_| async { Ok::<_, String>(()) })));
    if is_outer_recorded {
        outer.layer(log.layer(service)).oneshot(()).await.unwrap();
    } else {
        outer.layer(service).oneshot(()).await.unwrap();
    }
    let _ = outer.drain(Duration::from_secs(60)).await;
    let _ = inner.drain(Duration::from_secs(60)).await;
    recorder.drain(Duration::from_secs(60)).await.unwrap();
}

#[tokio::test]
async fn a_branch_of_an_inner_experiment_stands_below_that_of_the_outer_one() {
    let directory = tempdir().unwrap();
    nested(&directory, true).await;
    let server = Server::start(&directory).await;
    let outer = experiment(&server, "outer").await;
    let inner = experiment(&server, "inner").await;
    assert!(found(&server, json!({ "locations": [location(&inner)] })).await.is_empty());
    let ids = found(&server, json!({ "locations": [location(&outer)], "filter": "status = 'OK'" }));
    let [id] = &ids.await[..] else { panic!("one request") };
    let trace = whole(&server, id).await;
    let spans = trace["spans"].as_array().unwrap();
    let name = |id: &Value| {
        let span = spans.iter().find(|span| span["span_id"] == *id);
        span.map_or("", |span| span["name"].as_str().unwrap())
    };
    let mut tree: Vec<_> = spans
        .iter()
        .map(|span| format!("{}/{}", name(&span["parent_span_id"]), name(&span["span_id"])))
        .collect();
    tree.sort();
    assert_eq!(
        tree,
        ["/outer", "big/hot", "big/mild", "outer/big", "outer/small", "small/hot", "small/mild"]
    );
    server.stop().await;
}

#[tokio::test]
async fn a_request_whose_outer_experiment_is_not_recorded_is_a_trace_of_the_inner_one() {
    let directory = tempdir().unwrap();
    nested(&directory, false).await;
    let server = Server::start(&directory).await;
    let inner = experiment(&server, "inner").await;
    let search = |filter: &str| {
        let search = json!({ "locations": [location(&inner)], "filter": filter });
        found(&server, search)
    };
    let ids = search("").await;
    let [id] = &ids[..] else { panic!("one request: {ids:?}") };
    let trace = whole(&server, id).await;
    assert_eq!(trace["trace_info"]["state"], "OK");
    assert_eq!(trace["spans"].as_array().unwrap().len(), 5);
    for filter in [
        format!("request_id = '{id}' AND status = 'OK'"),
        "span.name = 'hot' AND span.attributes.spearmint.role = 'shadow'".to_owned(),
    ] {
        assert_eq!(search(&filter).await, [&**id], "{filter}");
    }
    let delete = json!({ "experiment_id": inner, "request_ids": [id] });
    let deleted = post(&server, "/api/2.0/mlflow/traces/delete-traces", delete).await;
    assert_eq!((deleted, search("").await.len()), (json!({ "traces_deleted": 1 }), 0));
    server.stop().await;
}
