//! What the tests share: a store with branches in it, and a look at both sides.

use crate::server::Server;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
    time::Duration,
};
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::{Failure, FailureKind},
    mlflow::MlflowBackend,
    record::{LoggerBackend, MemoryBackend},
    service_fn,
    store::{BranchRow, Filter, SqliteStore},
};

/// One server for the tests that leave it alone; each uses an experiment of its own.
pub(crate) fn shared() -> &'static Server {
    static SHARED: LazyLock<Server> = LazyLock::new(Server::start);
    &SHARED
}

/// A store in a directory of its own.
pub(crate) struct Stored {
    directory: tempfile::TempDir,
    pub(crate) store: SqliteStore,
}

/// So many branches of two configs; of each nine one has failed.
pub(crate) async fn branches(experiment: &str, count: usize) -> Vec<Branch> {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let logged = LogLayer::new(recorder.clone())
        .capture(|score: &f64| Some(json!({ "score": score })))
        .layer(service_fn(|trial: Trial<usize>| async move {
            let n = *trial.request();
            if n % 9 == 4 {
                return Err(Failure::new(FailureKind::Error, "the model is gone")
                    .with_trace(format!("request {n}\ncaused by: GPU 3 fell out")));
            }
            Ok(n as f64 / 8.0)
        }));
    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable", "llm": { "model": "large", "temperature": 0.5 } }),
        json!({ "config_id": "candidate", "llm": { "model": "small", "stop": ["a", "b"] } }),
    ]);
    let mut service = RoundRobinLayer::new(pool.unwrap()).experiment(experiment).layer(logged);
    for n in 0..count {
        let _ = service.call(n).await;
    }
    recorder.drain(Duration::from_secs(30)).await.unwrap();
    let mut branches = memory.branches();
    branches.sort_by_key(|branch| branch.id);
    assert_eq!(branches.len(), count);
    branches
}

impl Stored {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("spearmint.db")).unwrap();
        Self { directory, store }
    }

    /// With so many branches.
    pub(crate) async fn with(experiment: &str, count: usize) -> Self {
        let stored = Self::new();
        stored.add(&branches(experiment, count).await).await;
        stored
    }

    pub(crate) async fn add(&self, branches: &[Branch]) {
        self.store.log_batch(branches).await.unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("spearmint.db")
    }

    pub(crate) fn rows(&self) -> Vec<BranchRow> {
        self.store.branches(&Filter::new()).unwrap().map(Result::unwrap).collect()
    }

    /// `spearmint sync` of this store, not started yet.
    pub(crate) fn command(&self, to: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spearmint"));
        command.args(["sync", "--to", to, "--store"]).arg(self.path()).args(arguments);
        command.env("SPEARMINT_LOG", "warn");
        command
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, to: &str, arguments: &[&str]) -> Said {
        let mut command = self.command(to, arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        Said::of(&output.await.unwrap())
    }
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// A backend that is not patient with one request.
pub(crate) fn backend(to: &str) -> MlflowBackend {
    MlflowBackend::new(to).unwrap().request_timeout(Duration::from_secs(4))
}

/// Every run of an experiment, by MLflow's own client, in the order of the branches.
pub(crate) async fn runs(server: &'static Server, experiment: &str) -> Vec<Value> {
    let experiment = experiment.to_owned();
    tokio::task::spawn_blocking(move || runs_of(server, &experiment)).await.unwrap()
}

pub(crate) fn runs_of(server: &Server, experiment: &str) -> Vec<Value> {
    let script = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mlflow/read_back.py"));
    let text = server.python(script, &[experiment]);
    let mut runs: Vec<Value> = serde_json::from_str(&text).expect("JSON from Python");
    runs.retain(|run| run["tags"].get("spearmint.summary").is_none());
    runs.sort_by_key(|run| run["tags"]["spearmint.branch_id"].to_string());
    runs
}

/// Whether MLflow has each of these branches once, and nothing else.
#[track_caller]
pub(crate) fn assert_each_once(runs: &[Value], rows: &[BranchRow]) {
    let id = |run: &Value| run["tags"]["spearmint.branch_id"].as_str().unwrap().to_owned();
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    runs.iter().for_each(|run| *found.entry(id(run)).or_default() += 1);
    let expected = rows.iter().map(|row| (row.id.to_string(), 1)).collect();
    assert_eq!(found, expected, "each branch is a run, once");
}

/// Whether MLflow has each of these branches once, with its content, and nothing else.
#[track_caller]
pub(crate) fn assert_same(runs: &[Value], rows: &[BranchRow]) {
    assert_each_once(runs, rows);
    for (run, row) in runs.iter().zip(rows) {
        let failure = row.failure.as_ref();
        let status = if failure.is_some() { "FAILED" } else { "FINISHED" };
        assert_eq!(run["status"], status, "{run}");
        assert_eq!(run["start_ms"], row.start_ns / 1_000_000);
        assert_eq!(run["end_ms"], row.end_ns / 1_000_000);
        let params = match row.config_id.as_str() {
            "stable" => json!({
                "config_id": "stable", "llm.model": "large", "llm.temperature": "0.5",
            }),
            _ => json!({
                "config_id": "candidate", "llm.model": "small", "llm.stop.0": "a",
                "llm.stop.1": "b",
            }),
        };
        assert_eq!(run["params"], params);
        assert_eq!(run["metrics"]["duration_ms"], row.duration_ns as f64 / 1e6);
        let score = row.output.as_ref().map_or(&Value::Null, |output| &output["score"]);
        assert_eq!(run["metrics"].get("output.score").unwrap_or(&Value::Null), score);
        let tags = &run["tags"];
        assert_eq!(tags["spearmint.role"], row.role.as_str());
        assert_eq!(tags["spearmint.config_id"], row.config_id.as_str());
        assert_eq!(tags["spearmint.request_id"], row.request_id.to_string());
        assert_eq!(tags["spearmint.status"], row.status.as_str());
        if let Some(failure) = failure {
            let trace = &run["artifacts"]["failure.txt"];
            assert!(trace.as_str().is_some_and(|text| text.contains(&failure.trace)), "{run}");
            assert_eq!(tags["spearmint.failure_message"], failure.message);
        }
    }
}
