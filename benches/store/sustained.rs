//! Branches at a steady rate, from a layer through a recorder into the store: is any dropped, what
//! does the caller pay, and does memory grow? `taskset -c 0` puts all of it on one core.

use futures_util::FutureExt;
use serde_json::json;
use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};
use tower::{Layer, Service};
use tower_spearmint::{
    ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial, service_fn, store::SqliteStore,
};

/// Memory is first looked at when all that is allocated once has been.
const WARM: Duration = Duration::from_secs(5);
/// The width of a histogram's bucket, and how many there are.
const BUCKET_NS: usize = 10;
const BUCKETS: usize = 10_000;

pub(crate) fn run(file: &Path, rate: u64, length: Duration) {
    let store = SqliteStore::open(file).unwrap();
    let (recorder, recording) = Recorder::pair(store.clone());
    let writing = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(recording);
    });
    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable", "llm": { "model": "small-v1" } }),
        json!({ "config_id": "candidate", "llm": { "model": "small-v2" } }),
    ])
    .unwrap();
    let inner = service_fn(|_: Trial<()>| async { Ok::<_, String>(()) });
    let logged = LogLayer::new(recorder.clone()).layer(inner);
    let mut service = RoundRobinLayer::new(pool).experiment("bench").layer(logged);

    // How long the whole call took, with the service that answers at once.
    let mut took = vec![0_u64; BUCKETS + 1];
    let (mut sent, mut most_waiting, mut warm_kib) = (0, 0, None);
    let (started, cpu_before) = (Instant::now(), cpu_seconds());
    while started.elapsed() < length {
        let due = started.elapsed().as_secs_f64() * rate as f64;
        while (sent as f64) < due {
            let before = Instant::now();
            let ready = futures_util::future::poll_fn(|context| service.poll_ready(context));
            ready.now_or_never().unwrap().unwrap();
            service.call(()).now_or_never().unwrap().unwrap();
            let bucket = before.elapsed().as_nanos() as usize / BUCKET_NS;
            took[bucket.min(BUCKETS)] += 1;
            sent += 1;
        }
        most_waiting = most_waiting.max(recorder.stats().waiting());
        if warm_kib.is_none() && started.elapsed() >= WARM {
            warm_kib = Some(resident_kib());
        }
        thread::sleep(Duration::from_millis(1));
    }
    let sending = started.elapsed();
    let end_kib = resident_kib();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(recorder.drain(Duration::from_secs(60))).unwrap();
    let (all, cpu) = (started.elapsed(), cpu_seconds() - cpu_before);
    let stats = recorder.stats();
    drop((service, recorder));
    writing.join().unwrap();
    let kept = store.counts().unwrap().branches;
    drop(store);

    let quantile = |q: f64| {
        let wanted = (sent as f64 * q) as u64;
        let mut passed = 0;
        let found = took.iter().position(|calls| {
            passed += calls;
            passed > wanted
        });
        (found.unwrap_or(BUCKETS) + 1) * BUCKET_NS
    };
    let line = |name: &str, value: String| println!("sustained\t{name}\t{value}");
    line("branches sent", sent.to_string());
    line("branches/s", format!("{:.0}", sent as f64 / sending.as_secs_f64()));
    line("kept", kept.to_string());
    line("dropped", stats.dropped.to_string());
    line("lost", stats.lost.to_string());
    line("most that waited", most_waiting.to_string());
    line("written after the last, ms", format!("{:.0}", (all - sending).as_secs_f64() * 1e3));
    line("call p50, ns", quantile(0.5).to_string());
    line("call p99, ns", quantile(0.99).to_string());
    line("call p99.9, ns", quantile(0.999).to_string());
    line("resident after 5 s, KiB", warm_kib.unwrap_or(end_kib).to_string());
    line("resident at the end, KiB", end_kib.to_string());
    line("processor, of one core", format!("{:.2}", cpu / all.as_secs_f64()));
    let bytes = fs::metadata(file).unwrap().len() as f64 / kept as f64;
    line("bytes each", format!("{bytes:.1}"));
}

/// 0 where the system does not tell.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

/// What the process has used of the processor. The kernel counts in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<f64> = after_name.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    // The state is no number; user and system time are the 14th and 15th of proc(5).
    fields.get(10..12).map_or(0.0, |times| times.iter().sum::<f64>() / 100.0)
}
