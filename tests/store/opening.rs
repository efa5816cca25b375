//! Which files are opened, and what is said of the others.

use super::support::{Dir, assert_whole, back_to_version_3, back_to_version_4, branches, write};
use rusqlite::Connection;
use std::{error::Error, fs, path::Path, thread};
use tower_spearmint::{
    assign::Reason,
    branch::{Role, TraceId, TraceParent},
    store::{DifferenceFilter, Filter, RollupFilter, SCHEMA_VERSION, SqliteStore, StoreError},
};

/// Refused both for writing and for reading, and left as it was.
fn refused(file: &Path) -> StoreError {
    let before = fs::read(file).unwrap();
    let error = SqliteStore::open(file).unwrap_err();
    let reading = SqliteStore::open_read_only(file).unwrap_err();
    assert_eq!(error.to_string(), reading.to_string());
    assert_eq!(fs::read(file).unwrap(), before);
    assert!(!file.with_extension("db-wal").exists());
    error
}

#[test]
fn a_newer_file_is_refused_with_both_versions() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    drop(SqliteStore::open(&file).unwrap());
    let newer = SCHEMA_VERSION + 1;
    Connection::open(&file).unwrap().pragma_update(None, "user_version", newer).unwrap();
    assert_eq!(
        refused(&file).to_string(),
        format!(
            "{} is a store of version {newer}, and this program knows versions up to \
             {SCHEMA_VERSION}; it is left as it was: use a newer program, or name another file",
            file.display()
        )
    );
}

#[test]
fn a_database_of_another_application_is_refused() {
    let dir = Dir::new();
    for (name, sql, says) in [
        ("marked.db", "PRAGMA application_id = 7; PRAGMA user_version = 3", "0x00000007 version 3"),
        ("plain.db", "CREATE TABLE t (x)", "0x00000000 version 0"),
    ] {
        let file = dir.file(name);
        Connection::open(&file).unwrap().execute_batch(sql).unwrap();
        assert_eq!(
            refused(&file).to_string(),
            format!(
                "{} is a database of another application (application id {says}; a store is \
                 0x53504d54 version {SCHEMA_VERSION}); it is left as it was: name another file",
                file.display()
            )
        );
    }
}

#[test]
fn a_file_that_is_no_database_or_is_damaged_is_refused() {
    let dir = Dir::new();
    let text = dir.file("text.db");
    fs::write(&text, "experiment: ranker\n".repeat(100)).unwrap();
    let damaged = dir.file("damaged.db");
    let store = SqliteStore::open(&damaged).unwrap();
    write(&store, &branches("damaged", 100)).unwrap();
    drop(store);
    let mut bytes = fs::read(&damaged).unwrap();
    // The header is whole, and nothing behind the first page is.
    bytes[4096..].fill(0x5a);
    fs::write(&damaged, bytes).unwrap();

    let error = refused(&text);
    assert_eq!(
        error.to_string(),
        format!(
            "{} is not a database, or a damaged one; name another file, or save what is left \
             with `sqlite3 FILE .recover`",
            text.display()
        )
    );
    assert!(error.source().unwrap().to_string().contains("not a database"));
    let error = SqliteStore::open(&damaged).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn a_missing_directory_or_file_is_named() {
    let dir = Dir::new();
    let file = dir.path().join("no/such/s.db");
    assert_eq!(
        SqliteStore::open(&file).unwrap_err().to_string(),
        format!(
            "{}: there is no directory {}; create it, or name a file elsewhere",
            file.display(),
            file.parent().unwrap().display()
        )
    );
    let file = dir.file("none.db");
    assert_eq!(
        SqliteStore::open_read_only(&file).unwrap_err().to_string(),
        format!(
            "{}: there is no store there yet; check the name, or record something to it first",
            file.display()
        )
    );
    assert!(!file.exists());
    let error = SqliteStore::open(dir.path()).unwrap_err();
    assert!(error.to_string().contains("check that it is a file"), "{error}");
}

#[test]
fn many_that_create_the_same_file_at_once_share_it() {
    for _ in 0..10 {
        let dir = Dir::new();
        let batches: Vec<_> = (0..4).map(|n| branches(&format!("e{n}"), 10)).collect();
        thread::scope(|scope| {
            for batch in &batches {
                let file = dir.file("s.db");
                scope.spawn(move || write(&SqliteStore::open(file).unwrap(), batch).unwrap());
            }
        });
        let store = SqliteStore::open_read_only(dir.file("s.db")).unwrap();
        let counts = store.counts().unwrap();
        // Made by four pools, the three configs are equal all the same.
        assert_eq!((counts.branches, counts.experiments, counts.configs), (40, 4, 3));
    }
}

#[test]
fn a_file_that_knows_fewer_names_learns_the_new_ones() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    drop(SqliteStore::open(&file).unwrap());
    let connection = Connection::open(&file).unwrap();
    connection.execute("DELETE FROM code WHERE name IN ('timeout', 'success')", []).unwrap();
    // As if a newer version had been here.
    connection.execute("INSERT INTO code VALUES ('status', 9, 'pending')", []).unwrap();
    let store = SqliteStore::open(&file).unwrap();
    let batch = branches("names", 3);
    write(&store, &batch).unwrap();
    let status: i64 =
        connection.query_row("SELECT DISTINCT status FROM branch", [], |row| row.get(0)).unwrap();
    assert_eq!(status, 10);
    assert_eq!(store.branches(&Filter::new()).unwrap().count(), 3);
    connection
        .execute("UPDATE branch SET status = 9 WHERE id = ?1", [batch[0].id.as_bytes()])
        .unwrap();
    let error = store.branches(&Filter::new()).unwrap().next().unwrap().unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("written by a newer version"), "{cause}");
}

fn version_1(dir: &Dir) -> std::path::PathBuf {
    let file = dir.file("v1.db");
    let connection = Connection::open(&file).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.execute_batch(include_str!("version_1.sql")).unwrap();
    file
}

#[test]
fn a_file_of_version_4_learns_how_long_the_primaries_of_its_pairs_took() {
    let dir = Dir::new();
    let file = dir.file("v4.db");
    let connection = Connection::open(&file).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.execute_batch(include_str!("version_4.sql")).unwrap();
    drop(connection);
    let primaries = |store: &SqliteStore| -> Vec<(u64, u64)> {
        let shadows = RollupFilter::new().role(Role::Shadow);
        let rows = store.rollups(&shadows).unwrap().map(Result::unwrap);
        rows.map(|row| (row.pairs.ended(), row.primary_duration.count())).collect()
    };
    assert_eq!(primaries(&SqliteStore::open_read_only(&file).unwrap()), [(4, 0)]);
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(primaries(&store), [(4, 4)]);
    assert_whole(&store);
}

/// The two branches of the file of version 1.
fn the_old_branches(store: &SqliteStore) {
    let rows: Vec<_> = store.branches(&Filter::new()).unwrap().map(Result::unwrap).collect();
    let [primary, shadow] = &*rows else { panic!("{rows:?}") };
    assert_eq!((primary.duration_ns, primary.output.clone()), (2_000_000, Some("ok".into())));
    assert_eq!(shadow.request_id, primary.id);
    assert_eq!(shadow.failure.as_ref().unwrap().message, "no response within 2s");
    assert_eq!((shadow.retry_count, shadow.unit, shadow.probability), (2, Some(7), 0.5));
    assert_eq!((shadow.reason, shadow.epoch), (None, None));
    assert_eq!((shadow.first_byte_ns, shadow.bytes_in, shadow.bytes_out), (None, None, None));
}

#[test]
fn a_file_of_version_1_is_read_as_it_is() {
    let dir = Dir::new();
    let file = version_1(&dir);
    let store = SqliteStore::open_read_only(&file).unwrap();
    the_old_branches(&store);
    assert_eq!(store.summary(&Filter::new()).unwrap().len(), 2);
    let by_weight = Filter::new().reason(Reason::Weight);
    assert_eq!(store.branches(&by_weight).unwrap().count(), 0);
    assert_eq!(store.counts().unwrap().comparisons, 0);
    assert_eq!(store.differences(&DifferenceFilter::new()).unwrap(), []);
    let version = |file| {
        let connection = Connection::open(file).unwrap();
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0)).unwrap()
    };
    assert_eq!(version(&file), 1);
}

#[test]
fn a_file_of_version_1_becomes_one_of_this_version_with_all_it_holds_and_takes_more() {
    let dir = Dir::new();
    let file = version_1(&dir);
    // A reader that was there before goes on.
    let reader = SqliteStore::open_read_only(&file).unwrap();
    let mut rows = reader.branches(&Filter::new()).unwrap();
    let store = SqliteStore::open(&file).unwrap();
    assert!(rows.next().unwrap().is_ok());
    the_old_branches(&store);
    the_old_branches(&reader);
    write(&store, &branches("new", 3)).unwrap();
    drop(store);
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(store.counts().unwrap().branches, 5);
    let connection = Connection::open(&file).unwrap();
    let (version, whole): (i32, String) = (
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap(),
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap(),
    );
    assert_eq!((version, whole.as_str()), (SCHEMA_VERSION, "ok"));
    let (role, bytes): (String, Option<i64>) = connection
        .query_row("SELECT role, bytes_out FROM branches WHERE retry_count = 2", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!((role.as_str(), bytes), ("shadow", None));
}

#[test]
fn a_file_of_version_2_becomes_one_of_this_version_and_its_branches_have_no_reason() {
    let dir = Dir::new();
    let file = dir.file("v2.db");
    let store = SqliteStore::open(&file).unwrap();
    write(&store, &branches("old", 3)).unwrap();
    drop(store);
    back_to_version_3(&file);
    // What version 3 added, taken away again.
    let sql = "ALTER TABLE branch DROP COLUMN reason; ALTER TABLE branch DROP COLUMN epoch;
        DROP TABLE epoch; DELETE FROM code WHERE what = 'reason'; PRAGMA user_version = 2;";
    Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    let reader = SqliteStore::open_read_only(&file).unwrap();
    let reasons = |store: &SqliteStore| -> Vec<_> {
        let rows = store.branches(&Filter::new()).unwrap().map(Result::unwrap);
        rows.map(|row| row.reason.zip(row.epoch)).collect()
    };
    assert_eq!(reasons(&reader), [None, None, None]);
    let store = SqliteStore::open(&file).unwrap();
    let new = branches("new", 1);
    write(&store, &new).unwrap();
    let expected = Some((new[0].reason, new[0].epoch));
    assert_eq!(reasons(&store), [None, None, None, expected]);
    // The reader that was there before sees the new one as it sees the old ones.
    assert_eq!(reasons(&reader).len(), 4);
    let filter = Filter::new().reason(new[0].reason).epoch(new[0].epoch.fingerprint());
    assert_eq!(store.branches(&filter).unwrap().count(), 1);
    assert_eq!(store.branches(&Filter::new().epoch(1)).unwrap().count(), 0);
}

#[test]
fn a_file_of_version_4_is_read_as_it_is_and_then_takes_traces() {
    let dir = Dir::new();
    let file = dir.file("v4.db");
    let store = SqliteStore::open(&file).unwrap();
    write(&store, &branches("old", 3)).unwrap();
    drop(store);
    back_to_version_4(&file);
    let reader = SqliteStore::open_read_only(&file).unwrap();
    let parent = TraceParent::parse(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let of_trace = |store: &SqliteStore, id: TraceId| -> Vec<_> {
        let rows = store.branches(&Filter::new().trace(id)).unwrap().map(Result::unwrap);
        rows.map(|row| row.trace).collect()
    };
    let trace = parent.unwrap().trace_id;
    assert_eq!(of_trace(&reader, trace), []);
    let old = reader.branches(&Filter::new()).unwrap().next().unwrap().unwrap();
    assert_eq!((of_trace(&reader, old.trace_id()), old.trace), (vec![None], None));
    let store = SqliteStore::open(&file).unwrap();
    let mut new = branches("new", 1);
    new[0].trace = parent;
    write(&store, &new).unwrap();
    assert_whole(&store);
    assert_eq!(of_trace(&store, trace), [parent]);
    assert_eq!(of_trace(&store, old.trace_id()), [None]);
    let connection = Connection::open(&file).unwrap();
    let shown: (i32, String, Option<String>) = connection
        .query_row(
            "SELECT user_version, trace_id, parent_span_id FROM branches, pragma_user_version
             WHERE experiment = 'new'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(shown, (SCHEMA_VERSION, trace.to_string(), Some("00f067aa0ba902b7".to_owned())));
}

#[test]
fn many_that_open_a_file_of_version_1_at_once_migrate_it_once() {
    for _ in 0..5 {
        let dir = Dir::new();
        let file = version_1(&dir);
        let batch = branches("new", 10);
        thread::scope(|scope| {
            for part in batch.chunks(3) {
                let file = &file;
                scope.spawn(move || write(&SqliteStore::open(file).unwrap(), part).unwrap());
            }
        });
        assert_eq!(SqliteStore::open(&file).unwrap().counts().unwrap().branches, 12);
    }
}
