//! Opening a file, and refusing one that is not ours.

use super::{
    APPLICATION_ID, SCHEMA_VERSION, StoreError, StoreOptions, codes::Codes, outcome, rollup, schema,
};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// The write-ahead log is cut back to this after a reader held it up: more than it has while nobody does.
const WAL_KEPT: i64 = 32 * 1024 * 1024;
/// Pages in the log before whoever writes copies it into the file, and waits for the disk twice. It does not
/// come to that unless the [thread that does it](super::log) is held up.
const WAL_PAGES: i64 = 2 * WAL_KEPT / 4096;

/// Opens for writing; creates the file and its schema if there is none, and brings an older one
/// up to date.
pub(super) fn for_writing(
    path: &Path,
    options: &StoreOptions,
) -> Result<(Connection, Codes), StoreError> {
    if let Some(directory) = path.parent().filter(|dir| !dir.as_os_str().is_empty())
        && !directory.is_dir()
    {
        return Err(StoreError::NoDirectory {
            path: path.to_owned(),
            directory: directory.to_owned(),
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = connect(path, flags, options)?;
    let failed = |error| StoreError::sqlite(path, "open", error);
    let found = version(path, &connection.transaction().map_err(failed)?)?;
    if found == 0 {
        // Must come before the first table and before WAL. It lets the file shrink in small
        // steps when old branches are deleted.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(failed)?;
    }
    set_wal(&connection, options.busy_timeout).map_err(failed)?;
    set_durable(&connection, options).map_err(failed)?;
    connection.pragma_update(None, "journal_size_limit", WAL_KEPT).map_err(failed)?;
    connection
        .pragma_update_and_check(None, "wal_autocheckpoint", WAL_PAGES, |_| Ok(()))
        .map_err(failed)?;
    if found < SCHEMA_VERSION {
        let transaction = immediate(&mut connection).map_err(failed)?;
        // Another process may have been faster.
        let found = version(path, &transaction)?;
        if found < SCHEMA_VERSION {
            transaction.execute_batch(&schema::since(found)).map_err(failed)?;
            Codes::add(&transaction).map_err(failed)?;
            let codes = Codes::load(&transaction).map_err(failed)?;
            match found {
                1..4 => rollup::fill(&transaction, &codes).map_err(failed)?,
                4 => rollup::add_primaries(&transaction, &codes).map_err(failed)?,
                5 | 6 => rollup::add_paired(&transaction, &codes).map_err(failed)?,
                _ => {}
            }
            if matches!(found, 4 | 5) {
                rollup::add_unfinished(&transaction, &codes).map_err(failed)?;
            }
            if matches!(found, 4..7) {
                // (Before some of them are set aside.)
                rollup::add_latencies(&transaction, &codes).map_err(failed)?;
                let units = rollup::set_aside(&transaction, &codes).map_err(failed)?;
                outcome::exposed_otherwise(&transaction, &units).map_err(failed)?;
            }
            if found == 6 {
                // (Before the first exposure that is left, also of an experiment with the same salt.)
                outcome::add_before(&transaction).map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)?;
    }
    let mut codes = Codes::load(&connection).map_err(failed)?;
    if !codes.is_complete() {
        let transaction = immediate(&mut connection).map_err(failed)?;
        Codes::add(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        codes = Codes::load(&connection).map_err(failed)?;
    }
    if let Some(bytes) = options.max_size {
        let page_size: i64 =
            connection.pragma_query_value(None, "page_size", |row| row.get(0)).map_err(failed)?;
        // SQLite takes 0 as "no change".
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page_size.max(1);
        let pages = pages.clamp(1, i64::from(u32::MAX - 1));
        connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .map_err(failed)?;
    }
    Ok((connection, codes))
}

/// Opens for copying the log into a file that was opened for writing.
pub(super) fn for_copying(path: &Path, options: &StoreOptions) -> Result<Connection, StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, options)?;
    set_durable(&connection, options).map_err(|error| StoreError::sqlite(path, "open", error))?;
    Ok(connection)
}

/// Opens for reading, and says which version it is: an older one is read as it is.
pub(super) fn for_reading(
    path: &Path,
    options: &StoreOptions,
) -> Result<(Connection, i32), StoreError> {
    if !path.exists() {
        return Err(StoreError::NoFile { path: path.to_owned() });
    }
    // Not SQLite's own read-only mode, which would leave an empty log behind; where the file
    // may only be read, SQLite falls back to it.
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, options)?;
    let opened = reading(path, connection);
    if let Err(StoreError::Sqlite { .. }) = &opened
        && let Some(unchanging) = unchanging(path, options)
    {
        return reading(path, unchanging);
    }
    opened
}

fn reading(path: &Path, mut connection: Connection) -> Result<(Connection, i32), StoreError> {
    let failed = |error| StoreError::sqlite(path, "open", error);
    connection.pragma_update(None, "query_only", true).map_err(failed)?;
    let found = version(path, &connection.transaction().map_err(failed)?)?;
    if found == 0 {
        // Another process has created it and not filled it yet, or it is any empty file.
        return Err(StoreError::NoFile { path: path.to_owned() });
    }
    Ok((connection, found))
}

/// The file on a disk that may only be read: there is no place for the log and what belongs to it.
/// Without a log, and on such a disk, nothing changes it.
///
/// Source: SQLite, "Uniform Resource Identifiers", `immutable`.
fn unchanging(path: &Path, options: &StoreOptions) -> Option<Connection> {
    let is_beside = |what: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(what);
        Path::new(&name).exists()
    };
    if is_beside("-wal") || is_beside("-shm") {
        return None;
    }
    let escaped = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let uri = format!("file:{escaped}?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    connect(Path::new(&uri), flags, options).ok()
}

pub(super) fn immediate(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    // A deferred one that began as a reader would be refused at once, without waiting, when
    // another process has written in between.
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn connect(
    path: &Path,
    flags: OpenFlags,
    options: &StoreOptions,
) -> Result<Connection, StoreError> {
    // Every connection has one user at a time, by `&mut` or behind a mutex of ours.
    Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .and_then(|connection| {
            connection.busy_timeout(options.busy_timeout)?;
            Ok(connection)
        })
        .map_err(|error| StoreError::sqlite(path, "open", error))
}

/// The version of the file, 0 if it is empty. Refuses one that is neither empty nor a store of a
/// known version.
///
/// In a transaction, because another process may be about to make a store of it.
fn version(path: &Path, transaction: &Transaction<'_>) -> Result<i32, StoreError> {
    let failed = |error| StoreError::sqlite(path, "open", error);
    let header = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let found = header("application_id").map_err(failed)?;
    let version = header("user_version").map_err(failed)?;
    let tables: i64 = transaction
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    match (found, version) {
        (0, 0) if tables == 0 => Ok(0),
        (APPLICATION_ID, version @ 1..=SCHEMA_VERSION) => Ok(version),
        (APPLICATION_ID, version) if version > SCHEMA_VERSION => {
            Err(StoreError::Newer { path: path.to_owned(), found: version })
        }
        _ => Err(StoreError::Foreign { path: path.to_owned(), found, version }),
    }
}

fn set_durable(connection: &Connection, options: &StoreOptions) -> rusqlite::Result<()> {
    // NORMAL waits for the disk before the log is copied into the file, FULL at each commit, too.
    let synchronous = if options.durable { "FULL" } else { "NORMAL" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // Where the system's `fsync` does not empty the disk's own buffer (macOS).
    connection.pragma_update(None, "fullfsync", options.durable)
}

/// SQLite does not always wait by itself when two processes switch the same file to WAL.
fn set_wal(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    let started = Instant::now();
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && started.elapsed() < patience =>
            {
                thread::sleep(Duration::from_millis(2));
            }
            other => return other,
        }
    }
}
