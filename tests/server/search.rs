//! Runs that are looked for.

use crate::support::Server;
use serde_json::{Value, json};
use tempfile::TempDir;

const API: &str = "/api/2.0/mlflow";

async fn post(server: &Server, call: &str, body: Value) -> Value {
    let answer = server.post(&format!("{API}/{call}"), &body).await;
    assert_eq!(answer.status, 200, "{call}: {:?}", answer.body);
    answer.json()
}

/// Four runs, which start one after another, and a server.
async fn started() -> (TempDir, Server) {
    let directory = TempDir::new().unwrap();
    let server = Server::start(&directory).await;
    for (name, metrics, params, tags) in [
        ("a", json!([["m", 1.0]]), json!([["p", "x"]]), json!([["team", "Red"]])),
        ("b", json!([["m", 2.0], ["n", 5.0]]), json!([["p", "y"]]), json!([["team", "red"]])),
        ("c", json!([["m", "NaN"]]), json!([["a b", "x"]]), json!([["t/u", "1*"]])),
        ("d", json!([]), json!([]), json!([])),
    ] {
        let start = u32::from(name.as_bytes()[0]);
        let run = json!({"run_name": name, "user_id": name, "start_time": start});
        let run = post(&server, "runs/create", run).await;
        let id = &run["run"]["info"]["run_id"];
        let pairs = |list: &Value| -> Vec<Value> {
            let pair = |pair: &Value| json!({"key": pair[0], "value": pair[1], "timestamp": 1});
            list.as_array().unwrap().iter().map(pair).collect()
        };
        let batch = json!({
            "run_id": id, "metrics": pairs(&metrics), "params": pairs(&params),
            "tags": pairs(&tags),
        });
        post(&server, "runs/log-batch", batch).await;
        if name < "c" {
            let end = json!({"run_id": id, "status": "FINISHED", "end_time": 1_000 - start});
            post(&server, "runs/update", end).await;
            let dataset = json!({
                "dataset": {"name": name, "digest": "1", "source_type": "t", "source": "s"},
                "tags": [{"key": "mlflow.data.context", "value": "train"}],
            });
            post(&server, "runs/log-inputs", json!({"run_id": id, "datasets": [dataset]})).await;
        }
    }
    (directory, server)
}

/// The names of the runs that are found, in a row.
async fn found(server: &Server, mut search: Value) -> String {
    search["experiment_ids"] = json!(["0"]);
    names(&post(server, "runs/search", search).await)
}

fn names(answer: &Value) -> String {
    let runs = answer["runs"].as_array().cloned().unwrap_or_default();
    runs.iter().map(|run| run["info"]["run_name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_filter_finds_the_runs_of_which_it_holds() {
    let (_directory, server) = started().await;
    for (filter, names) in [
        ("", "dcba"),
        ("metrics.m > 1", "b"),
        ("metrics.m >= 1", "ba"),
        ("metrics.m = 0", ""),
        ("metrics.m != 1", "cb"),
        ("metrics.m < 9 AND metrics.n = 5", "b"),
        ("params.p = 'x'", "a"),
        ("params.p != 'x'", "b"),
        ("params.p IS NULL", "dc"),
        ("params.p IS NOT NULL", "ba"),
        ("params.`a b` = 'x'", "c"),
        ("tags.team LIKE 'R%'", "a"),
        ("tags.team ILIKE 'R%'", "ba"),
        ("tags.team LIKE '_ed'", "ba"),
        ("tags.`t/u` LIKE '%*'", "c"),
        ("status = 'FINISHED'", "ba"),
        ("attributes.status != 'FINISHED'", "dc"),
        ("run_name = 'a'", "a"),
        ("attributes.`run name` ILIKE 'B'", "b"),
        ("user_id = 'c'", "c"),
        ("start_time > 98", "dc"),
        ("created <= 97", "a"),
        ("end_time < 903", "b"),
        ("end_time != 5", "ba"),
        ("dataset.name = 'a'", "a"),
        ("dataset.name IN ('a', 'b')", "ba"),
        ("dataset.name NOT IN ('a')", "b"),
        ("dataset.context = 'train'", "ba"),
        ("dataset.digest LIKE '2%'", ""),
        ("artifact_uri LIKE 'mlflow-artifacts:/0/%/artifacts'", "dcba"),
        ("run_id = 'a'", ""),
        ("run_id != 'a'", "dcba"),
        ("run_id IN ('a', '0123456789abcdef0123456789abcdef')", ""),
        ("run_id NOT IN ('a')", "dcba"),
        ("run_id LIKE '0%'", "dcba"),
    ] {
        assert_eq!(found(&server, json!({"filter": filter})).await, names, "{filter}");
    }
}

#[tokio::test]
async fn a_run_is_found_by_its_id() {
    let (_directory, server) = started().await;
    let all = post(&server, "runs/search", json!({"experiment_ids": ["0"]})).await;
    let id = all["runs"][1]["info"]["run_id"].as_str().unwrap();
    for filter in [format!("run_id = '{id}'"), format!("attributes.run_id IN ('{id}', 'x')")] {
        let answer =
            post(&server, "runs/search", json!({"experiment_ids": ["0"], "filter": filter})).await;
        assert_eq!(answer["runs"], json!([all["runs"][1]]));
    }
    assert_eq!(found(&server, json!({"filter": format!("run_id != '{id}'")})).await, "dba");
}

#[tokio::test]
async fn an_order_puts_what_is_missing_last() {
    let (_directory, server) = started().await;
    for (order, names) in [
        (json!(["metrics.m"]), "abcd"),
        (json!(["metrics.m DESC"]), "bacd"),
        (json!(["params.p DESC"]), "badc"),
        (json!(["tags.team"]), "abdc"),
        (json!(["start_time"]), "abcd"),
        (json!(["attributes.end_time ASC"]), "badc"),
        (json!(["status", "start_time ASC"]), "abcd"),
        (json!(["status DESC", "metrics.m DESC"]), "cdba"),
        (json!(["run_id"]), "abcd"),
        (json!(["run_id DESC"]), "dcba"),
        (json!(["run_name DESC"]), "dcba"),
        (json!(["artifact_uri"]), "abcd"),
    ] {
        assert_eq!(found(&server, json!({"order_by": order})).await, names, "{order}");
    }
}

#[tokio::test]
async fn every_order_is_read_in_pages_that_neither_repeat_nor_miss() {
    let (_directory, server) = started().await;
    for order in [
        json!([]),
        json!(["metrics.m"]),
        json!(["metrics.m DESC"]),
        json!(["params.p", "metrics.n DESC"]),
        json!(["tags.team DESC"]),
        json!(["end_time"]),
        json!(["end_time DESC"]),
        json!(["status", "run_id DESC"]),
        json!(["artifact_uri DESC"]),
        json!(["run_id DESC"]),
    ] {
        let whole = found(&server, json!({"order_by": order})).await;
        let (mut pages, mut token) = (String::new(), String::new());
        loop {
            let search = json!({
                "experiment_ids": ["0"], "order_by": order, "max_results": 1, "page_token": token,
            });
            let page = post(&server, "runs/search", search).await;
            pages += &names(&page);
            match page["next_page_token"].as_str() {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(pages, whole, "{order}");
    }
}

#[tokio::test]
async fn a_run_that_comes_or_goes_meanwhile_shifts_no_page() {
    let (_directory, server) = started().await;
    let search =
        |token: &Value| json!({"experiment_ids": ["0"], "max_results": 2, "page_token": token});
    let first = post(&server, "runs/search", search(&json!(""))).await;
    assert_eq!(names(&first), "dc");
    post(&server, "runs/create", json!({"run_name": "e", "start_time": 500})).await;
    let gone = json!({"run_id": first["runs"][1]["info"]["run_id"]});
    post(&server, "runs/delete", gone).await;
    let second = post(&server, "runs/search", search(&first["next_page_token"])).await;
    assert_eq!(names(&second), "ba");
    assert_eq!(second.get("next_page_token"), None);
}

#[tokio::test]
async fn deleted_runs_are_found_where_they_are_asked_for() {
    let (_directory, server) = started().await;
    let all = post(&server, "runs/search", json!({"experiment_ids": ["0"]})).await;
    post(&server, "runs/delete", json!({"run_id": all["runs"][0]["info"]["run_id"]})).await;
    let view = |view: &str| json!({"run_view_type": view});
    assert_eq!(found(&server, json!({})).await, "cba");
    assert_eq!(found(&server, view("ACTIVE_ONLY")).await, "cba");
    assert_eq!(found(&server, view("DELETED_ONLY")).await, "d");
    assert_eq!(found(&server, view("ALL")).await, "dcba");
}

#[tokio::test]
async fn runs_of_several_experiments_stand_in_one_order() {
    let (_directory, server) = started().await;
    let other = post(&server, "experiments/create", json!({"name": "other"})).await;
    let other = &other["experiment_id"];
    let run = json!({"experiment_id": other, "run_name": "x", "start_time": 98});
    post(&server, "runs/create", run).await;
    let search = |ids: Value| json!({"experiment_ids": ids});
    let both = post(&server, "runs/search", search(json!([other, "0"]))).await;
    // Of two that start together, the lower id comes first.
    assert_eq!(names(&both), "dcbxa");
    assert_eq!(names(&post(&server, "runs/search", search(json!([other]))).await), "x");
    assert_eq!(names(&post(&server, "runs/search", search(json!([]))).await), "");
}

#[tokio::test]
async fn a_search_that_means_nothing_is_refused() {
    let (_directory, server) = started().await;
    for (search, message) in [
        (json!({"filter": "metrics.m > 'a'"}), "Expected numeric value type for metric. Found 'a'"),
        (json!({"filter": "params.p = 'x' OR params.p = 'y'"}), "Invalid clause(s) in filter"),
        (json!({"filter": "foo.m = 1"}), "Invalid entity type 'foo'"),
        (json!({"filter": "params.p > 'x'"}), "Invalid comparator '>' not one of"),
        (json!({"order_by": ["metrics.m, metrics.n"]}), "Invalid order_by clause"),
        (json!({"order_by": ["metrics.m", "metrics.m"]}), "`order_by` contains duplicate fields"),
        (json!({"max_results": 0}), "Invalid value 0 for parameter 'max_results' supplied"),
        (json!({"max_results": 50_001}), "Invalid value 50001 for parameter 'max_results'"),
        (json!({"page_token": "$"}), "Invalid page token"),
        (json!({"page_token": "WzFd"}), "Invalid page token"),
        (json!({"experiment_ids": ["x"]}), "Invalid experiment ID 'x'"),
    ] {
        let answer = server.post(&format!("{API}/runs/search"), &search).await;
        let (_, _, said) = answer.error();
        assert!(said.starts_with(message), "{search}: {said}");
    }
}

/// Thousands of runs, straight into the file, are read in pages of a hundred.
#[tokio::test]
async fn ten_thousand_runs_are_read_in_pages_each_once() {
    let (_directory, server) = started().await;
    let connection = rusqlite::Connection::open(&server.store).unwrap();
    connection
        .execute_batch(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
             INSERT INTO mlflow_run (id, experiment, name, user_id, status, start_ms)
             SELECT unhex(printf('%032x', n)), 0, 'r' || n, '', 'RUNNING', n / 3 FROM n;",
        )
        .unwrap();
    let (mut ids, mut token) = (Vec::new(), String::new());
    loop {
        let search = json!({"experiment_ids": ["0"], "max_results": 100, "page_token": token});
        let page = post(&server, "runs/search", search).await;
        ids.extend(page["runs"].as_array().unwrap().iter().map(|run| {
            let info = &run["info"];
            (-info["start_time"].as_i64().unwrap(), info["run_id"].as_str().unwrap().to_owned())
        }));
        match page["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(ids.len(), 10_004);
    assert!(ids.is_sorted_by(|a, b| a < b), "an entry stands twice, or out of order");
}
