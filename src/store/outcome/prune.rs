//! Removing old outcomes. What they came to stays.

use super::{record, removed_before};
use crate::store::{Progress, SqliteStore, StoreError, open};
use rusqlite::{Connection, params};
use std::time::Duration;

/// How many are looked at in one step, before others can write.
const STEP: i64 = 2_000;

impl SqliteStore {
    /// Removes outcomes that happened longer ago than `older_than`, in steps between which others can write, and
    /// says how many. What they come to stays, as it is: an outcome of that time that is reported later is
    /// refused, since nothing tells any more whether it was counted, and the windows of experiments stay what they
    /// are. Blocks.
    ///
    /// # Errors
    ///
    /// When the store was opened for reading, or the file cannot be written.
    pub fn prune_outcomes(
        &self,
        older_than: Duration,
        mut progress: impl FnMut(Progress),
    ) -> Result<u64, StoreError> {
        let age = u64::try_from(older_than.as_millis()).unwrap_or(u64::MAX);
        let before = i64::try_from(record::now_ms().saturating_sub(age)).unwrap_or(i64::MAX);
        let (mut removed, mut cursor) = (0, 0);
        loop {
            let step = self.with_connection(|connection| {
                let transaction = open::immediate(connection)?;
                let step = step(&transaction, before, cursor)?;
                transaction.commit()?;
                Ok(step)
            })?;
            let Some((last, count)) = step else { return Ok(removed) };
            cursor = last;
            removed += count;
            progress(Progress::new("removing outcomes", removed, 0));
        }
    }
}

/// The last that was looked at, and how many were removed; `None` at the end.
fn step(
    connection: &Connection,
    before_ms: i64,
    cursor: i64,
) -> rusqlite::Result<Option<(i64, u64)>> {
    let found: Vec<(i64, i64)> = {
        let mut statement = connection.prepare_cached(
            "SELECT key, at_ms FROM outcome WHERE key > ?1 ORDER BY key LIMIT ?2",
        )?;
        let rows = statement.query_map([cursor, STEP], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    let Some((last, _)) = found.last().copied() else { return Ok(None) };
    let mut removed = 0_u64;
    for (key, at_ms) in found {
        if at_ms >= before_ms {
            continue;
        }
        let sql = "DELETE FROM outcome WHERE key = ?1 RETURNING units";
        let units = connection
            .prepare_cached(sql)?
            .query_row([key], |row| Ok(record::of_blob(row.get_ref(0)?.as_blob()?)))?;
        for unit in units {
            connection
                .prepare_cached("DELETE FROM outcome_unit WHERE unit = ?1 AND outcome = ?2")?
                .execute([unit, key])?;
        }
        removed += 1;
    }
    if removed > 0 {
        let before = removed_before(connection)?.map_or(before_ms, |known| known.max(before_ms));
        let sql = "SELECT coalesce(sum(outcomes), 0) FROM outcome_removed";
        let already: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        connection.execute("DELETE FROM outcome_removed", [])?;
        connection.execute(
            "INSERT INTO outcome_removed VALUES (?1, ?2)",
            params![before, already + removed.cast_signed()],
        )?;
    }
    Ok(Some((last, removed)))
}
