//! Numbers that services say of their branches: beside them, and in roll-ups.

use super::support::{
    Dir, as_json, assert_whole, back_to_version_5, block_on, branches, id, place, write,
};
use rusqlite::Connection;
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_spearmint::{
    Branch,
    branch::{Role, Status},
    record::{LoggerBackend, RunId},
    store::{
        Filter, MetricPairs, MetricSums, Retention, Rollup, RollupFilter, SqliteStore,
        StoreOptions, UnitSums,
    },
};

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

fn open(dir: &Dir) -> SqliteStore {
    SqliteStore::open(dir.file("s.db")).unwrap()
}

/// 600 branches of 300 requests: a primary and a shadow each, of 40 units. Some end in another way, and not
/// all say something.
fn traffic() -> Vec<Branch> {
    let mut all = branches("ranker", 600);
    let start = (now_ns() / 3_600_000_000_000 - 2) * 3_600_000_000_000;
    let config = all[0].clone();
    for n in 0..all.len() {
        let first = n - n % 2;
        let branch = &mut all[n];
        place(branch, start + n as u64 * 7_000_000_000, n as u32);
        branch.request_id = id((start + first as u64 * 7_000_000_000) / 1_000_000, first as u32);
        branch.role = [Role::Primary, Role::Shadow][n % 2];
        if n % 2 == 0 {
            (branch.config, branch.config_id) = (config.config.clone(), config.config_id.clone());
        }
        branch.unit = Some((first as u64 % 40).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        branch.output = None;
        branch.status = if n % 11 == 0 { Status::Cancelled } else { Status::Success };
        if n % 5 != 0 {
            branch.metrics.set("tokens", 800.0 + (n * 7_919 % 101) as f64);
        }
        if n % 3 == 0 {
            branch.metrics.set("cost", 0.001 * (n % 13) as f64);
        }
    }
    all
}

fn rollups(store: &SqliteStore) -> Vec<Rollup> {
    store.rollups(&RollupFilter::new()).unwrap().map(Result::unwrap).collect()
}

fn near(one: Option<f64>, two: Option<f64>) -> bool {
    one.zip(two).is_some_and(|(one, two)| (one - two).abs() <= 1e-9 * one.abs().max(1.0))
}

/// Of all branches in a role that ended, and of all pairs.
fn agree(store: &SqliteStore, all: &[Branch]) {
    for name in ["tokens", "cost"] {
        let ended =
            |role: Role| all.iter().filter(move |b| b.role == role && b.status == Status::Success);
        for role in [Role::Primary, Role::Shadow] {
            let mut expected = MetricSums::new();
            ended(role).filter_map(|b| b.metrics.get(name)).for_each(|value| expected.add(value));
            let mut found = MetricSums::new();
            for rollup in rollups(store).iter().filter(|rollup| rollup.role == role) {
                rollup.metrics.get(name).iter().for_each(|sums| found.merge(sums));
            }
            assert!(found.count() > 50);
            assert_eq!(found.count(), expected.count());
            assert!(near(found.mean(), expected.mean()), "{found:?} {expected:?}");
            assert!(near(found.variance(), expected.variance()), "{found:?} {expected:?}");
        }
        let (mut expected, mut found) = (MetricPairs::new(), MetricPairs::new());
        for shadow in ended(Role::Shadow) {
            let primary = ended(Role::Primary).find(|b| b.id == shadow.request_id);
            let values = primary.and_then(|b| b.metrics.get(name)).zip(shadow.metrics.get(name));
            values.iter().for_each(|(primary, shadow)| expected.add(*primary, *shadow));
        }
        for rollup in rollups(store) {
            rollup.metric_pairs.get(name).iter().for_each(|pairs| found.merge(pairs));
        }
        // (Every third request costs something on both sides of no pair.)
        assert_eq!(found.count(), expected.count());
        if name == "tokens" {
            assert!(found.count() > 100);
            assert!(near(found.covariance(), expected.covariance()), "{found:?} {expected:?}");
            assert!(near(found.primary().mean(), expected.primary().mean()));
            assert!(near(found.other().variance(), expected.other().variance()));
        }
    }
    assert_whole(store);
}

#[test]
fn what_a_service_said_of_a_branch_is_read_back_with_it() {
    let dir = Dir::new();
    let store = open(&dir);
    let mut written = branches("ranker", 3);
    written[0].metrics.set("tokens", 812.0);
    written[0].metrics.set("score/exact", 1.0 / 3.0);
    written[2].metrics.set("tokens", -0.0);
    write(&store, &written).unwrap();
    let read: Vec<_> = store.branches(&Filter::new()).unwrap().map(Result::unwrap).collect();
    assert_eq!(as_json(&read), as_json(&written));
    assert_eq!(as_json(&read[0])["metrics"], json!({ "score/exact": 1.0 / 3.0, "tokens": 812.0 }));
    assert!(as_json(&read[1]).get("metrics").is_none());
    let shown: Option<f64> = Connection::open(dir.file("s.db"))
        .unwrap()
        .query_row("SELECT metrics ->> 'tokens' FROM branches ORDER BY id", [], |row| row.get(0))
        .unwrap();
    assert_eq!(shown, Some(812.0));
}

#[test]
fn roll_ups_hold_what_was_said_of_branches_and_of_pairs_in_whatever_order_they_come() {
    let all = traffic();
    let primaries: Vec<_> = all.iter().filter(|b| b.role == Role::Primary).cloned().collect();
    let shadows: Vec<_> = all.iter().filter(|b| b.role == Role::Shadow).cloned().collect();
    for order in [[&all[..], &all[100..200]], [&primaries, &shadows], [&shadows, &primaries]] {
        let dir = Dir::new();
        for batch in order.into_iter().flat_map(|part| part.chunks(150)) {
            write(&open(&dir), batch).unwrap();
        }
        agree(&open(&dir), &all);
    }
}

#[test]
fn a_branch_that_comes_to_another_end_moves_what_was_said_of_it() {
    let dir = Dir::new();
    let store = open(&dir);
    let mut all = traffic();
    let begun: Vec<_> = all
        .iter()
        .cloned()
        .map(|mut branch| {
            branch.status = Status::Cancelled;
            branch
        })
        .collect();
    write(&store, &begun).unwrap();
    for branch in &mut all {
        if branch.metrics.get("tokens").is_some() {
            branch.metrics.set("tokens", 7.0 + (branch.start_ns % 17) as f64);
        }
        let run = RunId(branch.id.to_string());
        block_on(store.log_status(&run, branch)).unwrap();
    }
    agree(&store, &all);
}

#[test]
fn what_the_units_of_a_bucket_said_adds_up() {
    let dir = Dir::new();
    let store = open(&dir);
    let all = traffic();
    all.chunks(70).for_each(|batch| write(&store, batch).unwrap());
    let buckets = store.unit_buckets(&RollupFilter::new().role(Role::Shadow)).unwrap();
    let mut found = UnitSums::default();
    for sums in buckets.iter().filter_map(|bucket| bucket.metrics.get("tokens")) {
        found.count += sums.count;
        found.sum += sums.sum;
    }
    let mut expected = UnitSums::default();
    all.iter()
        .filter(|b| b.role == Role::Shadow && b.status == Status::Success)
        .filter_map(|b| b.metrics.get("tokens"))
        .for_each(|value| expected.add(value));
    assert!(buckets.len() > 30 && found.count > 100);
    assert_eq!(found.count, expected.count);
    assert!(near(Some(found.sum), Some(expected.sum)));
}

#[test]
fn of_names_beyond_64_each_branch_has_its_own_and_roll_ups_none_and_both_are_counted() {
    let dir = Dir::new();
    let store = open(&dir);
    let mut all = branches("ranker", 1_100);
    for (n, branch) in all.iter_mut().enumerate() {
        branch.metrics.set(&format!("m{n:04}"), 1.0);
    }
    write(&store, &all).unwrap();
    let named: std::collections::BTreeSet<_> =
        rollups(&store).into_iter().flat_map(|rollup| rollup.metrics.into_keys()).collect();
    assert_eq!(named.len(), 64);
    let rows: Vec<_> = store.branches(&Filter::new()).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.iter().filter(|row| row.metrics.len() == 1).count(), 1_024);
    let beyond = store.stat().unwrap().experiments[0].metrics_beyond;
    assert_eq!((beyond.not_rolled_up, beyond.not_kept), (960, 76));
    assert_whole(&store);
}

#[test]
fn a_number_whose_square_is_none_is_with_its_branch_only() {
    let dir = Dir::new();
    let store = open(&dir);
    let mut all = branches("ranker", 3);
    for (branch, value) in all.iter_mut().zip([1.0, 1e200, -1e200]) {
        branch.unit = Some(7);
        branch.metrics.set("tokens", value);
    }
    write(&store, &all).unwrap();
    let of = |rollup: &Rollup| rollup.metrics.get("tokens").map_or(0, MetricSums::count);
    assert_eq!(rollups(&store).iter().map(of).sum::<u64>(), 1);
    let rows = store.branches(&Filter::new()).unwrap().map(|row| row.unwrap().metrics);
    let kept: Vec<_> = rows.filter_map(|metrics| metrics.get("tokens")).collect();
    assert_eq!(kept, [1.0, 1e200, -1e200]);
    assert_eq!(store.stat().unwrap().experiments[0].metrics_beyond.not_rolled_up, 2);
    assert_whole(&store);
}

#[test]
fn what_was_said_of_a_branch_is_removed_with_it_and_stays_in_roll_ups() {
    let dir = Dir::new();
    let mut old = branches("ranker", 30);
    for (n, branch) in old.iter_mut().enumerate() {
        place(branch, now_ns() - 3 * 3_600_000_000_000, n as u32);
        branch.metrics.set("tokens", n as f64);
    }
    let mut new = branches("ranker", 1);
    new[0].metrics.set("tokens", 1.0);
    write(&open(&dir), &old).unwrap();
    let hour = Retention::new().age(Duration::from_secs(3_600));
    let store = StoreOptions::new().keep(hour).open(dir.file("s.db")).unwrap();
    for _ in 0..50 {
        write(&store, &new).unwrap();
    }
    assert_eq!(store.counts().unwrap().branches, 1);
    let left: i64 = Connection::open(dir.file("s.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM branch_metric", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 1);
    let count = |rollup: &Rollup| rollup.metrics["tokens"].count();
    assert_eq!(rollups(&store).iter().map(count).sum::<u64>(), 31);
    assert_whole(&store);
}

#[test]
fn a_check_finds_values_that_were_changed_or_belong_to_nothing() {
    let dir = Dir::new();
    let store = open(&dir);
    write(&store, &traffic()).unwrap();
    let connection = Connection::open(dir.file("s.db")).unwrap();
    let faults = |sql: &str, back: &str| {
        connection.execute_batch(sql).unwrap();
        let faults = store.check(|_| {}).unwrap().faults;
        connection.execute_batch(back).unwrap();
        assert_whole(&store);
        faults
    };
    let changed = "UPDATE branch_metric SET value = value * 2 + 1 WHERE branch =
        (SELECT id FROM branch WHERE id IN (SELECT branch FROM branch_metric) AND status = 0 LIMIT 1)";
    let back = changed.replace("value * 2 + 1", "(value - 1) / 2");
    let found = faults(changed, &back);
    assert!(
        found.iter().any(|f| f.ends_with("the sums of its roll-ups are not those of its branches"))
            && found.iter().any(|f| f.contains("buckets of units are not the sums")),
        "{found:#?}"
    );
    let found = faults(
        "INSERT INTO branch_metric VALUES (x'00', 1, 1.0)",
        "DELETE FROM branch_metric WHERE branch = x'00'",
    );
    assert_eq!(found, ["1 rows of branch_metric have a branch that is not in branch"]);
}

#[test]
fn a_file_of_version_5_is_read_as_it_is_and_then_takes_metrics() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    write(&open(&dir), &branches("old", 3)).unwrap();
    back_to_version_5(&file);
    let reader = SqliteStore::open_read_only(&file).unwrap();
    let rows: Vec<_> = reader.branches(&Filter::new()).unwrap().map(Result::unwrap).collect();
    assert!(rows.len() == 3 && rows.iter().all(|row| row.metrics.is_empty()));
    assert!(rollups(&reader).iter().all(|rollup| rollup.metrics.is_empty()));
    assert_eq!(reader.unit_buckets(&RollupFilter::new()).unwrap(), []);
    assert_eq!(reader.stat().unwrap().experiments[0].metrics_beyond.not_kept, 0);
    assert_whole(&reader);
    let store = open(&dir);
    let mut new = branches("new", 1);
    new[0].metrics.set("tokens", 1.0);
    write(&store, &new).unwrap();
    let experiment = RollupFilter::new().experiment("new");
    let rollup = store.rollups(&experiment).unwrap().next().unwrap().unwrap();
    assert_eq!(rollup.metrics["tokens"].mean(), Some(1.0));
    assert_whole(&store);
}
