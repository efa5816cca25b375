//! Searches among more branches than are looked at in one stretch.

use crate::support::Server;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::{BranchId, Failure, FailureKind, Status},
    record::{LoggerBackend, MemoryBackend, RunId},
    service_fn,
    store::SqliteStore,
};

const API: &str = "/api/2.0/mlflow";
const START_MS: u64 = 1_790_000_000_000;
/// Three hours, one branch a second.
const BRANCHES: u64 = 10_800;

/// In the first half an hour the config `old` alone; then `stable` and `candidate` in turn, but one in
/// 3,000 `rare`. One in 50 failed.
async fn filled(directory: &TempDir) -> Vec<Branch> {
    filled_with(directory, BRANCHES).await
}

async fn filled_with(directory: &TempDir, count: u64) -> Vec<Branch> {
    let made = one_of_each().await;
    let branches: Vec<_> = (0..count).map(|n| branch(&made, n)).collect();
    let store = SqliteStore::open(directory.path().join("spearmint.db")).unwrap();
    for batch in branches.chunks(2_000) {
        store.log_batch(batch).await.unwrap();
    }
    branches
}

fn branch(made: &[Branch], n: u64) -> Branch {
    let of = match n {
        ..1_800 => 0,
        n if n % 3_000 == 2_500 => 3,
        n => 1 + n as usize % 2,
    };
    let mut branch = made[of].clone();
    let ms = START_MS + n * 1_000;
    let mut id = [0; 16];
    id[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    id[6] = 0x70;
    id[8] = 0x80;
    id[12..].copy_from_slice(&(n as u32).to_be_bytes());
    branch.id = BranchId::from_bytes(id);
    branch.request_id = branch.id;
    branch.start_ns = ms * 1_000_000;
    branch.duration_ns = 1_000_000 * (1 + n % 400);
    branch.end_ns = branch.start_ns + branch.duration_ns;
    if n % 50 == 7 {
        branch.status = Status::Failed;
        branch.failure = Some(Failure::new(FailureKind::Connect, "refused"));
    }
    branch
}

async fn one_of_each() -> Vec<Branch> {
    let config = |id: &str| json!({ "config_id": id, "llm": { "model": id } });
    let pool = ["old", "stable", "candidate", "rare"].map(config);
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let answer = service_fn(|_: Trial<()>| async { Ok::<_, String>(()) });
    let mut service = RoundRobinLayer::new(ConfigPool::from_values(pool).unwrap())
        .experiment("e")
        .layer(LogLayer::new(recorder.clone()).layer(answer));
    for _ in 0..4 {
        service.ready().await.unwrap().call(()).await.unwrap();
    }
    recorder.drain(Duration::from_secs(60)).await.unwrap();
    let mut made = memory.take();
    made.sort_by_key(|branch| branch.id);
    made
}

async fn experiment(server: &Server) -> Value {
    let path = format!("{API}/experiments/get-by-name?experiment_name=e");
    server.get(&path).await.json()["experiment"]["experiment_id"].clone()
}

/// The ids of all pages.
async fn search(
    server: &Server,
    filter: &str,
    order: &str,
    size: usize,
    pages: usize,
) -> Vec<String> {
    let id = experiment(server).await;
    let (mut found, mut token) = (Vec::new(), Value::Null);
    for _ in 0..pages {
        let asked = json!({
            "experiment_ids": [id], "filter": filter, "max_results": size, "page_token": token,
            "order_by": if order.is_empty() { json!([]) } else { json!([order]) },
        });
        let answer = server.post(&format!("{API}/runs/search"), &asked).await;
        assert_eq!(answer.status, 200, "{filter}: {:?}", answer.body);
        let page = answer.json();
        let runs = page["runs"].as_array().into_iter().flatten();
        found.extend(runs.map(|run| run["info"]["run_id"].as_str().unwrap().to_owned()));
        token = page["next_page_token"].clone();
        if token.is_null() {
            break;
        }
    }
    found
}

fn run_id(branch: &Branch) -> String {
    branch.id.to_string().replace('-', "")
}

async fn log(server: &Server, call: &str, body: Value) {
    let answer = server.post(&format!("{API}/runs/{call}"), &body).await;
    assert_eq!(answer.status, 200, "{call}: {:?}", answer.body);
}

#[tokio::test]
async fn what_is_rare_or_long_ago_is_found_among_many() {
    let directory = TempDir::new().unwrap();
    let branches = filled(&directory).await;
    let server = Server::start(&directory).await;
    type Asked = fn(&Branch) -> bool;
    let cases: [(&str, Asked); 7] = [
        ("params.llm.model = 'old'", |b| b.config.id().as_str() == "old"),
        ("tags.spearmint.config_id LIKE 'rar%'", |b| b.config.id().as_str() == "rare"),
        ("params.llm.model = 'old' AND attributes.status = 'FAILED'", |b| {
            b.config.id().as_str() == "old" && b.status == Status::Failed
        }),
        ("tags.spearmint.failure_kind = 'connect'", |b| b.status == Status::Failed),
        ("attributes.status = 'KILLED'", |_| false),
        ("metrics.duration_ms >= 400", |b| b.duration_ns >= 400_000_000),
        ("params.llm.model = 'none'", |_| false),
    ];
    for (filter, asked) in cases {
        let mut expected: Vec<_> = branches.iter().filter(|b| asked(b)).map(run_id).collect();
        expected.truncate(60);
        let ascending = search(&server, filter, "attributes.start_time ASC", 20, 3).await;
        assert_eq!(ascending, expected, "{filter}, the oldest first");
        let newest = branches.iter().rev().filter(|b| asked(b)).map(run_id);
        let newest: Vec<_> = newest.take(60).collect();
        assert_eq!(search(&server, filter, "", 20, 3).await, newest, "{filter}, the newest first");
    }
}

/// More than are looked at before it is asked in which minutes some took that long. One took a minute.
#[tokio::test]
async fn what_took_long_is_found_among_many_that_did_not() {
    const LONG: u64 = 3_333;
    const CANCELLED: u64 = 5_555;
    let directory = TempDir::new().unwrap();
    let branches = filled_with(&directory, 100_000).await;
    let store = SqliteStore::open(directory.path().join("spearmint.db")).unwrap();
    for (n, status, ms) in [(LONG, Status::Success, 60_000), (CANCELLED, Status::Cancelled, 9_000)]
    {
        let mut branch = branches[n as usize].clone();
        (branch.status, branch.failure) = (status, None);
        branch.duration_ns = ms * 1_000_000;
        branch.end_ns = branch.start_ns + branch.duration_ns;
        store.log_status(&RunId(branch.id.to_string()), &branch).await.unwrap();
    }
    drop(store);
    let server = Server::start(&directory).await;
    let (long, cancelled) = (LONG as usize, CANCELLED as usize);
    let cases: [(&str, &[usize]); 8] = [
        ("metrics.duration_ms > 1000", &[cancelled, long]),
        ("metrics.duration_ms > 10000", &[long]),
        ("metrics.duration_ms = 60000", &[long]),
        ("metrics.duration_ms >= 60000 AND metrics.duration_ms <= 60000", &[long]),
        ("metrics.duration_ms > 60000", &[]),
        ("metrics.duration_ms > 10000 AND params.llm.model = 'stable'", &[]),
        ("metrics.duration_ms > 10000 AND params.llm.model = 'candidate'", &[long]),
        ("metrics.duration_ms < 1", &[]),
    ];
    for (filter, expected) in cases {
        let mut expected: Vec<_> = expected.iter().map(|n| run_id(&branches[*n])).collect();
        assert_eq!(search(&server, filter, "", 20, 3).await, expected, "{filter}, newest first");
        expected.reverse();
        let ascending = search(&server, filter, "attributes.start_time ASC", 20, 3).await;
        assert_eq!(ascending, expected, "{filter}, the oldest first");
    }
}

#[tokio::test]
async fn all_of_the_time_is_looked_at_for_another_order() {
    let directory = TempDir::new().unwrap();
    let branches = filled(&directory).await;
    let server = Server::start(&directory).await;
    let mut expected: Vec<_> =
        branches.iter().filter(|b| b.config.id().as_str() == "old").collect();
    expected.sort_by_key(|b| (std::cmp::Reverse(b.duration_ns), std::cmp::Reverse(b.start_ns)));
    let expected: Vec<_> = expected.into_iter().take(10).map(run_id).collect();
    let filter = "params.llm.model = 'old'";
    let found = search(&server, filter, "metrics.duration_ms DESC", 10, 1).await;
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_clients_laid_over_a_branch_is_searched_in_place_of_its_record() {
    let directory = TempDir::new().unwrap();
    let branches = filled(&directory).await;
    let server = Server::start(&directory).await;
    // Of the time of `old`, and none of the failed.
    let [by_status, by_metric, by_tag, by_param] = [10, 11, 12, 13].map(|n| run_id(&branches[n]));
    log(&server, "update", json!({ "run_id": by_status, "status": "RUNNING" })).await;
    let slow = json!({ "run_id": by_metric, "key": "duration_ms", "value": 5e3, "timestamp": 1 });
    log(&server, "log-metric", slow).await;
    let role = json!({ "run_id": by_tag, "key": "spearmint.role", "value": "mine" });
    log(&server, "set-tag", role).await;
    let param = json!({ "run_id": by_param, "key": "note", "value": "x" });
    log(&server, "log-parameter", param).await;
    for (filter, expected) in [
        ("attributes.status = 'RUNNING'", vec![&by_status]),
        ("metrics.duration_ms > 1000", vec![&by_metric]),
        ("tags.spearmint.role = 'mine'", vec![&by_tag]),
        ("params.note = 'x'", vec![&by_param]),
    ] {
        let found = search(&server, filter, "", 20, 1).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter}");
    }
    let old = |test: &str| format!("params.llm.model = 'old' AND {test}");
    for (test, gone) in [
        ("attributes.status = 'FINISHED'", &by_status),
        ("metrics.duration_ms < 1000", &by_metric),
        ("tags.spearmint.role = 'primary'", &by_tag),
        ("params.note IS NULL", &by_param),
    ] {
        let found = search(&server, &old(test), "attributes.start_time ASC", 20, 1).await;
        assert!(found.len() == 20 && !found.contains(gone), "{test}: {found:?}");
    }
    let all = search(&server, "params.llm.model = 'old'", "attributes.start_time ASC", 20, 1).await;
    let first: Vec<_> = branches[..20].iter().map(run_id).collect();
    assert_eq!(all, first, "changed or not, each is there once, in its place");
}

#[tokio::test]
async fn a_branch_that_was_deleted_is_among_the_deleted_only() {
    let directory = TempDir::new().unwrap();
    let branches = filled(&directory).await;
    let server = Server::start(&directory).await;
    let gone = run_id(&branches[20]);
    log(&server, "delete", json!({ "run_id": gone })).await;
    let id = experiment(&server).await;
    for (view, expected) in [("ACTIVE_ONLY", 0), ("DELETED_ONLY", 1), ("ALL", 1)] {
        let asked = json!({
            "experiment_ids": [id], "run_view_type": view,
            "filter": format!("attributes.run_id = '{gone}'"),
        });
        let answer = server.post(&format!("{API}/runs/search"), &asked).await.json();
        assert_eq!(answer["runs"].as_array().map_or(0, Vec::len), expected, "{view}");
    }
}
