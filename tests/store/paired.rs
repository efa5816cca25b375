//! How long both sides of pairs took, in files of before.

use super::support::{Dir, assert_whole};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use tower_spearmint::{
    branch::Role,
    store::{RollupFilter, SqliteStore},
};

/// Of twelve primaries their callers left four; beside one of them the shadow was left, too.
fn version_6(dir: &Dir) -> PathBuf {
    let file = dir.file("v6.db");
    let connection = Connection::open(&file).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.execute_batch(include_str!("version_6.sql")).unwrap();
    file
}

/// How many ended beside their primaries; how many primaries ended and were left; how many beside either, and with it.
fn counts(store: &SqliteStore) -> [u64; 5] {
    let rows = store.rollups(&RollupFilter::new().role(Role::Shadow)).unwrap();
    rows.map(Result::unwrap).fold([0; 5], |sum, row| {
        let times = [row.primary_duration, row.primary_left, row.paired_duration, row.paired_left];
        let [ended, left, paired, with] = times.map(|times| times.count());
        let row = [row.pairs.ended(), ended, left, paired, with];
        std::array::from_fn(|at| sum[at] + row[at])
    })
}

fn remove_branches(file: &Path) {
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("DELETE FROM branch").unwrap();
}

#[test]
fn a_file_of_version_6_learns_how_long_its_shadows_took_beside_which_primaries() {
    let dir = Dir::new();
    let file = version_6(&dir);
    let before = SqliteStore::open_read_only(&file).unwrap();
    // Where something was left, its roll-ups do not tell it.
    assert_eq!(counts(&before)[..3], [8, 8, 0]);
    assert_whole(&before);
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(counts(&store), [8, 8, 4, 11, 1]);
    assert_whole(&store);
    drop((before, store));
    assert_eq!(counts(&SqliteStore::open(&file).unwrap()), [8, 8, 4, 11, 1]);
}

#[test]
fn of_branches_that_are_gone_nothing_is_made_up() {
    let dir = Dir::new();
    let file = version_6(&dir);
    remove_branches(&file);
    assert_eq!(counts(&SqliteStore::open(&file).unwrap()), [8, 8, 0, 0, 0]);
}
