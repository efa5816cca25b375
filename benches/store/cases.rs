//! How fast the store takes branches and comparisons of each kind, and gives them back.

use crate::made::{BATCH, START_NS, STEP_NS, id, place, template};
use serde_json::json;
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};
use tower_spearmint::{
    Branch,
    branch::{Failure, FailureKind, Role, Status},
    compare::{Comparison, DifferenceKind, Differences},
    record::LoggerBackend,
    store::{Filter, SqliteStore},
};

type Change = fn(&mut Branch, u64);

pub(crate) fn run(rows: u64) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    println!("{rows} branches in batches of {BATCH}, in {}", directory.display());
    println!("{:34} {:>10} {:>10} {:>9}", "", "branches/s", "bytes each", "p99 batch");
    let cases: [(&str, Change); 6] = [
        ("one branch a request", |_, _| {}),
        ("a shadow for each, 5 % end late", shadows),
        ("1 % failed, with a 100-byte text", |branch, n| {
            if n % 100 == 7 {
                branch.status = Status::Failed;
                let text = "connection refused by the upstream; ".repeat(3);
                branch.failure = Some(Failure::new(FailureKind::Connect, &text[..100]));
            }
        }),
        ("sticky: 20,000 units", |branch, n| {
            branch.unit = Some((n % 20_000).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }),
        ("sticky: each unit only once", |branch, n| {
            branch.unit = Some(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }),
        ("an output of 200 bytes", |branch, n| {
            branch.output = Some(json!({ "n": n, "text": "x".repeat(180) }));
        }),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let template = runtime.block_on(template());
    for (name, change) in cases {
        let file = directory.join(format!("bench-{}.db", std::process::id()));
        runtime.block_on(case(name, &file, &template, rows, change));
        if name.starts_with("a shadow") {
            reading(&file, rows);
        }
        fs::remove_file(&file).unwrap();
    }
    println!("{:34} {:>10}", "", "pairs/s");
    for (name, different) in
        [("compared, all equal", false), ("compared, all differ at 3 paths", true)]
    {
        let file = directory.join(format!("bench-{}.db", std::process::id()));
        runtime.block_on(compared(name, &file, &template, rows, different));
        fs::remove_file(&file).unwrap();
    }
}

/// Comparisons alone, without the branches they are of.
async fn compared(name: &str, file: &Path, template: &[Branch], rows: u64, different: bool) {
    let store = SqliteStore::open(file).unwrap();
    let mut differences = Differences::default();
    if different {
        for path in ["/price", "/items/*/id", "/updated"] {
            let (primary, shadow) = (Some("2026-01-31T12:00:00Z"), Some("2026-01-31T12:00:01Z"));
            differences.push(path, DifferenceKind::Changed, primary, shadow);
        }
    }
    let (mut primary, mut shadow) = (template[0].clone(), template[1].clone());
    shadow.role = Role::Shadow;
    let mut took = Vec::new();
    for first in (0..rows).step_by(BATCH) {
        let pair = |n: u64| {
            place(&mut primary, 2 * n);
            place(&mut shadow, 2 * n + 1);
            shadow.request_id = primary.id;
            Comparison::new(&primary, &shadow, differences.clone())
        };
        let batch: Vec<_> = (first..first + BATCH as u64).map(pair).collect();
        let started = Instant::now();
        store.log_comparisons(&batch).await.unwrap();
        took.push(started.elapsed());
    }
    let kept = store.counts().unwrap().comparisons;
    drop(store);
    report(name, file, kept, took);
}

/// Every second branch is the shadow of the one before it; one in twenty comes a batch later.
fn shadows(branch: &mut Branch, n: u64) {
    if n % 20 == 3 && n >= BATCH as u64 {
        branch.start_ns -= BATCH as u64 * STEP_NS;
        branch.id = id(branch.start_ns, n as u32);
    }
    if n % 2 == 1 {
        branch.role = Role::Shadow;
        branch.request_id = id(START_NS + (n - 1) * STEP_NS, n as u32 - 1);
    }
}

async fn case(name: &str, file: &Path, template: &[Branch], rows: u64, change: Change) {
    let store = SqliteStore::open(file).unwrap();
    let mut batch: Vec<Branch> = template.iter().cycle().take(BATCH).cloned().collect();
    let mut took = Vec::new();
    for first in (0..rows).step_by(BATCH) {
        for (n, branch) in (first..).zip(&mut batch) {
            *branch = template[n as usize % template.len()].clone();
            place(branch, n);
            change(branch, n);
        }
        let started = Instant::now();
        store.log_batch(&batch).await.unwrap();
        took.push(started.elapsed());
    }
    let kept = store.counts().unwrap().branches;
    drop(store);
    report(name, file, kept, took);
}

fn report(name: &str, file: &Path, kept: u64, mut took: Vec<Duration>) {
    let total: Duration = took.iter().sum();
    took.sort_unstable();
    println!(
        "{name:34} {:>10.0} {:>10.1} {:>6.1} ms",
        kept as f64 / total.as_secs_f64(),
        fs::metadata(file).unwrap().len() as f64 / kept as f64,
        took[took.len() * 99 / 100].as_secs_f64() * 1e3,
    );
}

fn reading(file: &Path, rows: u64) {
    let time = |what: &str, work: &dyn Fn() -> u64| {
        let started = Instant::now();
        let found = work();
        let ms = started.elapsed().as_secs_f64() * 1e3;
        println!("    {what:40} {found:>9} rows {ms:>9.2} ms");
    };
    time("opening it", &|| SqliteStore::open(file).map_or(0, |_| 1));
    let store = SqliteStore::open_read_only(file).unwrap();
    let count =
        |filter: &Filter| store.branches(filter).unwrap().map(Result::unwrap).count() as u64;
    time("the newest 20", &|| count(&Filter::new().newest_first().limit(20)));
    let middle = START_NS + rows / 2 * STEP_NS;
    time("the first 1,000 since the middle", &|| {
        count(&Filter::new().since_ns(middle).limit(1_000))
    });
    let request = id(START_NS + rows / 2 * STEP_NS, (rows / 2) as u32);
    time("one request", &|| count(&Filter::new().request_id(request)));
    time("all of them", &|| count(&Filter::new()));
    time("the summary", &|| {
        store.summary(&Filter::new()).unwrap().iter().map(|c| c.requests).sum()
    });
}
