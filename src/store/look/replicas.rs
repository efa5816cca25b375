//! How much of which stores looks were at.

use super::keep::{Question, Series};
use crate::store::ReplicaId;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// Of which stores, and how far each had come ([`Snapshot::sequence`](crate::store::Snapshot::sequence)).
pub(crate) type LookedAt = BTreeMap<ReplicaId, u64>;

/// Whether there was more of a replica at a look before. Such a look is at an earlier state, and none of the series: what all
/// looks have in common holds for looks at ever more.
pub(super) fn goes_back(
    connection: &Connection,
    series: &Series,
    question: &Question,
) -> rusqlite::Result<bool> {
    if question.replicas.is_empty() {
        return Ok(false);
    }
    let mut statement = connection
        .prepare_cached("SELECT replica, sequence FROM look_replica WHERE series = ?1")?;
    let mut rows = statement.query([series.key])?;
    while let Some(row) = rows.next()? {
        let sequence = row.get::<_, i64>(1)?.unsigned_abs();
        let now = question.replicas.get(&ReplicaId::of_bytes(row.get(0)?));
        if now.is_none_or(|now| *now < sequence) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn keep(
    connection: &Connection,
    series: i64,
    replicas: &LookedAt,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO look_replica (series, replica, sequence) VALUES (?1, ?2, ?3)";
    let mut statement = connection.prepare_cached(sql)?;
    for (replica, sequence) in replicas {
        statement.execute(params![series, replica.to_bytes(), sequence.cast_signed()])?;
    }
    Ok(())
}
