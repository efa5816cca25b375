//! Traces that are looked for.

use super::{API, API_2, experiment, found, id, ids, location, post, record, send_spans, span};
use crate::support::Server;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

/// Four traces in the default experiment, the first the oldest.
async fn started() -> (TempDir, Server) {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let mut failed = span(2, "a", 2_000, 2_500);
    failed["status"] = json!({ "code": 2, "message": "it broke" });
    let mut named = span(3, "b", 3_001, 3_002);
    named["name"] = "žluť".into();
    named["attributes"] = json!([
        { "key": "model", "value": { "stringValue": "small" } },
        { "key": "size", "value": { "intValue": "7" } },
        { "key": "yes", "value": { "boolValue": true } },
    ]);
    send_spans(&server, json!([span(1, "a", 1_000, 1_100)])).await;
    send_spans(&server, json!([failed])).await;
    send_spans(&server, json!([span(3, "a", 3_000, 3_020), named])).await;
    send_spans(&server, json!([span(4, "b", 4_000, 4_001)])).await;
    for (trace, value) in [(1, "red"), (3, "Red")] {
        let tag = json!({ "key": "team", "value": value }).to_string();
        let path = format!("{API_2}/{}/tags", id(trace));
        assert_eq!(server.call("PATCH", &path, tag).await.status, 200);
    }
    (directory, server)
}

/// The numbers of the traces that are found, in a row.
async fn numbers(server: &Server, mut search: Value) -> String {
    search["locations"] = json!([location("0")]);
    let found = found(server, search).await;
    found.iter().map(|id| id[4..5].to_owned()).collect()
}

#[tokio::test]
async fn a_filter_finds_the_traces_of_which_it_holds() {
    let (_directory, server) = started().await;
    for (filter, expected) in [
        ("", "4321"),
        ("status = 'OK'", "31"),
        ("status = 'ERROR' AND timestamp_ms < 5000", "2"),
        ("trace.status IN ('ERROR', 'IN_PROGRESS')", "42"),
        ("attributes.status NOT IN ('OK')", "42"),
        ("timestamp > 2000", "43"),
        ("execution_time_ms >= 100", "21"),
        ("end_time = 3020", "3"),
        ("tags.team = 'red'", "1"),
        ("tags.team ILIKE 'r%'", "31"),
        ("tags.team LIKE 'R%'", "3"),
        ("tags.team != 'red'", "3"),
        ("tags.team IS NULL", "42"),
        ("tags.`service.name` IS NOT NULL", "4321"),
        ("metadata.nothing IS NULL", "4321"),
        ("metadata.nothing = 'x'", ""),
        ("name = 'x'", ""),
        ("client_request_id = 'x'", ""),
        ("span.name = 'žluť'", "3"),
        ("span.name = 'a' AND span.status = 'ERROR'", "2"),
        ("span.name = 'žluť' AND span.type = 'TOOL'", ""),
        ("span.type IN ('UNKNOWN')", "3"),
        ("span.attributes.model = 'small'", "3"),
        ("span.attributes.model LIKE '%al%' AND span.attributes.size = '7'", "3"),
        ("span.attributes.yes = 'true'", "3"),
        ("span.attributes.`mlflow.spanType` = 'TOOL'", "4321"),
        ("trace.text ILIKE '%IT BROKE%'", "2"),
        ("span.content LIKE '%žluť%'", "3"),
        ("prompt = 'a/1'", ""),
        ("issue.id = 'x'", ""),
        ("feedback.f IS NULL", "4321"),
        ("run_id = 'x'", ""),
    ] {
        assert_eq!(numbers(&server, json!({ "filter": filter })).await, expected, "{filter}");
    }
    let by_id = format!("request_id = '{}'", id(2));
    assert_eq!(numbers(&server, json!({ "filter": by_id })).await, "2");
    server.stop().await;
}

#[tokio::test]
async fn an_order_puts_what_is_missing_last() {
    let (_directory, server) = started().await;
    for (order, expected) in [
        (json!(["timestamp_ms"]), "1234"),
        (json!(["timestamp DESC"]), "4321"),
        (json!(["execution_time_ms"]), "4312"),
        (json!(["end_time_ms DESC"]), "4321"),
        (json!(["status", "timestamp ASC"]), "2413"),
        (json!(["request_id"]), "1234"),
        (json!(["experiment_id", "request_id DESC"]), "4321"),
        (json!(["tags.team"]), "3142"),
        (json!(["tags.team DESC", "timestamp ASC"]), "1324"),
        (json!(["metadata.nothing"]), "4321"),
        (json!(["name", "client_request_id", "timestamp ASC"]), "1234"),
    ] {
        assert_eq!(numbers(&server, json!({ "order_by": order })).await, expected, "{order}");
    }
    server.stop().await;
}

#[tokio::test]
async fn requests_and_traces_of_clients_are_read_in_one_order_page_by_page() {
    let directory = tempdir().unwrap();
    let mut expected = record(&directory, 5).await;
    let server = Server::start(&directory).await;
    let ranker = experiment(&server, "ranker").await;
    for trace in 1..=4 {
        let spans = json!([span(trace, "a", u64::from(trace) * 1_000, 10_000)]);
        let answer =
            super::send(&server, &ranker, "application/json", super::request(&spans)).await;
        assert_eq!(answer.status, 200);
        expected.insert(usize::from(trace) - 1, id(trace));
    }
    for (order, ascending) in [
        (json!(["timestamp_ms"]), true),
        (json!([]), false),
        (json!(["experiment_id DESC", "timestamp_ms ASC"]), true),
        (json!(["tags.nothing", "end_time_ms DESC"]), false),
    ] {
        let (mut read, mut token, mut pages) = (Vec::new(), Value::Null, 0);
        loop {
            let search = json!({
                "locations": [location(&ranker), location("0")], "order_by": order,
                "max_results": 2, "page_token": token,
            });
            let page = post(&server, &format!("{API}/search"), search).await;
            read.extend(ids(&page));
            (token, pages) = (page["next_page_token"].clone(), pages + 1);
            if token.is_null() {
                break;
            }
        }
        let mut expected = expected.clone();
        if !ascending {
            expected.reverse();
        }
        if order.to_string().contains("end_time") {
            // (All that clients sent ended at once.)
            read.sort();
            expected.sort();
        }
        assert_eq!((read, pages), (expected, 5), "{order}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_search_is_refused() {
    let (_directory, server) = started().await;
    let path = format!("{API}/search");
    for (search, message) in [
        (json!({}), "'locations'"),
        (json!({ "max_results": 0 }), "must be a positive integer"),
        (json!({ "max_results": 501 }), "must be at most 500"),
        (json!({ "filter": "nothing = 'x'" }), "Invalid attribute key 'nothing'"),
        (json!({ "filter": "tags.a RLIKE 'x'" }), "Invalid comparator 'RLIKE'"),
        (json!({ "order_by": ["span.name"] }), "ordered by attributes, tags and metadata"),
        (json!({ "page_token": "nonsense" }), "Invalid page token"),
    ] {
        let mut search = search;
        if search != json!({}) {
            search["locations"] = json!([location("0")]);
        }
        let (status, _, said) = server.post(&path, &search).await.error();
        assert_eq!(status, 400);
        assert!(said.contains(message), "{said}");
    }
    server.stop().await;
}
