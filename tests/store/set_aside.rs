//! What chance did not assign is summed up apart.

use super::support::{
    Dir, assert_whole, back_to_version_3, back_to_version_6, block_on, branches, id, place, write,
};
use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tower_spearmint::{
    Branch,
    assign::{Epoch, Reason},
    branch::{Role, Status},
    record::{LoggerBackend, RunId},
    store::{
        ConfigSummary, Filter, Outcome, OutcomeUnit, Rollup, RollupFilter, SqliteStore, UnitBucket,
    },
};

const HOUR_MS: u64 = 3_600_000;

/// So many hours ago.
fn start_ms(hours: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    (now / HOUR_MS - hours) * HOUR_MS
}

fn unit(number: usize) -> u64 {
    let OutcomeUnit::Hash(hash) = OutcomeUnit::hashed("alpha", &format!("user-{number}")) else {
        panic!()
    };
    hash
}

/// 600 branches of 40 units in two epochs. A third of the units is refused by a ramp at first, one never takes part;
/// some requests are testers', one in ten has a shadow.
fn traffic(hours_ago: u64) -> Vec<Branch> {
    let mut all = branches("alpha", 600);
    let start = start_ms(hours_ago);
    for n in 0..all.len() {
        let config = all[n % 2].clone();
        let branch = &mut all[n];
        let at = start + n as u64 * 11_000;
        place(branch, at * 1_000_000, n as u32);
        (branch.config, branch.config_id) = (config.config.clone(), config.config_id.clone());
        branch.epoch = [Epoch::recorded(1, 7), Epoch::recorded(2, 9)][n / 300];
        branch.unit = Some(unit(n % 40));
        branch.duration_ns = 1_000_000 + (n as u64 * 7_919_993) % 90_000_000;
        branch.output = None;
        branch.status = if n % 11 == 0 { Status::Cancelled } else { Status::Success };
        branch.metrics.set("tokens", (n % 7) as f64);
        branch.reason = if n % 40 == 39 || n % 3 == 0 && n % 300 < 120 {
            Reason::Ramp
        } else if n % 17 == 0 {
            branch.unit = None;
            Reason::Override
        } else {
            Reason::Sticky
        };
        if n % 10 == 9 {
            branch.role = Role::Shadow;
            branch.reason = Reason::Sample;
            let first = n as u64 - 1;
            branch.request_id = id(start + first * 11_000, first as u32);
        }
    }
    all
}

/// Most of the same units, assigned by the same draw, somewhat later.
fn of_another_experiment(hours_ago: u64) -> Vec<Branch> {
    let mut all = branches("beta", 120);
    let start = start_ms(hours_ago) + 60_000;
    for (n, branch) in all.iter_mut().enumerate() {
        place(branch, (start + n as u64 * 23_000) * 1_000_000, 1_000 + n as u32);
        branch.unit = Some(unit(n % 37));
        branch.reason = Reason::Sticky;
        branch.output = None;
    }
    all
}

fn rollups(store: &SqliteStore) -> Vec<Rollup> {
    store.rollups(&RollupFilter::new()).unwrap().map(Result::unwrap).collect()
}

fn set_aside(branch: &Branch) -> Option<Reason> {
    (branch.role == Role::Primary && !branch.reason.is_exposure()).then_some(branch.reason)
}

fn stored(dir: &Dir, name: &str, all: &[Branch], reversed: bool) -> SqliteStore {
    let store = SqliteStore::open(dir.file(name)).unwrap();
    let mut batches: Vec<_> = all.chunks(70).collect();
    if reversed {
        batches.reverse();
    }
    for batch in batches {
        write(&store, batch).unwrap();
    }
    store
}

#[test]
fn what_chance_did_not_assign_has_roll_ups_of_its_own_reason_by_reason() {
    let all = traffic(5);
    for reversed in [false, true] {
        let dir = Dir::new();
        let store = stored(&dir, "s.db", &all, reversed);
        let mut found: BTreeMap<_, (u64, u64, u64)> = BTreeMap::new();
        for rollup in rollups(&store) {
            let sums = found.entry((rollup.role, rollup.aside)).or_default();
            sums.0 += rollup.requests();
            sums.1 += rollup.duration.count();
            sums.2 += rollup.metrics.values().map(|sums| sums.count()).sum::<u64>();
        }
        let mut expected: BTreeMap<_, (u64, u64, u64)> = BTreeMap::new();
        for branch in &all {
            let sums = expected.entry((branch.role, set_aside(branch))).or_default();
            let ended = u64::from(branch.status == Status::Success);
            *sums = (sums.0 + 1, sums.1 + ended, sums.2 + ended);
        }
        assert_eq!(found, expected);
        assert_eq!(found.len(), 4, "{found:?}");
        assert_whole(&store);
    }
}

#[test]
fn all_of_them_are_in_what_is_of_all_traffic() {
    let (dir, all) = (Dir::new(), traffic(5));
    let store = stored(&dir, "s.db", &all, false);
    let requests = |summary: Vec<ConfigSummary>| summary.iter().map(|s| s.requests).sum::<u64>();
    assert_eq!(requests(store.summary(&Filter::new()).unwrap()), 600);
    let by_chance = all.iter().filter(|branch| branch.reason.is_exposure()).count();
    assert_eq!(store.branches(&Filter::new().by_chance()).unwrap().count(), by_chance);
    assert_eq!(requests(store.summary(&Filter::new().by_chance()).unwrap()), by_chance as u64);
    let in_columns: i64 = Connection::open(dir.file("s.db"))
        .unwrap()
        .query_row("SELECT sum(success + failed + skipped + cancelled) FROM rollup", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(in_columns, 600);
}

#[test]
fn buckets_of_units_and_first_exposures_are_of_what_chance_assigned() {
    let (dir, all) = (Dir::new(), traffic(5));
    let store = stored(&dir, "s.db", &all, true);
    let meant = |branch: &&Branch| branch.unit.is_some() && set_aside(branch).is_none();
    let buckets = store.unit_buckets(&RollupFilter::new()).unwrap();
    let counted: u64 = buckets.iter().map(|b| b.success + b.failed + b.unfinished).sum();
    assert_eq!(counted, all.iter().filter(meant).count() as u64);
    for number in 0..40 {
        let mut first = BTreeMap::new();
        let of_unit = |b: &&Branch| b.unit == Some(unit(number)) && b.role == Role::Primary;
        for branch in all.iter().filter(meant).filter(of_unit) {
            first.entry(branch.epoch.fingerprint()).or_insert(branch.id);
        }
        let found = store.exposures(unit(number)).unwrap();
        let found: Vec<_> = found.iter().map(|exposure| exposure.branch).collect();
        assert_eq!(found, first.into_values().collect::<Vec<_>>(), "{number}");
    }
}

#[test]
fn a_branch_that_is_set_aside_and_comes_to_another_end_moves_its_counts_there() {
    let (dir, all) = (Dir::new(), traffic(5));
    let store = stored(&dir, "s.db", &all, false);
    let branch = all.iter().find(|b| b.reason == Reason::Ramp && b.status == Status::Success);
    let mut branch = branch.unwrap().clone();
    branch.status = Status::Failed;
    block_on(store.log_status(&RunId(branch.id.to_string()), &branch)).unwrap();
    let failed = |rollup: &&Rollup| rollup.failed > 0;
    let found: Vec<_> =
        rollups(&store).iter().filter(failed).map(|r| (r.aside, r.failed)).collect();
    assert_eq!(found, [(Some(Reason::Ramp), 1)]);
    assert_whole(&store);
}

/// As a program of version 6 has written it, which did not look at reasons.
fn of_version_6(dir: &Dir, all: &[Branch], outcomes: &[Outcome], is_old: bool) -> SqliteStore {
    let file = dir.file("old.db");
    let mut without = all.to_vec();
    without.iter_mut().for_each(|branch| branch.reason = Reason::Sticky);
    let store = stored(dir, "old.db", &without, false);
    store.record_outcomes(outcomes).unwrap();
    if is_old {
        store.compact(|_| {}).unwrap();
        assert!(rollups(&store).iter().all(|rollup| rollup.minutes == 60));
    }
    drop(store);
    tell_reasons(&file, all);
    as_in_version_6(&file);
    back_to_version_6(&file);
    assert_whole(&SqliteStore::open_read_only(&file).unwrap());
    SqliteStore::open(&file).unwrap()
}

/// The bytes of roll-ups in the layout that told nothing apart. (Of primaries; those of what runs beside them have
/// more to tell, and nothing to set aside.)
fn as_in_version_6(file: &Path) {
    let connection = Connection::open(file).unwrap();
    let rollups: Vec<(i64, Vec<u8>)> = connection
        .prepare(
            "SELECT key, state FROM rollup WHERE role NOT IN
             (SELECT key FROM code WHERE what = 'role' AND name IN ('shadow', 'control'))",
        )
        .and_then(|mut rows| rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .unwrap();
    for (key, mut state) in rollups {
        // The layout, and at the end that nothing ran beside anything, and how much is set aside.
        assert_eq!((state.pop(), state.pop(), state[0]), (Some(0), Some(0), 4));
        state[0] = 3;
        let sql = "UPDATE rollup SET state = ?2 WHERE key = ?1";
        connection.execute(sql, (key, state)).unwrap();
    }
}

fn tell_reasons(file: &Path, all: &[Branch]) {
    let mut connection = Connection::open(file).unwrap();
    let told = connection.transaction().unwrap();
    for branch in all {
        let sql = "UPDATE branch SET reason =
            (SELECT key FROM code WHERE what = 'reason' AND name = ?2) WHERE id = ?1";
        told.execute(sql, (branch.id.as_bytes(), branch.reason.as_str())).unwrap();
    }
    told.commit().unwrap();
}

/// All that is summed up, without means that were taken back and added elsewhere.
fn summed_up(store: &SqliteStore) -> (Vec<Rollup>, Vec<UnitBucket>, Vec<String>) {
    let mut rollups = rollups(store);
    rollups.iter_mut().for_each(|rollup| rollup.metrics.clear());
    let connection = Connection::open(store.path()).unwrap();
    let mut tables = Vec::new();
    for sql in [
        "SELECT unit || ' ' || experiment || ' ' || epoch || ' ' || config || ' ' || hex(branch) FROM exposure",
        "SELECT unit || ' ' || experiment || ' ' || epoch || ' ' || config || ' ' || total
         || ' ' || outcomes_before || ' ' || total_before FROM outcome_total",
        "SELECT config || ' ' || epoch || ' ' || hour || ' ' || units || ' ' || total FROM outcome_sum",
    ] {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        tables.extend(rows.map(Result::unwrap));
    }
    (rollups, store.unit_buckets(&RollupFilter::new()).unwrap(), tables)
}

#[test]
fn a_file_of_version_6_is_summed_up_as_if_it_had_been_from_the_beginning() {
    for hours_ago in [5, 24 * 4] {
        let (dir, mut all) = (Dir::new(), traffic(hours_ago));
        all.extend(of_another_experiment(hours_ago));
        let at = start_ms(hours_ago);
        let bought = |n: u64| {
            let at = at + n % 17 * 450_000;
            let unit = format!("user-{}", n % 40);
            Outcome::new(format!("order-{n}"), unit, "bought").at_ms(at)
        };
        let outcomes: Vec<_> = (0..680).map(bought).collect();
        let is_old = hours_ago > 48;
        let mut store = of_version_6(&dir, &all, &outcomes, is_old);
        assert_whole(&store);
        let fresh = stored(&dir, "new.db", &all, false);
        fresh.record_outcomes(&outcomes).unwrap();
        if is_old {
            fresh.compact(|_| {}).unwrap();
        }
        let [found, expected] = [&store, &fresh].map(summed_up);
        assert_eq!(found.0, expected.0);
        assert_eq!(found.1, expected.1);
        assert_eq!(found.2, expected.2);
        assert!(found.2.len() > 80, "{:?}", found.2);
        // And once only.
        store = SqliteStore::open(store.path()).unwrap();
        assert_eq!(summed_up(&store).0, expected.0);
    }
}

#[test]
fn what_came_before_an_exposure_of_version_6_came_before_the_first_that_is_left_of_the_salt() {
    let dir = Dir::new();
    let at = start_ms(5);
    let answered = |experiment: &str, at_ms: u64, reason| {
        let mut branch = branches(experiment, 1).remove(0);
        place(&mut branch, at_ms * 1_000_000, 1);
        (branch.unit, branch.reason, branch.role) = (Some(unit(1)), reason, Role::Primary);
        branch.output = None;
        branch
    };
    // Left out of one experiment, it did something, and was assigned in the other.
    let all =
        [answered("alpha", at, Reason::Ramp), answered("beta", at + 2 * HOUR_MS, Reason::Sticky)];
    let bought = Outcome::new("order", OutcomeUnit::Hash(unit(1)), "bought").at_ms(at + HOUR_MS);
    let store = of_version_6(&dir, &all, &[bought], false);
    let sums = store.outcome_sums(&RollupFilter::new()).unwrap();
    let found: Vec<_> =
        sums.iter().map(|sum| (&*sum.experiment, sum.units, sum.units_before)).collect();
    assert_eq!(found, [("beta", 0, 1)]);
    assert_whole(&store);
}

#[test]
fn of_a_file_of_version_6_what_was_removed_stays_as_it_was_counted() {
    let (dir, all) = (Dir::new(), traffic(5));
    let half = Duration::from_millis(5 * HOUR_MS - 300 * 11_000);
    let mut without = all.clone();
    without.iter_mut().for_each(|branch| branch.reason = Reason::Sticky);
    let store = stored(&dir, "s.db", &without, false);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let beyond = Duration::from_millis(since % HOUR_MS);
    let removed = store.prune(half + beyond, None, |_| {}).unwrap().branches;
    assert!((250..350).contains(&removed), "{removed}");
    drop(store);
    tell_reasons(&dir.file("s.db"), &all);
    back_to_version_6(&dir.file("s.db"));
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    assert_whole(&store);
    let counted = |aside: bool| {
        let all = rollups(&store).into_iter().filter(|rollup| rollup.aside.is_some() == aside);
        all.map(|rollup| rollup.requests()).sum::<u64>()
    };
    let left = all.iter().skip(removed as usize).filter(|b| set_aside(b).is_some()).count() as u64;
    assert_eq!((counted(true), counted(false)), (left, 600 - left));
}

#[test]
fn branches_of_programs_that_told_no_reason_count_as_those_that_chance_assigned() {
    let (dir, all) = (Dir::new(), traffic(5));
    drop(stored(&dir, "s.db", &all, false));
    let file = dir.file("s.db");
    Connection::open(&file).unwrap().execute_batch("UPDATE branch SET reason = NULL").unwrap();
    back_to_version_3(&file);
    let store = SqliteStore::open(&file).unwrap();
    assert_whole(&store);
    assert!(rollups(&store).iter().all(|rollup| rollup.aside.is_none()));
    assert_eq!(store.branches(&Filter::new().by_chance()).unwrap().count(), 600);
}
