//! Traces that clients send: their spans one by one, and then the whole.

use super::{API, API_2, get, id, post, send_spans, span, whole};
use crate::support::Server;
use serde_json::{Value, json};
use tempfile::tempdir;

/// What a client tells of the trace 1 when it is over.
fn info(stats: Value) -> Value {
    json!({ "trace": { "trace_info": {
        "trace_id": id(1), "state": "OK",
        "trace_location": super::location("0"),
        "request_time": "2026-01-31T09:00:00.250Z", "execution_duration": "1.500s",
        "request_preview": "asked", "response_preview": "said", "client_request_id": "c",
        "trace_metadata": { "m": "1", "mlflow.trace.sizeStats": stats.to_string() },
        "tags": { "mlflow.traceName": "work" },
    }}})
}

#[tokio::test]
async fn spans_may_come_before_their_trace_is_told_of() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    send_spans(&server, json!([span(1, "b", 1_010, 1_020)])).await;
    let early = get(&server, &id(1)).await["trace"]["trace_info"].clone();
    assert_eq!(
        (&early["state"], &early["request_time"], &early["execution_duration"]),
        (&json!("IN_PROGRESS"), &json!("1970-01-01T00:00:01.010Z"), &json!("0.010s"))
    );
    send_spans(&server, json!([span(1, "a", 1_000, 1_100)])).await;
    let ended = get(&server, &id(1)).await["trace"]["trace_info"].clone();
    assert_eq!(
        (&ended["state"], &ended["request_time"], &ended["execution_duration"]),
        (&json!("OK"), &json!("1970-01-01T00:00:01.000Z"), &json!("0.100s"))
    );
    let told = post(&server, API, info(json!({ "num_spans": 2 }))).await;
    let told = &told["trace"]["trace_info"];
    assert_eq!(
        *told,
        json!({
            "trace_id": id(1), "client_request_id": "c", "state": "OK",
            "trace_location": super::location("0"),
            "request_time": "2026-01-31T09:00:00.250Z", "execution_duration": "1.500s",
            "request_preview": "asked", "response_preview": "said",
            "trace_metadata": {
                "m": "1", "mlflow.trace.infoFinalized": "true",
                "mlflow.trace.sizeStats": "{\"num_spans\":2}",
            },
            "tags": {
                "mlflow.artifactLocation":
                    format!("mlflow-artifacts:/0/traces/{}/artifacts", id(1)),
                "mlflow.trace.spansLocation": "TRACKING_STORE",
                "mlflow.traceName": "work", "service.name": "shop",
            },
        })
    );
    let trace = whole(&server, &id(1)).await;
    assert_eq!(trace["trace_info"], *told);
    let names: Vec<_> =
        trace["spans"].as_array().unwrap().iter().map(|span| &span["name"]).collect();
    assert_eq!(names, ["a", "b"], "the root comes first");
    server.stop().await;
}

#[tokio::test]
async fn spans_that_come_late_change_nothing_of_what_was_told() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let told = post(&server, API, info(json!({}))).await;
    send_spans(&server, json!([span(1, "a", 5, 7)])).await;
    let mut trace = get(&server, &id(1)).await;
    let tags = trace["trace"]["trace_info"]["tags"].as_object_mut().unwrap();
    assert_eq!(tags.remove("mlflow.trace.spansLocation"), Some(json!("TRACKING_STORE")));
    assert_eq!(tags.remove("service.name"), Some(json!("shop")));
    assert_eq!(trace, told);
    server.stop().await;
}

#[tokio::test]
async fn a_trace_is_whole_when_all_its_spans_are_there() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    send_spans(&server, json!([span(1, "a", 5, 7)])).await;
    post(&server, API, info(json!({ "num_spans": 2 }))).await;
    let partial = get(&server, &format!("get?trace_id={}&allow_partial=True", id(1))).await;
    assert_eq!(partial["trace"]["spans"].as_array().unwrap().len(), 1);
    let none = get(&server, &format!("batchGet?trace_ids={}", id(1))).await;
    assert_eq!(none, json!({}));
    // It is waited for the other one.
    let path = format!("{API}/get?trace_id={}", id(1));
    let (waited, ()) =
        tokio::join!(server.get(&path), send_spans(&server, json!([span(1, "b", 6, 7)])));
    assert_eq!(waited.json()["trace"]["spans"].as_array().unwrap().len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn traces_are_given_in_the_order_in_which_they_are_asked_for() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    send_spans(&server, json!([span(1, "a", 5, 7), span(2, "a", 6, 7), span(3, "a", 7, 8)])).await;
    let query = [3, 1, 9, 3].map(|n| format!("trace_ids={}", id(n))).join("&");
    for (call, name) in [("batchGet", "traces"), ("batchGetInfos", "trace_infos")] {
        let answer = get(&server, &format!("{call}?{query}")).await;
        let traces = answer[name].as_array().unwrap();
        let info = |trace: &Value| match name {
            "traces" => trace["trace_info"]["trace_id"].clone(),
            _ => trace["trace_id"].clone(),
        };
        assert_eq!(traces.iter().map(info).collect::<Vec<_>>(), [id(3), id(1)]);
        let elsewhere = get(&server, &format!("{call}?{query}&experiment_ids=77")).await;
        assert_eq!(elsewhere, json!({}));
    }
    let none = server.get(&format!("{API}/batchGet")).await.error();
    assert_eq!(none.1, "INVALID_PARAMETER_VALUE");
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_trace_is_refused() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let changed = |path: &str, value: Value| {
        let mut sent = info(json!({}));
        *sent.pointer_mut(&format!("/trace/trace_info{path}")).unwrap() = value;
        sent
    };
    for (sent, code, message) in [
        (json!({}), "INVALID_PARAMETER_VALUE", "'trace'"),
        (changed("/trace_id", json!("")), "INVALID_PARAMETER_VALUE", "'trace_id'"),
        (
            changed("/trace_id", json!("x".repeat(51))),
            "INVALID_PARAMETER_VALUE",
            "'trace_id' exceeds the maximum length of 50 characters",
        ),
        (changed("/state", json!("GOOD")), "INVALID_PARAMETER_VALUE", "'state'"),
        (
            changed("/request_time", json!("yesterday")),
            "INVALID_PARAMETER_VALUE",
            "`yesterday` is not a time",
        ),
        (
            changed("/execution_duration", json!("long")),
            "INVALID_PARAMETER_VALUE",
            "`long` is not a duration",
        ),
        (
            changed("/trace_location", super::location("77")),
            "RESOURCE_DOES_NOT_EXIST",
            "No Experiment with id=77 exists",
        ),
    ] {
        let (_, told, said) = server.post(API, &sent).await.error();
        assert_eq!(told, code, "{sent}");
        assert!(said.contains(message), "{said}");
    }
    let none = server.get(&format!("{API}/{}", id(1))).await.error();
    assert_eq!(
        none,
        (404, "RESOURCE_DOES_NOT_EXIST".into(), format!("Trace with ID '{}' not found.", id(1)))
    );
    server.stop().await;
}

#[tokio::test]
async fn tags_are_set_and_deleted_and_those_that_say_where_things_are_stay() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    send_spans(&server, json!([span(1, "a", 5, 7)])).await;
    let path = format!("{API_2}/{}/tags", id(1));
    let tag = |key: &str| json!({ "key": key, "value": "v" }).to_string();
    assert_eq!(server.call("PATCH", &path, tag("k")).await.status, 200);
    let tags = || async { get(&server, &id(1)).await["trace"]["trace_info"]["tags"].clone() };
    assert_eq!(tags().await["k"], "v");
    assert_eq!(server.call("DELETE", &path, tag("k")).await.status, 200);
    assert_eq!(tags().await["k"], Value::Null);
    let again = server.call("DELETE", &path, tag("k")).await.error();
    assert_eq!(again.2, format!("No trace tag with key 'k' for trace with ID '{}'", id(1)));
    for method in ["PATCH", "DELETE"] {
        let fixed = server.call(method, &path, tag("mlflow.trace.spansLocation")).await.error();
        assert!(fixed.2.contains("'mlflow.trace.spansLocation' is immutable"), "{}", fixed.2);
        let none = format!("{API_2}/{}/tags", id(2));
        assert_eq!(server.call(method, &none, tag("k")).await.error().0, 404);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_trace_leaves_nothing() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    for trace in 1..=4 {
        let start = u64::from(trace) * 10;
        send_spans(&server, json!([span(trace, "a", start, start + 1)])).await;
    }
    let delete = |body: Value| post(&server, "/api/2.0/mlflow/traces/delete-traces", body);
    let by_id = json!({ "experiment_id": "0", "request_ids": [id(2), id(9)] });
    assert_eq!(delete(by_id.clone()).await, json!({ "traces_deleted": 1 }));
    assert_eq!(delete(by_id).await, json!({ "traces_deleted": 0 }));
    let elsewhere = json!({ "experiment_id": "1", "request_ids": [id(1)] });
    assert_eq!(delete(elsewhere).await, json!({ "traces_deleted": 0 }));
    let oldest = json!({ "experiment_id": "0", "max_timestamp_millis": "35", "max_traces": 1 });
    assert_eq!(delete(oldest).await, json!({ "traces_deleted": 1 }));
    let all = json!({ "locations": [super::location("0")] });
    assert_eq!(super::found(&server, all).await, [id(4), id(3)]);
    let rest = json!({ "experiment_id": "0", "max_timestamp_millis": 1_000 });
    assert_eq!(delete(rest).await, json!({ "traces_deleted": 2 }));
    server.stop().await;
    let store = rusqlite::Connection::open(directory.path().join("spearmint.db")).unwrap();
    for table in ["mlflow_trace", "mlflow_span", "mlflow_trace_tag", "mlflow_trace_metadata"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let left: i64 = store.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn a_trace_that_is_linked_to_a_run_is_found_by_it() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    send_spans(&server, json!([span(1, "a", 5, 7), span(2, "a", 6, 7)])).await;
    let run = post(&server, "/api/2.0/mlflow/runs/create", json!({})).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap();
    let link = json!({ "trace_ids": [id(1), id(9)], "run_id": run });
    post(&server, &format!("{API_2}/link-to-run"), link).await;
    let prompt = json!({ "trace_id": id(2), "prompt_versions": [{ "name": "p", "version": "3" }] });
    post(&server, &format!("{API_2}/link-prompts"), prompt).await;
    for (filter, trace) in [(format!("run_id = '{run}'"), 1), ("prompt = 'p/3'".to_owned(), 2)] {
        let search = json!({ "locations": [super::location("0")], "filter": filter });
        assert_eq!(super::found(&server, search).await, [id(trace)]);
    }
    let no_run = json!({ "trace_ids": [id(1)], "run_id": "f".repeat(32) });
    assert_eq!(server.post(&format!("{API_2}/link-to-run"), &no_run).await.error().0, 404);
    server.stop().await;
}
