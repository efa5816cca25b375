//! Roll-ups of a file that had none, or less of them.

use super::{
    exposures::Exposures,
    facts::{Arm, Facts, lowest_id},
    gather::{Gathered, add_state},
    pairs, read,
    state::State,
};
use crate::{
    branch::{Role, Status},
    store::codes::Codes,
};
use rusqlite::{Connection, params};
use std::ops::Range;

/// How many branches are in memory at a time: some 10 MiB.
const CHUNK: usize = 50_000;

/// Adds to the roll-ups of version 4 what is new in those of version 5: how long the primaries of pairs
/// took.
pub(in crate::store) fn add_primaries(
    connection: &Connection,
    codes: &Codes,
) -> rusqlite::Result<()> {
    let sql = format!("SELECT {} FROM branch b ORDER BY b.id", Facts::COLUMNS);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut chunk = Vec::new();
    let settle = |chunk: &mut Vec<Facts>| {
        let mut gathered = Gathered::default();
        pairs::with_primaries(connection, codes, &mut gathered, chunk)?;
        // These are counted there already.
        gathered.states.values_mut().for_each(|state| state.pairs = [0; 4]);
        chunk.clear();
        gathered.write(connection)
    };
    while let Some(row) = rows.next()? {
        chunk.push(Facts::read(row, codes)?);
        if chunk.len() >= CHUNK {
            settle(&mut chunk)?;
        }
    }
    settle(&mut chunk)
}

/// Adds to the buckets of units of versions 4 and 5 what is new in those of version 6: branches without an end
/// of their own.
pub(in crate::store) fn add_unfinished(
    connection: &Connection,
    codes: &Codes,
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT {} FROM branch b WHERE b.status IN (?1, ?2) AND b.unit IS NOT NULL",
        Facts::COLUMNS
    );
    let unfinished = [Status::Skipped, Status::Cancelled].map(|status| codes.status.of(status));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(unfinished)?;
    let mut gathered = Gathered::default();
    while let Some(row) = rows.next()? {
        gathered.bucket(&Facts::read(row, codes)?, 1);
    }
    gathered.write(connection)
}

/// Adds to the buckets of units of versions 4 to 6 what is new in those of version 7: how long each request took.
/// Of branches that were removed nobody knows any more.
pub(in crate::store) fn add_latencies(
    connection: &Connection,
    codes: &Codes,
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT {} FROM branch b WHERE b.status IN (?1, ?2) AND b.unit IS NOT NULL",
        Facts::COLUMNS
    );
    let ended = [Status::Success, Status::Failed].map(|status| codes.status.of(status));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(ended)?;
    let mut gathered = Gathered::default();
    while let Some(row) = rows.next()? {
        gathered.bucket(&Facts::read(row, codes)?, 1);
    }
    let buckets = std::mem::take(&mut gathered.buckets).into_iter();
    gathered.buckets = buckets.map(|(key, sum)| (key, sum.latencies_alone())).collect();
    gathered.write(connection)
}

/// Adds to the roll-ups of versions 5 and 6 what is new in those of version 7: how long those beside primaries took, as
/// far as the roll-ups or the branches that are left tell it.
pub(in crate::store) fn add_paired(connection: &Connection, codes: &Codes) -> rusqlite::Result<()> {
    let roles = [Role::Shadow, Role::Control].map(|role| codes.role.of(role));
    let [Some(shadow), Some(control)] = roles else { return Ok(()) };
    let mut lacking = Vec::new();
    let columns = read::COLUMNS;
    let sql = format!("SELECT {columns} FROM rollup WHERE role IN ({shadow}, {control})");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // (One that cannot be read stays as it is, and `store check` finds it.)
        let Ok((arm, minute, span, state)) = read::state(row) else { continue };
        if state.lacks_paired() {
            lacking.push((arm, minute, span, state.paired_of_before()));
        }
    }
    for (arm, minute, span, known) in lacking {
        let added = match known {
            Some(paired_duration) => State { paired_duration, ..State::default() },
            None => paired_of_branches(connection, codes, arm, minute..minute + span)?,
        };
        if !added.is_empty() {
            add_state(connection, arm, minute, span, &added)?;
        }
    }
    Ok(())
}

/// How long those branches of an arm took that ran beside primaries in these minutes, as far as they are there.
fn paired_of_branches(
    connection: &Connection,
    codes: &Codes,
    arm: Arm,
    minutes: Range<i64>,
) -> rusqlite::Result<State> {
    let sql = format!(
        "SELECT {} FROM branch b WHERE b.id >= ?1 AND b.id < ?2 AND b.experiment = ?3
         AND b.config = ?4 AND b.role = ?5 ORDER BY b.id",
        Facts::COLUMNS
    );
    let ids = [minutes.start, minutes.end].map(lowest_id);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows =
        statement.query(params![ids[0], ids[1], arm.experiment, arm.config, arm.role])?;
    let mut sum = State::default();
    let mut chunk = Vec::new();
    let mut settle = |chunk: &mut Vec<Facts>| -> rusqlite::Result<()> {
        let mut gathered = Gathered::default();
        pairs::with_primaries(connection, codes, &mut gathered, chunk)?;
        gathered.states.values().for_each(|state| sum.merge(state));
        chunk.clear();
        Ok(())
    };
    while let Some(row) = rows.next()? {
        let facts = Facts::read(row, codes)?;
        if facts.arm == arm {
            chunk.push(facts);
        }
        if chunk.len() >= CHUNK {
            settle(&mut chunk)?;
        }
    }
    settle(&mut chunk)?;
    let mut paired = State::default();
    paired.take_paired(&sum);
    Ok(paired)
}

/// Computes the roll-ups of the branches and comparisons that are there, in one pass.
pub(in crate::store) fn fill(connection: &Connection, codes: &Codes) -> rusqlite::Result<()> {
    let sql = format!("SELECT {} FROM branch b ORDER BY b.id", Facts::COLUMNS);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut exposures = Exposures::default();
    let mut chunk = Vec::new();
    let mut settle = |chunk: &mut Vec<Facts>| {
        let mut gathered = Gathered::default();
        chunk.iter().for_each(|facts| gathered.add(facts));
        // All are there already: each pair is found from its one side.
        pairs::with_primaries(connection, codes, &mut gathered, chunk)?;
        exposures.settle(connection, &mut gathered, chunk)?;
        chunk.clear();
        gathered.write(connection)
    };
    while let Some(row) = rows.next()? {
        chunk.push(Facts::read(row, codes)?);
        if chunk.len() >= CHUNK {
            settle(&mut chunk)?;
        }
    }
    settle(&mut chunk)?;
    connection.execute_batch(
        "UPDATE comparison SET epoch = coalesce((
            SELECT min(f.key) FROM branch b JOIN epoch e ON e.key = b.epoch
            JOIN epoch f USING (fingerprint) WHERE b.id = comparison.branch), 0)",
    )?;
    let mut gathered = Gathered::default();
    let sql = "SELECT branch, experiment, config, role, epoch, differences FROM comparison";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (experiment, config) = (row.get(1)?, row.get(2)?);
        let arm = Arm { experiment, config, role: row.get(3)?, epoch: row.get(4)? };
        gathered.compared(arm, &row.get(0)?, row.get::<_, i64>(5)? == 0);
        if gathered.is_large() {
            std::mem::take(&mut gathered).write(connection)?;
        }
    }
    gathered.write(connection)
}
