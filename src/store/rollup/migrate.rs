//! Roll-ups of a file that had none, or less of them.

use super::{
    exposures::Exposures,
    facts::{Arm, Facts},
    gather::Gathered,
    pairs,
};
use crate::{branch::Status, store::codes::Codes};
use rusqlite::Connection;

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
