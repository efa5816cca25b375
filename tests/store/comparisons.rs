//! Comparisons: counted by path, with examples, in bounds.

use super::support::{Dir, as_json, block_on, branches_of, id, place, write};
use rusqlite::Connection;
use serde_json::json;
use tower_spearmint::{
    Branch, ConfigPool,
    branch::Role,
    compare::{Comparison, DifferenceKind, Differences},
    record::{BatchError, LoggerBackend},
    store::{ConfigDifferences, DifferenceFilter, NoiseThresholds, SqliteStore},
};

/// Pairs of one experiment, each a millisecond after the one before.
struct Pairs {
    stable: Branch,
    candidate: Branch,
    number: u32,
}

const START_MS: u64 = 1_790_000_000_000;

impl Pairs {
    fn new(experiment: &str) -> Self {
        let pool = ConfigPool::from_values([
            json!({ "config_id": "stable", "upstream": "http://127.0.0.1:9001" }),
            json!({ "config_id": "candidate", "token": "hidden" }),
        ]);
        let [stable, candidate] = branches_of(pool.unwrap(), experiment, 2).try_into().unwrap();
        Self { stable, candidate, number: 0 }
    }

    fn next(&mut self, role: Role, differences: Differences) -> Comparison {
        let at_ms = START_MS + u64::from(self.number);
        self.at(at_ms, role, differences)
    }

    fn at(&mut self, at_ms: u64, role: Role, differences: Differences) -> Comparison {
        self.number += 1;
        place(&mut self.stable, at_ms * 1_000_000, 2 * self.number);
        let mut other =
            if role == Role::Control { self.stable.clone() } else { self.candidate.clone() };
        other.id = id(at_ms, 2 * self.number + 1);
        other.request_id = self.stable.id;
        other.role = role;
        Comparison::new(&self.stable, &other, differences)
    }
}

fn differing(paths: &[&str]) -> Differences {
    let mut differences = Differences::default();
    for path in paths {
        differences.push(*path, DifferenceKind::Changed, Some("1"), Some("2"));
    }
    differences
}

fn keep(store: &SqliteStore, batch: &[Comparison]) -> Result<(), BatchError> {
    block_on(store.log_comparisons(batch))
}

fn only(store: &SqliteStore, filter: &DifferenceFilter) -> ConfigDifferences {
    let [one] = store.differences(filter).unwrap().try_into().unwrap();
    one
}

fn rows(connection: &Connection, table: &str) -> i64 {
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn paths_are_counted_by_pairs_beside_the_noise_of_the_control() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let mut pairs = Pairs::new("ranker");
    let mut batch = Vec::new();
    for n in 0..100 {
        // The time always differs, the price in every tenth; the order of two items is noise.
        let mut paths = vec!["/time"];
        if n % 10 == 0 {
            paths.push("/price");
        }
        if n % 4 == 0 {
            paths.extend(["/items/*/id", "/items/*/id"]);
        }
        batch.push(pairs.next(Role::Shadow, differing(&paths)));
        let noise = if n % 5 == 0 { vec!["/time", "/items/*/id"] } else { vec!["/time"] };
        batch.push(pairs.next(Role::Control, differing(&noise)));
    }
    batch.extend((0..100).map(|_| pairs.next(Role::Shadow, Differences::default())));
    // In two batches, and one of them twice: what is there already is not counted again.
    keep(&store, &batch[..120]).unwrap();
    keep(&store, &batch[60..]).unwrap();

    let found = only(&store, &DifferenceFilter::new());
    assert_eq!((&*found.experiment, found.config_id.as_str()), ("ranker", "candidate"));
    assert_eq!(
        (found.role, found.compared, found.equal, found.different),
        (Role::Shadow, 200, 100, 100)
    );
    let control = found.control.clone().unwrap();
    assert_eq!((control.compared, control.equal, control.different), (100, 0, 100));
    let paths: Vec<_> = found
        .paths
        .iter()
        .map(|p| (&*p.path, p.pairs, p.rate, p.noise.unwrap(), p.beyond_noise))
        .collect();
    assert_eq!(
        paths,
        [
            ("/price", 10, 0.05, 0.0, true),
            ("/time", 100, 0.5, 1.0, false),
            ("/items/*/id", 25, 0.125, 0.2, false),
        ]
    );
    assert_eq!(found.paths[0].net, Some(0.05));
    assert!(found.is_beyond_noise());
    assert_eq!(found.paths[0].kinds, [(DifferenceKind::Changed, 10)].into());
    // Newest first, and both branches are named.
    let example = &found.paths[0].examples[0];
    assert_eq!((found.paths[0].examples.len(), example.primary.as_deref()), (3, Some("1")));
    let last = &batch[180];
    assert_eq!((example.branch_id, example.primary_id), (last.branch, last.primary));

    let few =
        DifferenceFilter::new().experiment("ranker").config("cand").path("/items").examples(1);
    let found = only(&store, &few);
    assert_eq!((found.paths.len(), found.paths[0].examples.len()), (1, 1));
    assert!(!found.is_beyond_noise());
    let found = only(&store, &DifferenceFilter::new().limit(1));
    assert_eq!((found.paths.len(), found.more_paths), (1, 2));
    let strict = NoiseThresholds { relative: 0.2, absolute: 0.06 };
    assert!(!only(&store, &DifferenceFilter::new().thresholds(strict)).is_beyond_noise());
    assert_eq!(store.counts().unwrap().comparisons, 300);
}

#[test]
fn without_a_control_every_path_counts_and_other_experiments_lend_none() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let (mut one, mut other) = (Pairs::new("one"), Pairs::new("other"));
    keep(&store, &[one.next(Role::Shadow, differing(&["/time"]))]).unwrap();
    other.number = 1_000;
    keep(&store, &[other.next(Role::Control, differing(&["/time"]))]).unwrap();
    let found = only(&store, &DifferenceFilter::new());
    assert_eq!((found.control.clone(), found.paths[0].noise), (None, None));
    assert!(found.is_beyond_noise());
    let error = store.differences(&DifferenceFilter::new().experiment("none")).unwrap_err();
    assert_eq!(error.to_string(), "no experiment is named `none`; there is one, other");
}

#[test]
fn a_pair_with_more_differences_than_are_kept_counts_the_others_without_a_path() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let paths: Vec<_> = (0..40).map(|n| format!("/{n}")).collect();
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    keep(&store, &[Pairs::new("e").next(Role::Shadow, differing(&paths))]).unwrap();
    let found = only(&store, &DifferenceFilter::new());
    assert_eq!((found.paths.len(), found.uncounted, found.different), (32, 8, 1));
}

#[test]
fn paths_beyond_the_bound_count_together_and_long_ones_are_cut() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let mut pairs = Pairs::new("e");
    let mut batch: Vec<_> = (0..626_u32)
        .map(|n| {
            let paths: Vec<_> = (0..16).map(|m| format!("/{n}/{m}")).collect();
            let paths: Vec<_> = paths.iter().map(String::as_str).collect();
            pairs.next(Role::Shadow, differing(&paths))
        })
        .collect();
    let last = batch.pop().unwrap();
    batch[0] = pairs.next(Role::Shadow, differing(&[&"/long".repeat(1_000)]));
    keep(&store, &batch).unwrap();
    // 624 × 16 and a long one are there; so there is room for 15 more, and one is left over.
    keep(&store, &[last]).unwrap();
    keep(&store, &[pairs.next(Role::Shadow, differing(&["/one", "/two", "/624/3"]))]).unwrap();
    let found = only(&store, &DifferenceFilter::new().examples(20));
    let other = found.paths.iter().find(|path| path.path == "…other").unwrap();
    assert_eq!((found.paths.len(), other.pairs, other.examples.len()), (10_001, 2, 0));
    let long = found.paths.iter().find(|path| path.path.starts_with("/long")).unwrap();
    assert!(long.path.len() < 260 && long.path.ends_with('…'));
}

#[test]
fn examples_of_a_path_are_bounded_and_stay_fresh() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let mut pairs = Pairs::new("e");
    let kept = || {
        let store = SqliteStore::open_read_only(&file).unwrap();
        let found = only(&store, &DifferenceFilter::new().examples(100));
        found.paths[0].examples.iter().map(|example| example.branch_id).collect::<Vec<_>>()
    };
    let mut store = SqliteStore::open(&file).unwrap();
    let batch: Vec<_> = (0..50).map(|_| pairs.next(Role::Shadow, differing(&["/time"]))).collect();
    keep(&store, &batch).unwrap();
    let first: Vec<_> = batch[..20].iter().rev().map(|comparison| comparison.branch).collect();
    assert_eq!(kept(), first);
    for minute in 1..=3 {
        // After a restart it knows how many there are.
        drop(store);
        store = SqliteStore::open(&file).unwrap();
        let at_ms = START_MS + minute * 61_000;
        let late: Vec<_> =
            (0..5).map(|n| pairs.at(at_ms + n, Role::Shadow, differing(&["/time"]))).collect();
        keep(&store, &late).unwrap();
        let now = kept();
        assert_eq!((now.len(), now[0]), (20, late[0].branch));
        assert_eq!(now[minute as usize..], first[..20 - minute as usize]);
    }
    let connection = Connection::open(&file).unwrap();
    assert_eq!((rows(&connection, "difference"), rows(&connection, "comparison")), (20, 65));
}

#[test]
fn an_equal_pair_takes_few_bytes() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    // Closed once, the empty tables are in the file too.
    drop(SqliteStore::open(&file).unwrap());
    let store = SqliteStore::open(&file).unwrap();
    let mut pairs = Pairs::new("e");
    let count = 20_000;
    let batch: Vec<_> =
        (0..count).map(|_| pairs.next(Role::Shadow, Differences::default())).collect();
    let before = std::fs::metadata(&file).unwrap().len();
    batch.chunks(1_000).for_each(|part| keep(&store, part).unwrap());
    drop(store);
    let each = (std::fs::metadata(&file).unwrap().len() - before) as f64 / f64::from(count);
    assert!(each <= 40.0, "{each:.1} bytes");
}

#[test]
fn the_views_name_what_was_compared_and_no_secret_is_kept() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = SqliteStore::open(&file).unwrap();
    let mut pairs = Pairs::new("ranker");
    let one = pairs.next(Role::Shadow, differing(&["/price"]));
    let mut shadow = pairs.candidate.clone();
    (shadow.id, shadow.request_id) = (one.branch, one.request_id);
    write(&store, &[pairs.stable.clone(), shadow]).unwrap();
    keep(&store, std::slice::from_ref(&one)).unwrap();
    let connection = Connection::open(&file).unwrap();
    let row: [String; 5] = connection
        .query_row(
            "SELECT branch_id, primary_id, experiment, config_id, role FROM comparisons",
            [],
            |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]),
        )
        .unwrap();
    let (branch, primary) = (one.branch.to_string(), one.primary.to_string());
    assert_eq!(row, [&*branch, &*primary, "ranker", "candidate", "shadow"]);
    let row: (String, String, i64, i64) = connection
        .query_row("SELECT path, kind, pairs, compared FROM differences", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    assert_eq!(row, ("/price".to_owned(), "changed".to_owned(), 1, 1));
    drop((store, connection));
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"hidden"));
    // The JSON has the names of the records.
    let found = as_json(&only(&SqliteStore::open(&file).unwrap(), &DifferenceFilter::new()));
    assert_eq!(found["paths"][0]["kinds"], json!({ "changed": 1 }));
    assert_eq!(found["paths"][0]["examples"][0]["branch_id"], json!(branch));
}

#[test]
fn a_batch_that_fails_counts_nothing_and_the_next_one_is_whole() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = SqliteStore::open(&file).unwrap();
    let mut pairs = Pairs::new("e");
    let one = pairs.next(Role::Shadow, differing(&["/a"]));
    let connection = Connection::open(&file).unwrap();
    connection
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON path_count BEGIN SELECT raise(ABORT, 'no'); END",
        )
        .unwrap();
    assert_eq!(keep(&store, std::slice::from_ref(&one)).unwrap_err().lost, 1);
    assert_eq!((rows(&connection, "comparison"), rows(&connection, "path")), (0, 0));
    connection.execute_batch("DROP TRIGGER full").unwrap();
    keep(&store, &[one]).unwrap();
    let found = only(&store, &DifferenceFilter::new());
    assert_eq!((found.compared, found.paths[0].pairs, found.paths[0].examples.len()), (1, 1, 1));
}
