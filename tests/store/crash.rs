//! `kill -9` in the middle of writing.

use super::support::{Dir, Second, assert_whole, branches, id, write};
use tower_spearmint::store::{Filter, SqliteStore};

const BATCH: usize = 200;

/// The second process: writes batch after batch and says how many are committed.
#[test]
fn second_process_that_writes() {
    let Some(file) = Second::file() else { return };
    let store = SqliteStore::open(file).unwrap();
    let mut batch = branches("crash", BATCH);
    let mut number = store.counts().unwrap().branches as u32;
    loop {
        for branch in &mut batch {
            branch.id = id(1_790_000_000_000, number);
            branch.request_id = branch.id;
            number += 1;
        }
        write(&store, &batch).unwrap();
        println!("said {number}");
    }
}

#[test]
fn a_process_killed_while_writing_loses_nothing_it_had_committed() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let mut before = 0;
    for round in 0..6 {
        let mut second = Second::start("crash::second_process_that_writes", &file);
        let mut said = 0;
        // Now after one batch, now after many (the log is copied into the file about each 40).
        for _ in 0..1 + round * 30 {
            said = second.next().unwrap().parse().unwrap();
        }
        second.kill();
        while let Some(number) = second.next() {
            said = number.parse().unwrap();
        }

        let connection = rusqlite::Connection::open(&file).unwrap();
        let check: String =
            connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        drop(connection);
        let store = SqliteStore::open(&file).unwrap();
        let kept = store.branches(&Filter::new()).unwrap().map(|row| row.unwrap().id);
        let mut count = 0;
        for kept in kept {
            assert_eq!(kept, id(1_790_000_000_000, count));
            count += 1;
        }
        assert_whole(&store);
        // At most the batch that was committed and not spoken of yet.
        assert!(count == said || count == said + BATCH as u32, "said {said}, kept {count}");
        assert!(count > before);
        before = count;
    }
}
