//! The writer's part: branches that come behind a cursor.

use crate::store::rollup::Facts;
use rusqlite::{Connection, params};

/// Notes those of `new`, which this transaction has inserted in the order of their ids, that are
/// not beyond every cursor.
pub(in crate::store) fn note_late(connection: &Connection, new: &[Facts]) -> rusqlite::Result<()> {
    let Some(first) = new.first() else { return Ok(()) };
    let farthest: Option<[u8; 16]> = connection
        .prepare_cached("SELECT max(cursor) FROM sync_target WHERE mode <> 'summary'")?
        .query_row([], |row| row.get(0))?;
    let Some(farthest) = farthest.filter(|farthest| first.id <= *farthest) else { return Ok(()) };
    for facts in new.iter().take_while(|facts| facts.id <= farthest) {
        note(connection, &facts.id, 0)?;
    }
    Ok(())
}

/// Notes a branch that this transaction has changed.
pub(in crate::store) fn note_change(
    connection: &Connection,
    id: &[u8; 16],
) -> rusqlite::Result<()> {
    note(connection, id, 2)
}

fn note(connection: &Connection, id: &[u8; 16], tried: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO sync_unsent (target, branch, tried)
             SELECT t.key, b.id, ?2 FROM branch b JOIN experiment e ON e.key = b.experiment
             JOIN sync_target t ON t.experiment = e.name AND t.mode <> 'summary' AND t.cursor >= b.id
             WHERE b.id = ?1
             ON CONFLICT DO UPDATE SET tried = excluded.tried",
        )?
        .execute(params![id, tried])?;
    Ok(())
}
