//! How far sending has come.

#[cfg(feature = "mlflow")]
use crate::store::{SqliteStore, StoreError, backend::Reader};
use crate::store::{filter::first_id, rollup};
#[cfg(feature = "mlflow")]
use rusqlite::OptionalExtension;
use rusqlite::{Connection, Row, params};
use serde::Serialize;

/// How far the branches of an experiment have come on their way to a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SyncStat {
    /// The address of the target, without credentials.
    pub to: String,
    /// The name of the experiment.
    pub experiment: String,
    /// What is sent: `runs`, `traces` or `summary`.
    pub mode: String,
    /// Branches that were not looked at yet, and those that were taken and not sent.
    pub waiting: u64,
    /// When the oldest of them was dispatched, in ms since the Unix epoch.
    pub oldest_waiting_ms: Option<u64>,
    /// Branches (or, of a summary, minutes) that were sent.
    pub sent: u64,
    /// Branches that the target does not take.
    pub refused: u64,
    /// Branches that were removed from the store before they were sent.
    pub removed: u64,
    /// Branches that were passed over by the sample.
    pub left_out: u64,
}

const HOUR_MS: u64 = 3_600_000;

/// All targets.
///
/// Of the hour of the cursor the branches are counted, of later ones it is known how many there
/// are.
pub(in crate::store) fn targets(connection: &Connection) -> rusqlite::Result<Vec<SyncStat>> {
    let sql = format!("SELECT {COLUMNS} FROM sync_target ORDER BY address, experiment, mode");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, cursor, mut stat) = target(row)?;
        wait(connection, key, cursor, &mut stat)?;
        found.push(stat);
    }
    Ok(found)
}

const COLUMNS: &str = "key, address, experiment, mode, cursor, sent, refused, removed, left_out";

fn target(row: &Row<'_>) -> rusqlite::Result<(i64, [u8; 16], SyncStat)> {
    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let stat = SyncStat {
        to: row.get(1)?,
        experiment: row.get(2)?,
        mode: row.get(3)?,
        waiting: 0,
        oldest_waiting_ms: None,
        sent: count(5)?,
        refused: count(6)?,
        removed: count(7)?,
        left_out: count(8)?,
    };
    Ok((row.get(0)?, row.get(4)?, stat))
}

#[cfg(feature = "mlflow")]
impl SqliteStore {
    /// How far one target has come; or would have to go, if there is none yet. Blocks.
    pub(crate) fn sync_stat(
        &self,
        to: &str,
        experiment: &str,
        mode: &str,
        since_ns: Option<u64>,
    ) -> Result<SyncStat, StoreError> {
        let Reader { connection, version, .. } = self.reader()?;
        let read = || {
            if version < rollup::SINCE_VERSION {
                return Err(rusqlite::Error::InvalidQuery);
            }
            let sql = format!(
                "SELECT {COLUMNS} FROM sync_target
                 WHERE address = ?1 AND experiment = ?2 AND mode = ?3"
            );
            let found =
                connection.query_row(&sql, params![to, experiment, mode], target).optional()?;
            let (key, cursor, mut stat) = found.unwrap_or_else(|| {
                let [to, experiment, mode] = [to, experiment, mode].map(str::to_owned);
                (-1, [0; 16], SyncStat { to, experiment, mode, ..SyncStat::default() })
            });
            let cursor = cursor.max(since_ns.map_or([0; 16], first_id));
            wait(&connection, key, cursor, &mut stat)?;
            Ok(stat)
        };
        read().map_err(|error| self.failed("read", error))
    }
}

fn wait(
    connection: &Connection,
    target: i64,
    cursor: [u8; 16],
    stat: &mut SyncStat,
) -> rusqlite::Result<()> {
    if stat.mode == "summary" {
        return Ok(());
    }
    let hour = rollup::millis(&cursor).unsigned_abs() / HOUR_MS;
    let next_hour = first_id((hour + 1) * HOUR_MS * 1_000_000);
    let of = "experiment IN (SELECT key FROM experiment WHERE name = ?1)";
    let (beyond, first): (i64, Option<[u8; 16]>) = connection.query_row(
        &format!("SELECT count(*), min(id) FROM branch WHERE id > ?2 AND id < ?3 AND {of}"),
        params![stat.experiment, cursor, next_hour],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (later, later_hour): (i64, Option<i64>) = connection.query_row(
        &format!(
            "SELECT coalesce(sum(branches), 0), min(hour) FROM held
             WHERE hour > ?2 AND branches > 0 AND {of}"
        ),
        params![stat.experiment, hour.cast_signed()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (unsent, oldest): (i64, Option<[u8; 16]>) = connection.query_row(
        "SELECT count(*), min(branch) FROM sync_unsent WHERE target = ?1",
        [target],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    stat.waiting = (beyond + later + unsent).unsigned_abs();
    let at = |id: [u8; 16]| rollup::millis(&id).unsigned_abs();
    stat.oldest_waiting_ms =
        oldest.or(first).map(at).or_else(|| Some(later_hour?.unsigned_abs() * HOUR_MS));
    Ok(())
}
