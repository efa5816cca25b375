//! A store that holds many branches.

use crate::made::{BATCH, id};
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::{Failure, FailureKind, Role, Status},
    record::{LoggerBackend, MemoryBackend},
    service_fn,
    store::SqliteStore,
};

/// 100 branches a second.
const STEP_NS: u64 = 10_000_000;

/// Branches up to now: every second one a shadow's, 1 % failed, one in 100,000 with the config `rare`,
/// and the oldest tenth with the config `old` alone.
pub(crate) fn fill(file: &Path, rows: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let started = Instant::now();
    let store = SqliteStore::open(file).unwrap();
    let kept = runtime.block_on(async {
        let made = one_of_each().await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let first_ns = now - rows * STEP_NS;
        let mut batch = Vec::with_capacity(BATCH);
        for first in (0..rows).step_by(BATCH) {
            batch.clear();
            batch.extend(
                (first..rows.min(first + BATCH as u64)).map(|n| branch(&made, first_ns, n, rows)),
            );
            store.log_batch(&batch).await.unwrap();
        }
        store.counts().unwrap().branches
    });
    println!("filled\t{kept}\t{:.1}", started.elapsed().as_secs_f64());
}

/// How long opening takes: to read, and to write.
pub(crate) fn open(file: &Path) {
    for how in ["to read", "to write"] {
        let mut took: Vec<Duration> = Vec::new();
        for _ in 0..9 {
            let started = Instant::now();
            let store = match how {
                "to read" => SqliteStore::open_read_only(file).unwrap(),
                _ => SqliteStore::open(file).unwrap(),
            };
            took.push(started.elapsed());
            drop(store);
        }
        took.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!("opened\t{how}\t{:.2}\t{:.2}", ms(took[took.len() / 2]), ms(took[took.len() - 1]));
    }
}

fn branch(made: &[Branch; 4], first_ns: u64, n: u64, rows: u64) -> Branch {
    let [stable, candidate, rare, old] = made;
    let of = match n {
        n if n < rows / 10 => old,
        n if n % 100_000 == 77_777 => rare,
        n if n % 2 == 0 => stable,
        _ => candidate,
    };
    let mut branch = of.clone();
    let at = |n: u64| first_ns + n * STEP_NS;
    let request = n - n % 2;
    branch.start_ns = at(n);
    branch.id = id(at(n), n as u32);
    branch.request_id = id(at(request), request as u32);
    branch.role = if n == request { Role::Primary } else { Role::Shadow };
    branch.duration_ns = 1_000_000 + n * 104_729 % 20_000_000;
    if n % 100 == 7 {
        branch.status = Status::Failed;
        branch.failure = Some(Failure::new(FailureKind::Connect, "connection refused"));
    }
    branch.end_ns = branch.start_ns + branch.duration_ns;
    branch
}

async fn one_of_each() -> [Branch; 4] {
    let config = |id: &str| -> Value {
        json!({ "config_id": id, "llm": { "model": id, "temperature": 0.7 }, "k": 20 })
    };
    let pool = ConfigPool::from_values(["stable", "candidate", "rare", "old"].map(config)).unwrap();
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let inner = service_fn(|_: Trial<()>| async { Ok::<_, String>(()) });
    let logged = LogLayer::new(recorder.clone()).layer(inner);
    let mut service = RoundRobinLayer::new(pool).experiment("ranker").layer(logged);
    for _ in 0..4 {
        service.ready().await.unwrap().call(()).await.unwrap();
    }
    recorder.drain(Duration::from_secs(10)).await.unwrap();
    memory.take().try_into().unwrap()
}
