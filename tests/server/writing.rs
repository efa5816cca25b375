//! How calls are written: at once where they can be, else together.

use crate::support::{Answer, Server};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const API: &str = "/api/2.0/mlflow/runs";

async fn post(server: &Server, call: &str, body: Value) -> Answer {
    server.post(&format!("{API}/{call}"), &body).await
}

async fn run(server: &Server) -> Value {
    let created = post(server, "create", json!({ "experiment_id": "0" })).await;
    created.json()["run"]["info"]["run_id"].clone()
}

fn count(server: &Server, table: &str) -> i64 {
    let connection = Connection::open(&server.store).unwrap();
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_call_that_is_refused_half_way_leaves_nothing() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(&directory).await;
    let run = run(&server).await;
    let param = |key: &str, value: &str| json!({ "key": key, "value": value });
    let first = json!({ "run_id": run, "params": [param("b", "1")] });
    assert_eq!(post(&server, "log-batch", first).await.status, 200);
    let both = json!({ "run_id": run, "params": [param("a", "1"), param("b", "2")] });
    let (status, code, _) = post(&server, "log-batch", both).await.error();
    assert_eq!((status, &*code), (400, "INVALID_PARAMETER_VALUE"));
    assert_eq!(count(&server, "mlflow_param"), 1);
    let again = json!({ "run_id": run, "key": "a", "value": "3" });
    assert_eq!(post(&server, "log-parameter", again).await.status, 200);
}

#[tokio::test]
async fn a_call_waits_for_another_process_that_writes() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(&directory).await;
    let run = run(&server).await;
    let other = Connection::open(&server.store).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let tag = json!({ "run_id": run, "key": "k", "value": "v" });
    let mut call = std::pin::pin!(post(&server, "set-tag", tag));
    let early = tokio::time::timeout(Duration::from_millis(200), &mut call).await;
    assert!(early.is_err(), "{early:?}");
    // Meanwhile the server answers others.
    assert_eq!(server.get("/health").await.status, 200);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(call.await.status, 200);
}

#[tokio::test]
async fn calls_of_many_clients_at_once_are_all_written() {
    let directory = TempDir::new().unwrap();
    let server = std::sync::Arc::new(Server::start(&directory).await);
    let run = run(&server).await;
    let before = count(&server, "mlflow_tag");
    let calls = (0..400).map(|n| {
        let (server, run) = (server.clone(), run.clone());
        tokio::spawn(async move {
            let tag = json!({ "run_id": run, "key": format!("k{n}"), "value": "v" });
            // Every tenth is larger than what is written at once.
            let value = "v".repeat(if n % 10 == 0 { 7_000 } else { 10 });
            let metrics: Vec<_> = (0..if n % 10 == 0 { 200 } else { 1 })
                .map(|step| json!({ "key": "m", "value": n, "timestamp": n, "step": step }))
                .collect();
            let batch = json!({
                "run_id": run, "metrics": metrics,
                "tags": [{ "key": format!("t{n}"), "value": value }],
            });
            assert_eq!(post(&server, "set-tag", tag).await.status, 200);
            assert_eq!(post(&server, "log-batch", batch).await.status, 200);
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert_eq!(count(&server, "mlflow_tag") - before, 800);
    assert_eq!(count(&server, "mlflow_metric"), 360 + 40 * 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_begins_anew_while_calls_are_written() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(&directory).await;
    let run = run(&server).await;
    let looking = Connection::open(&server.store).unwrap();
    let pages = || {
        let row = |row: &rusqlite::Row<'_>| row.get::<_, i64>(1);
        looking.query_row("PRAGMA wal_checkpoint(NOOP)", [], row).unwrap()
    };
    // Each is written into three pages; before the log had 16,384, no call would copy it.
    let (began, mut before) = (Instant::now(), 0);
    for n in 0.. {
        let tag = json!({ "run_id": run, "key": format!("k{n}"), "value": "v".repeat(3_000) });
        assert_eq!(post(&server, "set-tag", tag).await.status, 200);
        let now = pages();
        if now < before {
            assert!((4_096..16_384).contains(&before), "{before} pages");
            return;
        }
        before = now;
        assert!(began.elapsed() < Duration::from_secs(60), "{now} pages");
    }
}
