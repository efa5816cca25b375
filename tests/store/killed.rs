//! `kill -9` of a process that records, at moments that nobody chose.

use super::support::{Dir, Second, assert_whole, block_on, pool};
use serde_json::json;
use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    io::{Write as _, stdout},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    Branch, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::{Failure, Status},
    record::{BatchError, LoggerBackend, RunId},
    service_fn,
    store::{Filter, SqliteStore, StoreOptions},
};

/// How long a recorder lets branches gather.
const FLUSH_MS: u64 = 50;
/// How late a thread may run on a machine that is busy with other tests.
const LATE_MS: u64 = 100;
/// Fewer than a batch, so that none of them waits for another batch.
const MAX_WAITING: u64 = 1_000;

/// The store, and how long its slowest batch took so far, the one under way included.
#[derive(Clone)]
struct Timed {
    store: SqliteStore,
    started: Instant,
    slowest_ms: Arc<AtomicU64>,
    /// 0 between batches.
    began_ms: Arc<AtomicU64>,
}

impl Timed {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap()
    }

    fn slowest_ms(&self) -> u64 {
        let under_way = match self.began_ms.load(SeqCst) {
            0 => 0,
            began => self.now_ms().saturating_sub(began),
        };
        self.slowest_ms.load(SeqCst).max(under_way)
    }
}

impl LoggerBackend for Timed {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, tower_spearmint::BoxError> {
        self.store.start_run(branch).await
    }

    async fn log_status(
        &self,
        run: &RunId,
        branch: &Branch,
    ) -> Result<(), tower_spearmint::BoxError> {
        self.store.log_status(run, branch).await
    }

    async fn log_exception(
        &self,
        run: &RunId,
        failure: &Failure,
    ) -> Result<(), tower_spearmint::BoxError> {
        self.store.log_exception(run, failure).await
    }

    async fn log_params(
        &self,
        run: &RunId,
        params: &serde_json::Value,
    ) -> Result<(), tower_spearmint::BoxError> {
        self.store.log_params(run, params).await
    }

    async fn log_batch(&self, batch: &[Branch]) -> Result<(), BatchError> {
        self.began_ms.store(self.now_ms().max(1), SeqCst);
        let written = self.store.log_batch(batch).await;
        self.slowest_ms.store(self.slowest_ms(), SeqCst);
        self.began_ms.store(0, SeqCst);
        written
    }
}

/// The second process: requests without end through a recorder, each with its number as output or
/// as the text of its failure; every 2 ms it says the time, what was accepted, what was written,
/// and the slowest batch.
#[test]
fn second_process_that_records() {
    let Some(file) = Second::file() else { return };
    // The file, and how many rounds it has seen.
    let (file, round) = file.to_str().unwrap().rsplit_once('#').unwrap();
    let durable = file.ends_with("durable.db");
    let store = StoreOptions::new().durable(durable).open(file).unwrap();
    let timed = Timed {
        store,
        started: Instant::now(),
        slowest_ms: Arc::default(),
        began_ms: Arc::default(),
    };
    block_on(async {
        let (recorder, recording) = Recorder::pair(timed.clone());
        thread::spawn(|| block_on(recording));
        let saying = recorder.clone();
        thread::spawn(move || {
            loop {
                // Written and slowest first: what is said of them is never too new.
                let (stats, slowest, now) = (saying.stats(), timed.slowest_ms(), timed.now_ms());
                let line = format!("said {now} {} {} {slowest}\n", stats.accepted, stats.written);
                stdout().write_all(line.as_bytes()).unwrap();
                thread::sleep(Duration::from_millis(2));
            }
        });
        let log = LogLayer::new(recorder.clone()).capture(|n: &u64| Some(json!(n)));
        let answer = service_fn(|trial: Trial<u64>| async move {
            let n = *trial.request();
            if n % 10 == 3 { Err(n.to_string()) } else { Ok(n) }
        });
        let mut service = RoundRobinLayer::new(pool())
            .experiment(&format!("round {round}"))
            .layer(log.layer(answer));
        for n in 0.. {
            let _ = service.ready().await.unwrap().call(n).await;
            while recorder.stats().waiting() > MAX_WAITING {
                thread::sleep(Duration::from_millis(1));
            }
        }
    });
}

/// What the second process said at one time.
struct Said {
    now_ms: u64,
    accepted: u64,
    written: u64,
    slowest_ms: u64,
}

impl Said {
    fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.split(' ').map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self { now_ms: next()?, accepted: next()?, written: next()?, slowest_ms: next()? })
    }
}

/// One process, killed `after` its start.
fn round(file: &Path, number: u64, after: Duration) -> String {
    let tag = format!("{}#{number}", file.display());
    let started = Instant::now();
    let mut second = Second::start("killed::second_process_that_records", Path::new(&tag));
    thread::sleep(after.saturating_sub(started.elapsed()));
    second.kill();
    let mut said = Vec::new();
    while let Some(line) = second.next() {
        // The last line may have been cut off.
        said.extend(Said::parse(&line));
    }

    let store = SqliteStore::open(file).unwrap();
    assert_whole(&store);
    let mut kept = 0;
    // Killed before its first batch, a process has not named its experiment.
    let rows = store.branches(&Filter::new().experiment(format!("round {number}")));
    for branch in rows.into_iter().flatten() {
        let branch = branch.unwrap();
        // None is missing in between, each is whole, and none is there twice.
        if branch.status == Status::Failed {
            assert_eq!(branch.failure.unwrap().message, kept.to_string());
        } else {
            assert_eq!(branch.output, Some(json!(kept)));
        }
        kept += 1;
    }
    let Some(last) = said.last() else { return format!("{number}: killed before it recorded") };
    assert!(kept >= last.written, "{} were written, {kept} kept", last.written);
    // What was accepted when the batch before the one under way began to gather.
    let interval = FLUSH_MS + LATE_MS + 2 * last.slowest_ms;
    let due = said.iter().rev().find(|said| said.now_ms + interval <= last.now_ms);
    let due = due.map_or(0, |said| said.accepted);
    assert!(kept >= due, "{due} were due after {interval} ms, {kept} kept");
    format!(
        "{number}: killed after {after:?}: {} accepted, {} written, {kept} kept",
        last.accepted, last.written
    )
}

/// The durable ones are the same code but for the waiting: half as many do.
fn rounds(name: &str, part: u64) {
    let count: u64 =
        std::env::var("SPEARMINT_CRASH_ROUNDS").map_or(10, |text| text.parse().unwrap());
    let chance = RandomState::new();
    let mut dir = Dir::new();
    for number in 0..count / part {
        // Now and then a new file: so that some are killed while it is made, and none grows old.
        if number % 10 == 0 {
            dir = Dir::new();
        }
        let after = Duration::from_micros(chance.hash_one(number) % 400_000);
        println!("{}", round(&dir.file(name), number, after));
    }
}

#[test]
fn a_process_killed_at_any_moment_loses_at_most_what_it_accepted_in_the_last_flush_interval() {
    rounds("s.db", 1);
}

#[test]
fn a_durable_store_is_whole_after_a_kill_as_well() {
    rounds("durable.db", 2);
}
