//! Branches that are too old or too many go, and outcomes that are too old, and what they come to stays.

use super::support::{Dir, assert_whole, block_on, branches, place, write};
use rusqlite::Connection;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_spearmint::{
    Branch,
    branch::{Failure, FailureKind, Role, Status},
    compare::{Comparison, DifferenceKind, Differences},
    record::LoggerBackend,
    store::{
        Filter, Outcome, OutcomeRules, OutcomeUnit, Retention, Rollup, RollupFilter, SqliteStore,
        StoreOptions,
    },
};

const SECOND_NS: u64 = 1_000_000_000;
const HOUR_NS: u64 = 3_600 * SECOND_NS;

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

/// `count` branches, a tenth of a second apart from each other, every third a failed shadow.
fn since(experiment: &str, start_ns: u64, count: usize) -> Vec<Branch> {
    let mut all = branches(experiment, count);
    for n in 0..all.len() {
        place(&mut all[n], start_ns + n as u64 * SECOND_NS / 10, n as u32);
        if n % 3 == 1 {
            all[n].request_id = all[n - 1].id;
            all[n].role = Role::Shadow;
            all[n].status = Status::Failed;
            all[n].output = None;
            all[n].failure = Some(Failure::new(FailureKind::Connect, "refused"));
        }
    }
    all
}

fn rollups(store: &SqliteStore) -> Vec<Rollup> {
    store.rollups(&RollupFilter::new()).unwrap().map(Result::unwrap).collect()
}

/// Writes until nothing more is removed: a slice follows each batch.
fn settle(store: &SqliteStore, last: &[Branch]) {
    let mut before = u64::MAX;
    while store.counts().unwrap().branches < before {
        before = store.counts().unwrap().branches;
        write(store, last).unwrap();
    }
}

fn count(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_is_older_than_its_age_goes_with_all_that_belongs_to_it_and_roll_ups_stay() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let old = since("ranker", now_ns() - 3 * HOUR_NS, 3_000);
    let new = since("ranker", now_ns() - 300 * SECOND_NS, 300);
    let store = SqliteStore::open(&file).unwrap();
    write(&store, &old).unwrap();
    let mut differences = Differences::default();
    differences.push("/price", DifferenceKind::Changed, Some("1"), Some("2"));
    let compared = Comparison::new(&old[0], &old[1], differences);
    block_on(store.log_comparisons(&[compared])).unwrap();
    drop(store);

    let before = rollups(&SqliteStore::open_read_only(&file).unwrap());
    let hour = Retention::new().age(Duration::from_secs(3_600));
    let store = StoreOptions::new().keep(hour).open(&file).unwrap();
    settle(&store, &new);
    let kept: Vec<_> = store.branches(&Filter::new()).unwrap().map(|b| b.unwrap().id).collect();
    assert_eq!(kept, new.iter().map(|b| b.id).collect::<Vec<_>>());
    let connection = Connection::open(&file).unwrap();
    assert_eq!(count(&connection, "SELECT count(*) FROM failure"), 100);
    assert_eq!(count(&connection, "SELECT count(*) FROM output"), 200);
    assert_eq!(count(&connection, "SELECT count(*) FROM comparison"), 0);
    assert_eq!(count(&connection, "SELECT sum(removed) FROM held"), 3_000);
    assert_whole(&store);
    let after = rollups(&store);
    assert!(before.iter().all(|rollup| after.contains(rollup)));
    let summary = store.summary(&Filter::new()).unwrap();
    assert_eq!(summary.iter().map(|config| config.requests).sum::<u64>(), 3_300);
}

#[test]
fn the_oldest_go_while_an_experiment_takes_more_than_its_size() {
    let dir = Dir::new();
    let all = since("ranker", now_ns() - 2 * HOUR_NS, 4_000);
    let store =
        StoreOptions::new().keep(Retention::new().size(100_000)).open(dir.file("s.db")).unwrap();
    for batch in all.chunks(500) {
        write(&store, batch).unwrap();
    }
    settle(&store, &all[3_999..]);
    // Until the next look, in a second.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while store.counts().unwrap().branches >= 1_500 {
        assert!(std::time::Instant::now() < deadline, "{:?}", store.counts());
        write(&store, &all[3_999..]).unwrap();
    }
    let kept: Vec<_> = store.branches(&Filter::new()).unwrap().map(|b| b.unwrap().id).collect();
    // About 100 bytes each.
    assert!((500..1_500).contains(&kept.len()), "{}", kept.len());
    assert_whole(&store);
    let newest: Vec<_> = all[4_000 - kept.len()..].iter().map(|b| b.id).collect();
    assert_eq!(kept, newest);
    let summary = store.summary(&Filter::new()).unwrap();
    assert_eq!(summary.iter().map(|config| config.requests).sum::<u64>(), 4_000);
}

#[test]
fn an_experiment_is_kept_as_it_is_said_for_it_and_what_others_write_is_left_alone() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let start = now_ns() - 5 * HOUR_NS;
    let mut experiments = ["short", "long", "foreign"].map(|name| since(name, start, 300));
    // Ids of their own, one between the other.
    for (at, batch) in experiments.iter_mut().enumerate() {
        for (n, branch) in batch.iter_mut().enumerate() {
            place(branch, start + (3 * n + at) as u64 * SECOND_NS, (3 * n + at) as u32);
            branch.role = Role::Primary;
        }
        write(&SqliteStore::open(&file).unwrap(), batch).unwrap();
    }
    let age = |hours: u64| Retention::new().age(Duration::from_secs(hours * 3_600));
    let store = StoreOptions::new().keep(age(1_000)).keep_of("short", age(1)).open(&file).unwrap();
    write(&store, &since("long", now_ns(), 1)).unwrap();
    settle(&store, &since("short", now_ns(), 1));
    let left = |name: &str| {
        store.branches(&Filter::new().experiment(name)).unwrap().map(Result::unwrap).count()
    };
    assert_eq!((left("long"), left("foreign")), (301, 300));
    // (The first look was for `long` alone.)
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while left("short") > 1 {
        assert!(std::time::Instant::now() < deadline);
        write(&store, &since("short", now_ns(), 1)[..0]).unwrap();
    }
}

#[test]
fn outcomes_older_than_their_age_go_while_the_store_is_written_and_what_they_came_to_stays() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let now_ms = now_ns() / 1_000_000;
    let mut visit = since("ranker", now_ns() - 72 * HOUR_NS, 1);
    visit[0].unit = Some(7);
    let store = SqliteStore::open(&file).unwrap();
    store.set_outcome_rules(&OutcomeRules::new("ranker")).unwrap();
    write(&store, &visit).unwrap();
    // More than are looked at at once; the new ones stand between the old.
    let outcomes: Vec<_> = (0..5_000)
        .map(|n| {
            let age_ms = if n % 10 == 0 { 0 } else { 48 * 3_600_000 };
            Outcome::new(n.to_string(), OutcomeUnit::Hash(7), "purchase").at_ms(now_ms - age_ms)
        })
        .collect();
    store.record_outcomes(&outcomes).unwrap();
    drop(store);

    let total = |store: &SqliteStore| {
        let sums = store.outcome_sums(&RollupFilter::new()).unwrap();
        sums.iter().map(|sum| sum.total).sum::<f64>()
    };
    let day = Duration::from_secs(86_400);
    let store = StoreOptions::new().keep_outcomes(day).open(&file).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while store.stat().unwrap().removed_outcomes < 4_500 {
        assert!(std::time::Instant::now() < deadline, "{:?}", store.stat());
        write(&store, &visit).unwrap();
    }
    let stat = store.stat().unwrap();
    assert_eq!((stat.outcomes, stat.removed_outcomes), (500, 4_500));
    assert_eq!(total(&store), 5_000.0);
    assert_eq!(stat.branches, 1);
    assert_whole(&store);
    assert_eq!(store.record_outcomes(&outcomes[..1]).unwrap().known, 1);
    let late = store.record_outcomes(&outcomes[1..2]).unwrap_err().to_string();
    assert!(late.contains("outcomes from before were removed"), "{late}");
}

#[test]
fn minutes_older_than_two_days_become_hours_that_hold_the_same() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let start = (now_ns() - 72 * HOUR_NS) / HOUR_NS * HOUR_NS;
    // Two and a half hours.
    let mut old = since("ranker", start, 900);
    for (n, branch) in old.iter_mut().enumerate() {
        place(branch, start + n as u64 * 10 * SECOND_NS, n as u32);
    }
    let store = SqliteStore::open(&file).unwrap();
    // Not old enough when it comes: as if it had been written in time.
    let connection = Connection::open(&file).unwrap();
    connection
        .execute_batch(
            "CREATE TRIGGER never BEFORE DELETE ON rollup BEGIN
        SELECT raise(ABORT, 'not yet'); END",
        )
        .unwrap();
    write(&store, &old).unwrap();
    drop(store);
    let merged = |rollups: Vec<Rollup>| {
        let mut all = rollups.into_iter();
        let mut sum = all.next().unwrap();
        all.for_each(|rollup| sum.merge(&rollup));
        sum.minutes = 0;
        sum
    };
    let minutes = rollups(&SqliteStore::open_read_only(&file).unwrap());
    assert!(minutes.len() > 300 && minutes.iter().all(|rollup| rollup.minutes == 1));
    connection.execute_batch("DROP TRIGGER never").unwrap();

    let store = SqliteStore::open(&file).unwrap();
    for _ in 0..10 {
        write(&store, &since("ranker", now_ns(), 0)).unwrap();
    }
    let hours = rollups(&store);
    assert!(hours.iter().all(|rollup| rollup.minutes == 60));
    assert!(hours.len() < 20, "{}", hours.len());
    assert_eq!(merged(hours), merged(minutes));
    assert_whole(&store);
    // From the middle of an hour on: that hour is counted by its branches.
    for minute in [0, 1, 59, 60, 75, 149, 150] {
        let filter = Filter::new().since_ns(start + minute * 60 * SECOND_NS);
        let summary = store.summary(&filter).unwrap();
        let found: u64 = summary.iter().map(|config| config.requests).sum();
        assert_eq!(found, 900 - minute * 6);
    }
}
