//! What the tests of the store share.

use rusqlite::Connection;
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::BranchId,
    record::{BatchError, LoggerBackend, MemoryBackend},
    service_fn,
    store::SqliteStore,
};

/// A directory of its own for each test, gone at its end.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn write(store: &SqliteStore, batch: &[Branch]) -> Result<(), BatchError> {
    block_on(store.log_batch(batch))
}

/// The file is whole, and the roll-ups are what the branches come to.
#[track_caller]
pub(crate) fn assert_whole(store: &SqliteStore) {
    let report = store.check(|_| {}).unwrap();
    assert!(report.is_whole(), "{:#?}", report.faults);
    assert_eq!(report.branches, store.counts().unwrap().branches);
}

/// What version 7 added to this file, taken away again.
pub(crate) fn back_to_version_6(file: &Path) {
    let connection = Connection::open(file).unwrap();
    connection
        .execute_batch("ALTER TABLE plan DROP COLUMN kept_ns; DROP TABLE look_replica")
        .unwrap();
    let outcomes =
        "DELETE FROM outcome_total WHERE outcomes = 0; DELETE FROM outcome_sum WHERE units = 0;
        ALTER TABLE outcome_total DROP COLUMN outcomes_before;
        ALTER TABLE outcome_total DROP COLUMN total_before;
        ALTER TABLE outcome_sum DROP COLUMN units_before;
        ALTER TABLE outcome_sum DROP COLUMN total_before;
        ALTER TABLE outcome_sum DROP COLUMN squares_before;
        ALTER TABLE outcome_sum DROP COLUMN products;
        ALTER TABLE outcome_window DROP COLUMN before_ms;";
    connection.execute_batch(outcomes).unwrap();
    connection.execute_batch("ALTER TABLE unit_bucket DROP COLUMN latencies").unwrap();
    connection.pragma_update(None, "user_version", 6).unwrap();
}

/// What version 6 added, too.
pub(crate) fn back_to_version_5(file: &Path) {
    back_to_version_6(file);
    let connection = Connection::open(file).unwrap();
    let sql = "DROP VIEW branches; ALTER TABLE unit_bucket DROP COLUMN unfinished";
    connection.execute_batch(sql).unwrap();
    drop_like(&connection, "plan|look|loss|outcome|replica|metric_|branch_metric|unit_metric");
    connection.pragma_update(None, "user_version", 5).unwrap();
}

/// The tables and triggers whose names begin with one of these.
fn drop_like(connection: &Connection, beginnings: &str) {
    let found: Vec<(String, String)> = connection
        .prepare("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'trigger') ORDER BY type DESC")
        .and_then(|mut rows| rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .unwrap();
    for (kind, name) in found {
        if beginnings.split('|').any(|beginning| name.starts_with(beginning)) {
            connection.execute_batch(&format!("DROP {kind} {name}")).unwrap();
        }
    }
}

/// What version 5 added, too.
pub(crate) fn back_to_version_4(file: &Path) {
    back_to_version_5(file);
    let sql = "DROP VIEW IF EXISTS branches; ALTER TABLE branch DROP COLUMN trace; PRAGMA user_version = 4;";
    Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

/// What version 4 added, too.
pub(crate) fn back_to_version_3(file: &Path) {
    back_to_version_4(file);
    let connection = Connection::open(file).unwrap();
    drop_like(&connection, "mlflow|sync");
    let sql = "DROP VIEW comparisons; DROP VIEW differences;
        DROP TABLE rollup; DROP TABLE unit_bucket; DROP TABLE exposure; DROP TABLE held;
        ALTER TABLE comparison DROP COLUMN epoch; PRAGMA user_version = 3;";
    connection.execute_batch(sql).unwrap();
}

pub(crate) fn pool() -> ConfigPool {
    ConfigPool::from_values([
        json!({ "config_id": "stable", "llm": { "model": "small-v1", "temperature": 0.1 } }),
        json!({ "config_id": "stage", "llm": { "model": "small-v2", "temperature": 1.0 } }),
        json!({ "config_id": "candidate", "llm": { "model": "large", "stops": ["a", null] } }),
    ])
    .unwrap()
}

/// Branches as a strategy makes them, by turns of the three configs, each with its number as
/// output.
pub(crate) fn branches(experiment: &str, count: usize) -> Vec<Branch> {
    branches_of(pool(), experiment, count)
}

pub(crate) fn branches_of(pool: ConfigPool, experiment: &str, count: usize) -> Vec<Branch> {
    block_on(async {
        let memory = MemoryBackend::with_capacity(count.max(1));
        let (recorder, recording) = Recorder::with_capacity(memory.clone(), count.max(1));
        tokio::spawn(recording);
        let log = LogLayer::new(recorder.clone()).capture(|n: &usize| Some(json!(n)));
        let answer =
            service_fn(|trial: Trial<usize>| async move { Ok::<_, String>(*trial.request()) });
        let mut service =
            RoundRobinLayer::new(pool).experiment(experiment).layer(log.layer(answer));
        for n in 0..count {
            service.ready().await.unwrap().call(n).await.unwrap();
        }
        recorder.drain(Duration::from_secs(60)).await.unwrap();
        memory.take()
    })
}

/// The id with this number, `at_ms` after the epoch.
pub(crate) fn id(at_ms: u64, number: u32) -> BranchId {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&at_ms.to_be_bytes()[2..]);
    bytes[6] = 0x70;
    bytes[8] = 0x80;
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    BranchId::from_bytes(bytes)
}

/// Places a branch in time, alone in its request.
pub(crate) fn place(branch: &mut Branch, start_ns: u64, number: u32) {
    branch.id = id(start_ns / 1_000_000, number);
    branch.request_id = branch.id;
    branch.start_ns = start_ns;
    branch.end_ns = start_ns + branch.duration_ns;
}

pub(crate) fn as_json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// This test binary again, running only `test` with `STORE_CHILD` set: a second process.
pub(crate) struct Second {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

const CHILD: &str = "STORE_CHILD";

impl Second {
    pub(crate) fn start(test: &str, file: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(CHILD, file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The file it was started with, in the second process.
    pub(crate) fn file() -> Option<PathBuf> {
        std::env::var_os(CHILD).map(PathBuf::from)
    }

    /// What it says next after `said `; `None` when it has ended.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("said ").map(|(_, said)| said.to_owned()))
    }

    /// SIGKILL: it gets no chance to tidy up.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
