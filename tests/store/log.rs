//! The write-ahead log.

use super::support::{Dir, branches, write};
use rusqlite::Connection;
use serde_json::json;
use std::{
    thread,
    time::{Duration, Instant},
};
use tower_spearmint::{Branch, store::SqliteStore};

/// How many pages the log has, and how many of them are in the file.
fn pages(connection: &Connection) -> (i64, i64) {
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(1)?, row.get(2)?));
    connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], row).unwrap()
}

/// 40 KiB each.
fn large(count: usize) -> Vec<Branch> {
    let mut branches = branches("log", count);
    for branch in &mut branches {
        branch.output = Some(json!("v".repeat(40 << 10)));
    }
    branches
}

/// Of 4,500 pages and more; before it had 16,384, no write would copy it.
#[test]
fn a_long_log_is_copied_by_nobody_who_writes_and_begins_anew() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let looking = Connection::open(dir.file("s.db")).unwrap();
    write(&store, &large(450)).unwrap();
    let (all, _) = pages(&looking);
    assert!((4_500..16_000).contains(&all), "{all} pages");
    let began = Instant::now();
    while pages(&looking) != (all, all) {
        assert!(began.elapsed() < Duration::from_secs(30), "{:?} of the log", pages(&looking));
        thread::sleep(Duration::from_millis(5));
    }
    write(&store, &large(1)).unwrap();
    let (all, _) = pages(&looking);
    assert!(all < 100, "{all} pages");
    assert_eq!(store.counts().unwrap().branches, 451);
}

/// What was copied before a reader began is in the file; what came since waits for it, and writes do not.
#[test]
fn a_log_that_a_reader_holds_up_begins_anew_when_it_has_read() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let looking = Connection::open(dir.file("s.db")).unwrap();
    let reading = Connection::open(dir.file("s.db")).unwrap();
    write(&store, &large(1)).unwrap();
    reading.execute_batch("BEGIN").unwrap();
    let count = || {
        reading.query_row("SELECT count(*) FROM branch", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(count(), 1);
    for _ in 0..3 {
        write(&store, &large(200)).unwrap();
    }
    assert_eq!(count(), 1);
    let (all, copied) = pages(&looking);
    assert!(all > 6_000 && copied < 1_000, "{copied} of {all} pages");
    reading.execute_batch("COMMIT").unwrap();
    let began = Instant::now();
    // The log is looked at when something was written.
    while pages(&looking).0 > 2_000 {
        assert!(began.elapsed() < Duration::from_secs(30), "{:?} of the log", pages(&looking));
        write(&store, &large(1)).unwrap();
        thread::sleep(Duration::from_millis(5));
    }
}
