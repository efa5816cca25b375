//! `spearmint store`.

use crate::support::{run, stderr, stdout};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::{path::Path, process::Output, time::SystemTime};
use tempfile::TempDir;
use tower::{Layer, Service};
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::BranchId,
    record::{LoggerBackend, MemoryBackend},
    service_fn,
    store::SqliteStore,
};

async fn branch(experiment: &str) -> Branch {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let pool = ConfigPool::from_values([json!({ "config_id": "stable" })]).unwrap();
    let answer = service_fn(|_: Trial<()>| async { Ok::<_, String>(()) });
    let layer = RoundRobinLayer::new(pool).experiment(experiment);
    layer.layer(LogLayer::new(recorder.clone()).layer(answer)).call(()).await.unwrap();
    recorder.drain(std::time::Duration::from_secs(5)).await.unwrap();
    memory.take().remove(0)
}

const DAY_MS: u64 = 86_400_000;

/// 2,000 branches of `ranker` of 40 days ago and 100 of now, and 500 of `other` of 40 days ago.
async fn store(directory: &Path) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let now = now.as_millis() as u64;
    let store = SqliteStore::open(directory.join("spearmint.db")).unwrap();
    let mut number = 0_u64;
    for (experiment, at_ms, count) in [
        ("ranker", now - 40 * DAY_MS, 2_000),
        ("ranker", now - 60_000, 100),
        ("other", now - 40 * DAY_MS, 500),
    ] {
        let mut branch = branch(experiment).await;
        let mut batch = Vec::new();
        for n in 0..count {
            let mut bytes = [0; 16];
            bytes[..6].copy_from_slice(&(at_ms + n).to_be_bytes()[2..]);
            bytes[6] = 0x70;
            bytes[8..].copy_from_slice(&(0x8000_0000_0000_0000 | number).to_be_bytes());
            number += 1;
            branch.id = BranchId::from_bytes(bytes);
            branch.request_id = branch.id;
            branch.start_ns = (at_ms + n) * 1_000_000;
            branch.output = Some(json!("x".repeat(300)));
            batch.push(branch.clone());
        }
        store.log_batch(&batch).await.unwrap();
    }
}

fn command(directory: &Path, arguments: &str) -> Output {
    let arguments: Vec<_> = std::iter::once("store").chain(arguments.split_whitespace()).collect();
    run(&arguments, directory)
}

fn parsed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    serde_json::from_str(&stdout(output)).unwrap()
}

fn branches(directory: &Path) -> u64 {
    let store = SqliteStore::open_read_only(directory.join("spearmint.db")).unwrap();
    store.counts().unwrap().branches
}

#[tokio::test]
async fn stat_says_what_there_is_by_experiment_and_table() {
    let dir = TempDir::new().unwrap();
    store(dir.path()).await;
    let stat = parsed(&command(dir.path(), "stat --json"));
    assert_eq!((&stat["branches"], &stat["removed"]), (&json!(2_600), &json!(0)));
    assert_eq!(stat["version"], stat["program_version"]);
    let ranker = &stat["experiments"][1];
    assert_eq!((&ranker["experiment"], &ranker["branches"]), (&json!("ranker"), &json!(2_100)));
    // About: 300 bytes of output and 100 around it each.
    let bytes = ranker["bytes"].as_u64().unwrap();
    assert!((700_000..1_000_000).contains(&bytes), "{bytes}");
    let tables = stat["tables"].as_array().unwrap();
    assert_eq!(tables[0]["table"], "output");
    assert_eq!(tables[0]["rows"], 2_600);
    let whole: u64 = tables.iter().map(|table| table["bytes"].as_u64().unwrap()).sum();
    assert!(whole <= stat["bytes"].as_u64().unwrap());

    let text = stdout(&command(dir.path(), "stat"));
    for part in ["2600 branches, 0 removed", "ranker", "round_robin", "output", "rollup"] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn prune_removes_what_is_older_of_the_experiment_that_is_named() {
    let dir = TempDir::new().unwrap();
    store(dir.path()).await;
    let dry = command(dir.path(), "prune --older-than 30d --experiment ranker --dry-run");
    assert_eq!(stderr(&dry).trim(), "2000 branches would be removed");
    assert_eq!(branches(dir.path()), 2_600);
    let pruned = parsed(&command(dir.path(), "prune --older-than 30d --experiment ranker --json"));
    assert_eq!(pruned, json!({ "branches": 2_000, "dry_run": false }));
    assert_eq!(branches(dir.path()), 600);
    // Counted, and all that is left is whole.
    let stat = parsed(&command(dir.path(), "stat --json"));
    assert_eq!(stat["removed"], 2_000);
    assert!(command(dir.path(), "check").status.success());
    let summary = run(&["branches", "--summary", "--json"], dir.path());
    let requests: u64 = parsed(&summary)
        .as_array()
        .unwrap()
        .iter()
        .map(|config| config["requests"].as_u64().unwrap())
        .sum();
    assert_eq!(requests, 2_600);

    let all = command(dir.path(), "prune --older-than 30d");
    assert_eq!(stderr(&all).trim(), "500 branches removed");
    let unknown = command(dir.path(), "prune --older-than 1d --experiment nobody");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("there is other, ranker"), "{}", stderr(&unknown));
    let wrong = command(dir.path(), "prune --older-than soon");
    assert_eq!(wrong.status.code(), Some(2));
}

#[tokio::test]
async fn compact_makes_a_pruned_file_smaller() {
    let dir = TempDir::new().unwrap();
    store(dir.path()).await;
    let _ = parsed(&command(dir.path(), "prune --older-than 30d --json"));
    let compacted = parsed(&command(dir.path(), "compact --json"));
    let bytes = |key: &str| compacted[key].as_u64().unwrap();
    assert!(bytes("bytes_after") * 2 < bytes("bytes_before"), "{compacted}");
    assert_eq!(parsed(&command(dir.path(), "stat --json"))["free_bytes"], 0);
    assert!(command(dir.path(), "check").status.success());
}

#[tokio::test]
async fn check_says_that_a_store_is_whole_and_what_is_wrong_with_one_that_is_not() {
    let dir = TempDir::new().unwrap();
    store(dir.path()).await;
    let whole = command(dir.path(), "check");
    assert_eq!(whole.status.code(), Some(0));
    assert!(stderr(&whole).contains("spearmint.db is whole: 2600 branches checked"));

    let connection = Connection::open(dir.path().join("spearmint.db")).unwrap();
    let wrong = |sql: &str, says: &str| {
        connection.execute_batch(sql).unwrap();
        let output = command(dir.path(), "check");
        assert_eq!(output.status.code(), Some(1), "{sql}: {}", stderr(&output));
        assert!(stdout(&output).contains(says), "{sql}: {}", stdout(&output));
        let report: Value =
            serde_json::from_str(&stdout(&command(dir.path(), "check --json"))).unwrap();
        assert!(!report["faults"].as_array().unwrap().is_empty());
    };
    wrong("UPDATE rollup SET success = success + 1 WHERE key = 1", "its roll-ups count 2001");
    connection.execute("UPDATE rollup SET success = success - 1 WHERE key = 1", []).unwrap();
    wrong("UPDATE held SET branches = branches + 7", "507 are said to be");
    connection.execute("UPDATE held SET branches = branches - 7", []).unwrap();
    wrong("INSERT INTO failure VALUES (x'00', '', '', '')", "1 rows of failure have a id");
    connection.execute("DELETE FROM failure", []).unwrap();
    assert_eq!(command(dir.path(), "check").status.code(), Some(0));
    wrong("UPDATE branch SET duration_ns = 7 WHERE id = (SELECT min(id) FROM branch)", "the sums");
}

#[test]
fn without_a_store_each_command_says_so() {
    let dir = TempDir::new().unwrap();
    for arguments in ["stat", "check", "compact", "prune --older-than 1d"] {
        let output = command(dir.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(stderr(&output).contains("spearmint.db: no such store"), "{arguments}");
        assert!(!dir.path().join("spearmint.db").exists());
    }
}
