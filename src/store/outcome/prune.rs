//! Removing old outcomes. What they came to stays.

use super::{known, record, removed_before};
use crate::store::{Progress, SqliteStore, StoreError, open, snapshot};
use rusqlite::{Connection, OptionalExtension, params};
use std::time::{Duration, Instant};

/// How many are looked at at once, and how long a slice takes, about, before others can write.
const SCAN: usize = 2_000;
const SLICE: Duration = Duration::from_millis(15);

/// What one slice came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::store) struct OutcomeSlice {
    pub(in crate::store) removed: u64,
    /// There may be more to remove.
    pub(in crate::store) more: bool,
}

impl SqliteStore {
    /// Removes outcomes that happened longer ago than `older_than`, in steps between which others can write, and
    /// says how many. What they come to stays, as it is: an outcome of that time that is reported later is
    /// refused, since nothing tells any more whether it was counted, and the windows of experiments stay what they
    /// are. [`StoreOptions::keep_outcomes`](crate::store::StoreOptions::keep_outcomes) does so while the store is
    /// written. Blocks.
    ///
    /// # Errors
    ///
    /// When the store was opened for reading, or the file cannot be written.
    pub fn prune_outcomes(
        &self,
        older_than: Duration,
        mut progress: impl FnMut(Progress),
    ) -> Result<u64, StoreError> {
        let before = before_ms(older_than);
        let (mut removed, mut cursor) = (0, 0);
        loop {
            let slice = self
                .with_connection(|connection| remove_outcomes(connection, before, &mut cursor))?;
            removed += slice.removed;
            progress(Progress::new("removing outcomes", removed, 0));
            if !slice.more {
                return Ok(removed);
            }
        }
    }
}

/// The time before which outcomes are older than an age, in ms since 1970. (An age beyond 1970 means none.)
pub(in crate::store) fn before_ms(age: Duration) -> i64 {
    let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    i64::try_from(record::now_ms().saturating_sub(age)).unwrap_or(i64::MAX)
}

/// Removes some of the outcomes that happened before a time, in one transaction; those up to `cursor` were looked
/// at. Where there are none, nobody who writes has to wait.
pub(in crate::store) fn remove_outcomes(
    connection: &mut Connection,
    before_ms: i64,
    cursor: &mut i64,
) -> rusqlite::Result<OutcomeSlice> {
    let started = Instant::now();
    while started.elapsed() < SLICE {
        let found = older(connection, before_ms, *cursor)?;
        let Some(last) = found.last else { return Ok(OutcomeSlice::default()) };
        if found.keys.is_empty() {
            *cursor = last;
            continue;
        }
        let transaction = open::immediate(connection)?;
        let (mut removed, mut done) = (0, last);
        for key in found.keys {
            removed += u64::from(remove(&transaction, key)?);
            if started.elapsed() >= SLICE {
                done = key;
                break;
            }
        }
        note(&transaction, before_ms, removed)?;
        transaction.commit()?;
        *cursor = done;
        return Ok(OutcomeSlice { removed, more: true });
    }
    Ok(OutcomeSlice { removed: 0, more: true })
}

/// Some outcomes, in the order in which they were recorded.
struct Older {
    /// Those that happened before.
    keys: Vec<i64>,
    /// The last that was looked at; `None` at the end.
    last: Option<i64>,
}

fn older(connection: &Connection, before_ms: i64, cursor: i64) -> rusqlite::Result<Older> {
    let mut statement = connection
        .prepare_cached("SELECT key, at_ms FROM outcome WHERE key > ?1 ORDER BY key LIMIT ?2")?;
    let mut rows = statement.query(params![cursor, SCAN as i64])?;
    let mut found = Older { keys: Vec::new(), last: None };
    while let Some(row) = rows.next()? {
        let key = row.get(0)?;
        found.last = Some(key);
        if row.get::<_, i64>(1)? < before_ms {
            found.keys.push(key);
        }
    }
    Ok(found)
}

/// Whether it was there.
fn remove(connection: &Connection, key: i64) -> rusqlite::Result<bool> {
    let units = connection
        .prepare_cached("DELETE FROM outcome WHERE key = ?1 RETURNING units")?
        .query_row([key], |row| Ok(known::of_blob(row.get_ref(0)?.as_blob()?)))
        .optional()?;
    let Some(units) = units else { return Ok(false) };
    for unit in units {
        connection
            .prepare_cached("DELETE FROM outcome_unit WHERE unit = ?1 AND outcome = ?2")?
            .execute([unit, key])?;
    }
    Ok(true)
}

/// Remembers that outcomes of that time are gone, and how many.
fn note(connection: &Connection, before_ms: i64, removed: u64) -> rusqlite::Result<()> {
    if removed == 0 {
        return Ok(());
    }
    snapshot::grow(connection)?;
    let before = removed_before(connection)?.map_or(before_ms, |known| known.max(before_ms));
    let sql = "SELECT coalesce(sum(outcomes), 0) FROM outcome_removed";
    let already: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    connection.execute("DELETE FROM outcome_removed", [])?;
    connection.execute(
        "INSERT INTO outcome_removed VALUES (?1, ?2)",
        params![before, already + removed.cast_signed()],
    )?;
    Ok(())
}
