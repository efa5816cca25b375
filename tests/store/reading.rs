//! Filters, paging, summaries.

use super::support::{Dir, branches, id, place, write};
use std::{
    collections::BTreeMap,
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use tower_spearmint::{
    Branch,
    branch::{BranchId, Failure, FailureKind, Role, Status},
    store::{Filter, SqliteStore, StoreError},
};

const START_NS: u64 = 1_790_000_000_000_000_000;

/// 1,200 branches of two experiments and three configs, one each 0.7 ms; every fourth is
/// another one's shadow.
fn stored(dir: &Dir) -> (SqliteStore, Vec<Branch>) {
    let mut all = branches("alpha", 600);
    all.extend(branches("beta", 600));
    for (n, branch) in all.iter_mut().enumerate() {
        place(branch, START_NS + n as u64 * 700_000, n as u32);
        branch.status = Status::ALL[n * 7 % 4];
        branch.duration_ns = (n as u64 * 7919) % 1_000_003;
        branch.end_ns = branch.start_ns + branch.duration_ns;
        if branch.status == Status::Failed {
            let kind = FailureKind::ALL[n % 3];
            branch.failure = Some(Failure::new(kind, format!("failure {n}")));
        }
    }
    for n in (3..all.len()).step_by(4) {
        all[n].request_id = all[n - 3].id;
        all[n].role = Role::Shadow;
    }
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    // Not in the order of time.
    for batch in all.chunks(100).rev() {
        write(&store, batch).unwrap();
    }
    (store, all)
}

fn ids(store: &SqliteStore, filter: &Filter) -> Vec<BranchId> {
    store.branches(filter).unwrap().map(|branch| branch.unwrap().id).collect()
}

#[test]
fn a_filter_finds_what_a_plain_search_finds() {
    let dir = Dir::new();
    let (store, all) = stored(&dir);
    let mut filters = vec![Filter::new()];
    let mut widen = |changes: &[&dyn Fn(Filter) -> Filter]| {
        let before = filters.clone();
        for change in changes {
            filters.extend(before.iter().cloned().map(change));
        }
    };
    widen(&[&|f| f.experiment("alpha"), &|f| f.experiment("beta")]);
    widen(&[&|f| f.config("candidate"), &|f| f.config("stag")]);
    widen(&[&|f| f.status(Status::Failed), &|f| f.status(Status::Success)]);
    widen(&[&|f| f.role(Role::Shadow), &|f| f.role(Role::Primary), &|f| f.role(Role::Fallback)]);
    let request = all[404].id;
    widen(&[&|f| f.request_id(request), &|f| f.request_id(id(1, 1))]);
    let (since, until) = (all[300].start_ns, all[900].start_ns);
    widen(&[&|f| f.since_ns(since), &|f| f.until_ns(until), &|f| {
        f.since_ns(since).until_ns(until)
    }]);
    widen(&[&|f| f.newest_first(), &|f| f.limit(5), &|f| f.newest_first().limit(257)]);
    assert!(filters.len() > 1_000);
    for filter in filters {
        let mut expected: Vec<_> = all
            .iter()
            .filter(|b| filter.experiment.as_deref().is_none_or(|name| *b.experiment == *name))
            .filter(|b| {
                filter.config.as_deref().is_none_or(|id| b.config_id.as_str().starts_with(id))
            })
            .filter(|b| filter.status.is_none_or(|status| b.status == status))
            .filter(|b| filter.role.is_none_or(|role| b.role == role))
            .filter(|b| filter.request_id.is_none_or(|id| b.request_id == id))
            .filter(|b| filter.since_ns.is_none_or(|since| b.start_ns >= since))
            .filter(|b| filter.until_ns.is_none_or(|until| b.start_ns < until))
            .map(|b| b.id)
            .collect();
        if filter.newest_first {
            expected.reverse();
        }
        expected.truncate(filter.limit.unwrap_or(u64::MAX) as usize);
        assert_eq!(ids(&store, &filter), expected, "{filter:?}");
    }
}

#[test]
fn a_start_that_the_clock_moved_against_its_id_is_found_by_the_start() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let mut batch = branches("moved", 2);
    place(&mut batch[0], START_NS, 0);
    place(&mut batch[1], START_NS, 1);
    batch[0].start_ns += 900_000_000;
    batch[1].start_ns -= 900_000_000;
    write(&store, &batch).unwrap();
    assert_eq!(ids(&store, &Filter::new().since_ns(START_NS + 1)), [batch[0].id]);
    assert_eq!(ids(&store, &Filter::new().until_ns(START_NS)), [batch[1].id]);
}

#[test]
fn an_unknown_experiment_or_config_is_an_error_that_names_the_known_ones() {
    let dir = Dir::new();
    let (store, _) = stored(&dir);
    let error = |filter: Filter| {
        let error = store.branches(&filter).unwrap_err();
        assert_eq!(store.summary(&filter).unwrap_err().to_string(), error.to_string());
        error.to_string()
    };
    assert_eq!(
        error(Filter::new().experiment("gamma")),
        "no experiment is named `gamma`; there is alpha, beta"
    );
    assert_eq!(
        error(Filter::new().config("z")),
        "no config's id is or begins with `z`; there is candidate, stable, stage"
    );
    assert_eq!(
        error(Filter::new().config("sta")),
        "several configs begin with `sta`: stable, stage; write more of it"
    );
    let empty = SqliteStore::open(dir.file("empty.db")).unwrap();
    let error = empty.branches(&Filter::new().config("%")).unwrap_err();
    assert_eq!(error.to_string(), "no config's id is or begins with `%`; there is none yet");
    assert!(error.source().is_none());
}

#[test]
fn a_summary_agrees_with_a_naive_one() {
    let dir = Dir::new();
    let (store, all) = stored(&dir);
    for filter in [Filter::new(), Filter::new().experiment("beta").status(Status::Failed)] {
        let mut groups: BTreeMap<_, Vec<&Branch>> = BTreeMap::new();
        for b in &all {
            if filter.status.is_none_or(|status| status == b.status)
                && filter.experiment.as_deref().is_none_or(|name| name == &*b.experiment)
            {
                let key = (b.experiment.to_string(), b.config_id.to_string(), b.role);
                groups.entry(key).or_default().push(b);
            }
        }
        let summary = store.summary(&filter).unwrap();
        assert_eq!(summary.len(), groups.len());
        for (summary, (key, branches)) in summary.iter().zip(groups) {
            let found =
                (summary.experiment.to_string(), summary.config_id.to_string(), summary.role);
            assert_eq!(found, key);
            assert_eq!(&*summary.strategy, "round_robin");
            let count = |status| branches.iter().filter(|b| b.status == status).count() as u64;
            assert_eq!(summary.requests, branches.len() as u64);
            assert_eq!(summary.success, count(Status::Success));
            assert_eq!(summary.failed, count(Status::Failed));
            assert_eq!(summary.skipped, count(Status::Skipped));
            assert_eq!(summary.cancelled, count(Status::Cancelled));
            let mut failures = BTreeMap::new();
            for failure in branches.iter().filter_map(|b| b.failure.as_ref()) {
                *failures.entry(failure.kind).or_insert(0) += 1;
            }
            assert_eq!(summary.failures, failures);
            let durations: Vec<u64> = branches
                .iter()
                .filter(|b| matches!(b.status, Status::Success | Status::Failed))
                .map(|b| b.duration_ns)
                .collect();
            let percentile = |percent: usize| {
                let enough = |limit: u64| {
                    durations.iter().filter(|d| **d <= limit).count() * 100
                        >= percent * durations.len()
                };
                durations.iter().copied().filter(|d| enough(*d)).min()
            };
            for (found, percent) in
                [(summary.p50_ns, 50), (summary.p95_ns, 95), (summary.p99_ns, 99)]
            {
                let Some(exact) = percentile(percent) else { panic!("no branch ended") };
                let error = found.unwrap().abs_diff(exact) as f64 / exact as f64;
                // What the roll-ups do not tell apart is read from the branches.
                let allowed = if filter.status.is_some() { 0.0 } else { 0.0101 };
                assert!(error <= allowed, "{found:?} {exact}");
            }
        }
    }
}

#[test]
fn a_reader_beside_a_writer_sees_whole_batches_and_neither_waits() {
    const BATCH: usize = 50;
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let all = branches("busy", BATCH * 100);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for batch in all.chunks(BATCH) {
                write(&store, batch).unwrap();
            }
            done.store(true, Ordering::SeqCst);
        });
        let reader = SqliteStore::open_read_only(dir.file("s.db")).unwrap();
        let mut seen = 0;
        let mut rounds = 0;
        loop {
            let last = done.load(Ordering::SeqCst);
            let count = reader.counts().unwrap().branches as usize;
            assert_eq!(count % BATCH, 0);
            assert!(count >= seen);
            let ids = ids(&reader, &Filter::new());
            assert!(ids.len() >= count && ids.is_sorted());
            seen = count;
            rounds += 1;
            if last {
                break;
            }
        }
        assert_eq!(seen, all.len());
        assert!(rounds > 1);
    });
}

#[test]
fn a_store_opened_for_reading_does_not_record() {
    let dir = Dir::new();
    let (store, all) = stored(&dir);
    let reader = SqliteStore::open_read_only(store.path()).unwrap();
    let error = write(&reader, &all[..7]).unwrap_err();
    assert_eq!(error.lost, 7);
    assert!(matches!(error.source.downcast_ref(), Some(StoreError::ReadOnly { .. })));
    // Nor does it need the writer to be there.
    drop(store);
    assert_eq!(reader.branches(&Filter::new()).unwrap().count(), all.len());
}
