//! What branches come to, summed up while they are written.

use super::support::{
    Dir, assert_whole, back_to_version_3, back_to_version_5, back_to_version_6, block_on, branches,
    id, place, write,
};
use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};
use tower_spearmint::{
    Branch,
    assign::Epoch,
    branch::{BranchId, Failure, FailureKind, Role, SkipReason, Status},
    compare::{Comparison, DifferenceKind, Differences},
    record::{LoggerBackend, RunId},
    store::{Filter, Histogram, Moments, Rollup, RollupFilter, SqliteStore, UnitLatencies},
};

/// The beginning of an hour, not so long ago that minutes become hours.
static START_NS: LazyLock<u64> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    (now / 3_600 - 5) * 3_600_000_000_000
});
const MINUTE_NS: u64 = 60_000_000_000;

/// 900 branches of 300 requests over 3 hours: a primary, a shadow and a control each, with all
/// kinds of ends; 40 units; two epochs of the same rules and one of others.
fn traffic() -> Vec<Branch> {
    let mut all = branches("alpha", 900);
    let stable = all[0].clone();
    let rules = [Epoch::recorded(1, 7), Epoch::recorded(2, 7), Epoch::recorded(3, 9)];
    for n in 0..all.len() {
        let first = n - n % 3;
        if n % 3 == 2 {
            all[n].config = stable.config.clone();
            all[n].config_id = stable.config_id.clone();
        }
        let branch = &mut all[n];
        place(branch, *START_NS + n as u64 * 12 * 1_000_000_007, n as u32);
        branch.role = [Role::Primary, Role::Shadow, Role::Control][n % 3];
        branch.request_id =
            id((*START_NS + first as u64 * 12 * 1_000_000_007) / 1_000_000, first as u32);
        branch.epoch = rules[n / 300];
        branch.unit = Some((first as u64 % 40).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        branch.duration_ns = 1_000 + (n as u64 * 7_919_993) % 90_000_000;
        branch.bytes_in = (n % 2 == 0).then_some(n as u64);
        branch.bytes_out = branch.bytes_in.map(|bytes| bytes * 10);
        branch.first_byte_ns = branch.bytes_in.map(|_| branch.duration_ns / 2);
        branch.retry_count = n as u32 % 2;
        branch.output = None;
        let mixed = (n + 1) * 48_271 % 2_147_483_647 * (n + 77) % 2_147_483_647;
        end(branch, (mixed >> 5) % 11);
    }
    all
}

fn end(branch: &mut Branch, how: usize) {
    (branch.status, branch.failure, branch.skip) = match how {
        0 => {
            branch.first_byte_ns = None;
            (Status::Failed, Some(Failure::new(FailureKind::Timeout, "no response")), None)
        }
        1 => (Status::Failed, Some(Failure::new(FailureKind::Connect, "refused")), None),
        2 => (Status::Skipped, None, Some(SkipReason::MaxInFlight)),
        3 => (Status::Cancelled, None, None),
        _ => (Status::Success, None, None),
    };
    branch.end_ns = branch.start_ns + branch.duration_ns;
}

fn rollups(store: &SqliteStore) -> Vec<Rollup> {
    store.rollups(&RollupFilter::new()).unwrap().map(Result::unwrap).collect()
}

type Name = (String, Role, Option<u64>, u64);

/// By config, role, fingerprint and minute, counted anew.
fn naive(all: &[Branch]) -> BTreeMap<Name, Vec<&Branch>> {
    let mut groups: BTreeMap<Name, Vec<&Branch>> = BTreeMap::new();
    for branch in all {
        let minute = branch.start_ns / MINUTE_NS * MINUTE_NS;
        let name =
            (branch.config_id.to_string(), branch.role, Some(branch.epoch.fingerprint()), minute);
        groups.entry(name).or_default().push(branch);
    }
    groups
}

fn name(rollup: &Rollup) -> Name {
    (rollup.config_id.to_string(), rollup.role, rollup.epoch, rollup.start_ns)
}

#[track_caller]
fn agree(found: &[Rollup], all: &[Branch]) {
    let expected = naive(all);
    assert_eq!(found.len(), expected.len());
    for rollup in found {
        let group = &expected[&name(rollup)];
        let count = |status| group.iter().filter(|b| b.status == status).count() as u64;
        assert_eq!(rollup.success, count(Status::Success));
        assert_eq!(rollup.failed, count(Status::Failed));
        assert_eq!(rollup.skipped, count(Status::Skipped));
        assert_eq!(rollup.cancelled, count(Status::Cancelled));
        let mut failures = BTreeMap::new();
        let mut skips = BTreeMap::new();
        let (mut duration, mut first_byte) = (Histogram::new(), Histogram::new());
        let mut sums = [Moments::new(); 4];
        for branch in group {
            branch.failure.iter().for_each(|f| *failures.entry(f.kind).or_insert(0) += 1);
            branch.skip.iter().for_each(|reason| *skips.entry(*reason).or_insert(0) += 1);
            if !matches!(branch.status, Status::Success | Status::Failed) {
                continue;
            }
            sums[0].add(branch.duration_ns);
            branch.first_byte_ns.iter().for_each(|ns| sums[1].add(*ns));
            branch.bytes_in.iter().for_each(|bytes| sums[2].add(*bytes));
            branch.bytes_out.iter().for_each(|bytes| sums[3].add(*bytes));
            branch.first_byte_ns.iter().for_each(|ns| first_byte.add(*ns));
            if branch.failure.as_ref().is_some_and(|f| f.kind == FailureKind::Timeout) {
                duration.add_timeout(branch.duration_ns);
                if branch.bytes_in.is_some() {
                    first_byte.add_timeout(branch.duration_ns);
                }
            } else {
                duration.add(branch.duration_ns);
            }
        }
        assert_eq!((&rollup.failures, &rollup.skips), (&failures, &skips));
        assert_eq!(rollup.retries, group.iter().map(|b| u64::from(b.retry_count)).sum::<u64>());
        assert_eq!((&rollup.duration, &rollup.first_byte), (&duration, &first_byte));
        let found =
            [rollup.duration_sums, rollup.first_byte_sums, rollup.bytes_in, rollup.bytes_out];
        assert_eq!(found, sums);
    }
}

#[test]
fn roll_ups_are_what_the_branches_come_to_by_minute() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let all = traffic();
    // Not in the order of time, and some of them twice.
    for batch in all.chunks(70).rev() {
        write(&store, batch).unwrap();
    }
    write(&store, &all[100..300]).unwrap();
    agree(&rollups(&store), &all);
    assert_whole(&store);
}

#[test]
fn a_filter_of_roll_ups_means_what_it_says() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let mut all = traffic();
    write(&store, &all).unwrap();
    all.iter_mut().for_each(|branch| branch.experiment = "beta".into());
    for (n, branch) in all.iter_mut().enumerate() {
        branch.id = id(branch.start_ns / 1_000_000, 10_000 + n as u32);
    }
    write(&store, &all).unwrap();
    let found = |filter| store.rollups(&filter).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let everything = found(RollupFilter::new());
    let (since, until) = (*START_NS + 30 * MINUTE_NS, *START_NS + 31 * MINUTE_NS + 1);
    let filter = || RollupFilter::new().experiment("beta");
    for (filter, keeps) in [
        (filter(), &(|_: &Rollup| true) as &dyn Fn(&Rollup) -> bool),
        (filter().config("stag"), &|r| r.config_id.as_str() == "stage"),
        (filter().role(Role::Control), &|r| r.role == Role::Control),
        (filter().epoch(9), &|r| r.epoch == Some(9)),
        (filter().epoch(8), &|_| false),
        (filter().since_ns(since), &|r| r.start_ns >= since),
        (filter().since_ns(since).until_ns(until), &|r| r.start_ns >= since && r.start_ns < until),
    ] {
        let expected: Vec<_> =
            everything.iter().filter(|r| &*r.experiment == "beta" && keeps(r)).cloned().collect();
        assert_eq!(found(filter), expected);
    }
    let error = store.rollups(&RollupFilter::new().experiment("gamma")).unwrap_err();
    assert!(error.to_string().contains("there is alpha, beta"), "{error}");
}

/// How long the primaries of pairs took that ended; of those that were left; those beside either; and those left with
/// them.
type Times = [Histogram; 4];

/// Both succeeded, only the primary failed, only the other, both; and how long both took.
fn pair_table(all: &[Branch], role: Role) -> ([u64; 4], Times) {
    let (mut table, mut times) = ([0; 4], Times::default());
    let ended = |b: &Branch| matches!(b.status, Status::Success | Status::Failed);
    let add = |to: &mut Histogram, branch: &Branch| match &branch.failure {
        Some(failure) if failure.kind == FailureKind::Timeout => to.add_timeout(branch.duration_ns),
        _ => to.add(branch.duration_ns),
    };
    for other in all.iter().filter(|b| b.role == role) {
        let is_its_own = |b: &&Branch| b.role == Role::Primary && b.request_id == other.request_id;
        let primary = all.iter().find(is_its_own).unwrap();
        let left = |b: &Branch| b.status == Status::Cancelled;
        if ended(primary) && ended(other) {
            let failed = |b: &Branch| usize::from(b.status == Status::Failed);
            table[failed(primary) + 2 * failed(other)] += 1;
            add(&mut times[0], primary);
            add(&mut times[2], other);
        } else if left(primary) && (ended(other) || left(other)) {
            add(&mut times[1], primary);
            add(&mut times[if ended(other) { 2 } else { 3 }], other);
        }
    }
    (table, times)
}

fn stored_pairs(store: &SqliteStore, role: Role) -> ([u64; 4], Times) {
    let (mut table, mut times) = ([0; 4], Times::default());
    for rollup in rollups(store).iter().filter(|r| r.role == role) {
        let pairs = rollup.pairs;
        let row =
            [pairs.both_succeeded, pairs.primary_failed, pairs.other_failed, pairs.both_failed];
        table = std::array::from_fn(|at| table[at] + row[at]);
        let Rollup { primary_duration, primary_left, paired_duration, paired_left, .. } = rollup;
        let of = [primary_duration, primary_left, paired_duration, paired_left];
        times.iter_mut().zip(of).for_each(|(sum, of)| sum.merge(of));
    }
    (table, times)
}

#[test]
fn pairs_are_counted_once_in_whatever_order_the_two_come() {
    let all = traffic();
    let is_primary = |b: &&Branch| b.role == Role::Primary;
    let primaries: Vec<_> = all.iter().filter(is_primary).cloned().collect();
    let others: Vec<_> = all.iter().filter(|b| !is_primary(b)).cloned().collect();
    let orders: [Vec<&[Branch]>; 4] = [
        vec![&all],
        vec![&primaries, &others],
        vec![&others, &primaries],
        // Some apart, some together, some twice.
        vec![&others[..100], &all[..200], &primaries[50..], &others, &primaries],
    ];
    for order in orders {
        let dir = Dir::new();
        for batch in order {
            // As a process of its own: nothing is remembered.
            write(&SqliteStore::open(dir.file("s.db")).unwrap(), batch).unwrap();
        }
        let store = SqliteStore::open(dir.file("s.db")).unwrap();
        for role in [Role::Shadow, Role::Control] {
            let expected = pair_table(&all, role);
            assert!(expected.0.iter().all(|count| *count > 0), "{expected:?}");
            assert!(expected.1[0].timeouts() > 0 && expected.1[2].timeouts() > 0);
            assert!(expected.1.iter().all(|times| times.count() > 0), "{expected:?}");
            assert_eq!(stored_pairs(&store, role), expected);
        }
        assert_eq!(stored_pairs(&store, Role::Primary), ([0; 4], Times::default()));
        assert_whole(&store);
    }
}

#[test]
fn nested_pairs_meet_under_their_own_parent() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let outer = [id(*START_NS / 1_000_000, 1), id(*START_NS / 1_000_000, 2)];
    let mut all = branches("inner", 4);
    for (n, branch) in all.iter_mut().enumerate() {
        place(branch, *START_NS, 10 + n as u32);
        branch.request_id = outer[0];
        branch.parent = Some(outer[n / 2]);
        branch.role = [Role::Primary, Role::Shadow][n % 2];
    }
    end(&mut all[0], 1);
    end(&mut all[3], 1);
    for branch in &all {
        write(&store, std::slice::from_ref(branch)).unwrap();
    }
    assert_eq!(stored_pairs(&store, Role::Shadow).0, [0, 1, 1, 0]);
}

#[test]
fn a_branch_that_comes_to_another_end_moves_its_counts() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let begun = traffic();
    write(&store, &begun).unwrap();
    let mut ended = begun.clone();
    for (n, branch) in ended.iter_mut().enumerate().filter(|(n, _)| n % 4 == 0) {
        end(branch, n * 5 % 11);
        branch.duration_ns /= 2;
        branch.failure = branch.failure.take().or_else(|| begun[n].failure.clone());
        let run = RunId(branch.id.to_string());
        block_on(store.log_status(&run, branch)).unwrap();
    }
    let run = RunId(ended[1].id.to_string());
    let failure = Failure::new(FailureKind::Protocol, "not HTTP");
    block_on(store.log_exception(&run, &failure)).unwrap();
    ended[1].failure = Some(failure);
    agree(&rollups(&store), &ended);
    for role in [Role::Shadow, Role::Control] {
        assert_eq!(stored_pairs(&store, role), pair_table(&ended, role));
    }
    assert_whole(&store);
}

#[test]
fn the_first_exposure_of_a_unit_is_the_first_by_time_in_whatever_order_they_come() {
    let all = traffic();
    let mut first: BTreeMap<(u64, u64), &Branch> = BTreeMap::new();
    for branch in all.iter().filter(|b| b.role == Role::Primary) {
        first.entry((branch.unit.unwrap(), branch.epoch.fingerprint())).or_insert(branch);
    }
    // 40 units, and epochs that differ in their number only are one.
    assert_eq!(first.len(), 80);
    for reversed in [false, true] {
        let dir = Dir::new();
        let store = SqliteStore::open(dir.file("s.db")).unwrap();
        let mut batches: Vec<_> = all.chunks(50).collect();
        if reversed {
            batches.reverse();
        }
        for batch in batches {
            write(&store, batch).unwrap();
        }
        let mut counts: BTreeMap<Name, u64> = BTreeMap::new();
        for ((unit, fingerprint), branch) in &first {
            let exposures = store.exposures(*unit).unwrap();
            let exposure = exposures
                .iter()
                .find(|e| e.epoch.is_some_and(|epoch| epoch.fingerprint() == *fingerprint));
            let exposure = exposure.unwrap();
            assert_eq!((exposure.branch, &exposure.config_id), (branch.id, &branch.config_id));
            let minute = branch.start_ns / MINUTE_NS * MINUTE_NS;
            let name = (branch.config_id.to_string(), Role::Primary, Some(*fingerprint), minute);
            *counts.entry(name).or_default() += 1;
        }
        for rollup in rollups(&store) {
            let expected = counts.get(&name(&rollup)).copied().unwrap_or(0);
            assert_eq!(rollup.first_exposures, expected);
        }
    }
}

#[test]
fn sums_by_bucket_of_the_unit_are_those_of_its_branches() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let all = traffic();
    for batch in all.chunks(90) {
        write(&store, batch).unwrap();
    }
    let shadows = RollupFilter::new().role(Role::Shadow);
    let buckets = store.unit_buckets(&shadows).unwrap();
    // One for each of the 40 units in each of two fingerprints; two units may share one.
    assert!((70..=80).contains(&buckets.len()), "{}", buckets.len());
    assert!(buckets.iter().all(|bucket| bucket.bucket < 4_096));
    let ended: Vec<_> = all
        .iter()
        .filter(|b| b.role == Role::Shadow)
        .filter(|b| matches!(b.status, Status::Success | Status::Failed))
        .collect();
    let of = |status| ended.iter().filter(|b| b.status == status).count() as u64;
    assert_eq!(buckets.iter().map(|b| b.success).sum::<u64>(), of(Status::Success));
    assert_eq!(buckets.iter().map(|b| b.failed).sum::<u64>(), of(Status::Failed));
    let us = |b: &&Branch| b.duration_ns / 1_000;
    let sum: u64 = ended.iter().map(us).sum();
    assert_eq!(buckets.iter().map(|b| b.duration_us).sum::<u64>(), sum);
    let squares: f64 = ended.iter().map(us).map(|us| (us * us) as f64).sum();
    let found: f64 = buckets.iter().map(|b| b.duration_us_squares).sum();
    assert!((found / squares - 1.0).abs() < 1e-12, "{found} {squares}");
    assert!(buckets.iter().map(|b| b.timed_out).sum::<u64>() > 0);
    let timed_out =
        |b: &&&Branch| b.failure.as_ref().is_some_and(|f| f.kind == FailureKind::Timeout);
    let mut latencies = UnitLatencies::new();
    let ended_in_time = ended.iter().filter(|branch| !timed_out(branch));
    ended_in_time.for_each(|branch| latencies.add(branch.duration_ns));
    let mut found = UnitLatencies::new();
    buckets.iter().for_each(|bucket| found.merge(&bucket.latencies));
    assert_eq!(found, latencies);
    let without_end = all.iter().filter(|b| b.role == Role::Shadow).count() - ended.len();
    assert_eq!(buckets.iter().map(|b| b.unfinished).sum::<u64>(), without_end as u64);
}

#[test]
fn a_file_of_version_5_learns_which_requests_of_its_units_never_ended() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = SqliteStore::open(&file).unwrap();
    write(&store, &traffic()).unwrap();
    drop(store);
    let before = tables(&file);
    back_to_version_5(&file);
    assert_whole(&SqliteStore::open_read_only(&file).unwrap());
    let error = SqliteStore::open_read_only(&file).unwrap().snapshot().unwrap_err().to_string();
    let expected = format!(
        "{} is a store of version 5, which has no name among replicas yet; open it for writing once, as \
         `spearmint serve` and `spearmint store prune` do",
        file.display()
    );
    assert_eq!(error, expected);
    let store = SqliteStore::open(&file).unwrap();
    assert_whole(&store);
    store.snapshot().unwrap();
    drop(store);
    assert!(tables(&file) == before);
}

#[test]
fn a_file_of_version_6_learns_how_long_the_requests_of_its_units_took() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = SqliteStore::open(&file).unwrap();
    write(&store, &traffic()).unwrap();
    drop(store);
    let before = tables(&file);
    back_to_version_6(&file);
    let reader = SqliteStore::open_read_only(&file).unwrap();
    assert_whole(&reader);
    let buckets = reader.unit_buckets(&RollupFilter::new()).unwrap();
    assert!(buckets.iter().all(|bucket| bucket.latencies == UnitLatencies::new()));
    assert!(buckets.iter().map(|bucket| bucket.success).sum::<u64>() > 0);
    assert_whole(&SqliteStore::open(&file).unwrap());
    assert!(tables(&file) == before);
}

#[test]
fn latencies_that_are_not_those_of_the_branches_are_a_fault() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    write(&store, &traffic()).unwrap();
    let connection = Connection::open(dir.file("s.db")).unwrap();
    let one = "(SELECT min(bucket) FROM unit_bucket WHERE success > 0)";
    for wrong in ["x''", "x'ff'", "x'0a01'"] {
        let sql = format!(
            "UPDATE unit_bucket SET latencies = {wrong} WHERE bucket = {one} AND success > 0"
        );
        let changed = connection.execute(&sql, []).unwrap();
        let expected = format!("{changed} buckets of units are not the sums of their branches");
        assert_eq!(store.check(|_| {}).unwrap().faults, [expected]);
    }
}

/// What each shadow was compared to, every fifth differently.
fn comparisons(all: &[Branch]) -> Vec<Comparison> {
    let pairs = all.chunks(3).enumerate();
    pairs
        .map(|(n, request)| {
            let mut differences = Differences::default();
            if n % 5 == 0 {
                differences.push("/price", DifferenceKind::Changed, Some("1"), Some("2"));
            }
            Comparison::new(&request[0], &request[1], differences)
        })
        .collect()
}

#[test]
fn compared_pairs_stand_in_the_minute_of_the_one_that_was_compared() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let all = traffic();
    let compared = comparisons(&all);
    // Before the branches are there, and some of them twice.
    for batch in [&compared[..], &compared[20..40]] {
        block_on(store.log_comparisons(batch)).unwrap();
    }
    write(&store, &all).unwrap();
    let mut expected: BTreeMap<Name, [u64; 2]> = BTreeMap::new();
    for (request, comparison) in all.chunks(3).zip(&compared) {
        let shadow = &request[1];
        let minute = shadow.start_ns / MINUTE_NS * MINUTE_NS;
        let epoch = Some(shadow.epoch.fingerprint());
        let name = (shadow.config_id.to_string(), Role::Shadow, epoch, minute);
        expected.entry(name).or_default()[usize::from(!comparison.is_equal())] += 1;
    }
    for rollup in rollups(&store) {
        let expected = expected.get(&name(&rollup)).copied().unwrap_or_default();
        assert_eq!([rollup.pairs.equal, rollup.pairs.different], expected);
    }
}

/// Every table of roll-ups, as text.
fn tables(file: &std::path::Path) -> Vec<String> {
    let connection = Connection::open(file).unwrap();
    let mut found = Vec::new();
    for sql in [
        "SELECT experiment || ' ' || config || ' ' || role || ' ' || epoch || ' ' || minute || ' '
         || span || ' ' || success || ' ' || failed || ' ' || skipped || ' ' || cancelled || ' '
         || hex(state) FROM rollup ORDER BY experiment, config, role, epoch, minute",
        "SELECT experiment || ' ' || config || ' ' || role || ' ' || epoch || ' ' || bucket || ' '
         || success || ' ' || failed || ' ' || timed_out || ' ' || duration_us || ' '
         || duration_us_squares || ' ' || unfinished || ' ' || hex(latencies) FROM unit_bucket",
        "SELECT unit || ' ' || experiment || ' ' || epoch || ' ' || config || ' ' || hex(branch)
         FROM exposure",
        "SELECT experiment || ' ' || hour || ' ' || branches || ' ' || bytes || ' ' || removed
         FROM held",
        "SELECT hex(branch) || ' ' || epoch FROM comparison",
    ] {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        found.extend(rows.map(Result::unwrap));
    }
    found
}

#[test]
fn a_file_without_roll_ups_gets_those_of_the_branches_it_has() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let all = traffic();
    let store = SqliteStore::open(&file).unwrap();
    for batch in all.chunks(70).rev() {
        write(&store, batch).unwrap();
    }
    block_on(store.log_comparisons(&comparisons(&all))).unwrap();
    drop(store);
    let before = tables(&file);
    assert!(before.len() > 1_000, "{}", before.len());
    back_to_version_3(&file);
    // Whoever only reads it finds none, and the branches all the same.
    let reader = SqliteStore::open_read_only(&file).unwrap();
    assert_eq!(rollups(&reader), []);
    assert_eq!(reader.counts().unwrap().branches, 900);
    assert_whole(&SqliteStore::open(&file).unwrap());
    // (Thousands of rows are not to be printed.)
    assert!(tables(&file) == before);
}

#[test]
fn several_processes_add_to_the_same_minute() {
    let dir = Dir::new();
    let all = traffic();
    // Two stores, each with a memory of its own.
    let stores = [0, 1].map(|_| SqliteStore::open(dir.file("s.db")).unwrap());
    for (n, batch) in all.chunks(30).enumerate() {
        write(&stores[n % 2], batch).unwrap();
    }
    agree(&rollups(&stores[0]), &all);
    assert_eq!(stored_pairs(&stores[1], Role::Shadow), pair_table(&all, Role::Shadow));
    assert_whole(&stores[0]);
}

#[test]
fn a_damaged_roll_up_is_said_and_does_not_keep_branches_from_being_recorded() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let all = traffic();
    write(&store, &all[..60]).unwrap();
    let connection = Connection::open(dir.file("s.db")).unwrap();
    connection.execute("UPDATE rollup SET state = x'01ff'", []).unwrap();
    let error = store.rollups(&RollupFilter::new()).unwrap().next().unwrap().unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("damaged"));
    write(&store, &all[60..]).unwrap();
    let kept: Vec<BranchId> =
        store.branches(&Filter::new()).unwrap().map(|row| row.unwrap().id).collect();
    assert_eq!(kept.len(), 900);
}

#[test]
fn a_summary_of_any_stretch_of_time_counts_each_branch_in_it_once() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let all = traffic();
    write(&store, &all).unwrap();
    let times = [0, 1, 59, 60, 61, 100, 119, 3_600, 7_201, 10_770, 20_000];
    let times = times.map(|second| *START_NS + second * 1_000_000_000);
    for since in [None].into_iter().chain(times.map(Some)) {
        for until in [None].into_iter().chain(times.map(Some)) {
            let mut filter = Filter::new().config("stable");
            (filter.since_ns, filter.until_ns) = (since, until);
            let expected = store.branches(&filter).unwrap().count() as u64;
            let summary = store.summary(&filter).unwrap();
            let found: u64 = summary.iter().map(|config| config.requests).sum();
            assert_eq!(found, expected, "{since:?} {until:?}");
        }
    }
}

#[test]
fn a_summary_does_not_read_branches() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    write(&store, &traffic()).unwrap();
    let before = store.summary(&Filter::new()).unwrap();
    let connection = Connection::open(dir.file("s.db")).unwrap();
    connection.execute("DELETE FROM branch", []).unwrap();
    assert_eq!(store.summary(&Filter::new()).unwrap(), before);
    let failed = Filter::new().status(Status::Failed);
    assert_eq!(store.summary(&failed).unwrap(), []);
}
