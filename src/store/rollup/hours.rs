//! Old minutes become hours: a year has 8,760 of them, and they add up exactly.

use super::{gather::add_state, read};
use rusqlite::{Connection, params};
use std::{
    collections::HashMap,
    time::{SystemTime, UNIX_EPOCH},
};

/// How long roll-ups are kept by the minute: two days, in minutes.
const MINUTES_KEPT: i64 = 2 * 24 * 60;
/// How many rows are merged at a time: some milliseconds.
const STEP: usize = 512;

/// The oldest hour, by its first minute, with minutes that are to be merged; `done_until` remembers
/// where to look next time.
pub(in crate::store) fn oldest_minutes(
    connection: &Connection,
    done_until: &mut i64,
    now: SystemTime,
) -> rusqlite::Result<Option<i64>> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 60;
    let before = i64::try_from(now).unwrap_or(i64::MAX) - MINUTES_KEPT;
    let before = before - before.rem_euclid(60);
    if *done_until >= before {
        return Ok(None);
    }
    let oldest: Option<i64> = connection
        .prepare_cached(
            "SELECT min(minute) FROM rollup WHERE minute >= ?1 AND minute < ?2 AND span = 1",
        )?
        .query_row([*done_until, before], |row| row.get(0))?;
    // (One that comes later than that stays a minute until the store is opened again.)
    *done_until = oldest.unwrap_or(before);
    Ok(oldest.map(|minute| minute - minute.rem_euclid(60)))
}

/// Merges some minutes of an hour into it.
pub(in crate::store) fn into_hour(connection: &Connection, hour: i64) -> rusqlite::Result<()> {
    let of_the_hour =
        format!(" WHERE minute >= {hour} AND minute < {} AND span = 1 LIMIT {STEP}", hour + 60);
    let mut merged: HashMap<_, super::State> = HashMap::new();
    let mut rows = Vec::new();
    read::each(connection, &of_the_hour, |arm, minute, _, state| {
        merged.entry(arm).or_default().merge(&state);
        rows.push((arm, minute));
    })?;
    let mut delete = connection.prepare_cached(
        "DELETE FROM rollup WHERE experiment = ?1 AND config = ?2 AND role = ?3 AND epoch = ?4
         AND minute = ?5 AND span = 1",
    )?;
    for (arm, minute) in &rows {
        delete.execute(params![arm.experiment, arm.config, arm.role, arm.epoch, minute])?;
    }
    for (arm, state) in &merged {
        add_state(connection, *arm, hour, 60, state)?;
    }
    Ok(())
}
