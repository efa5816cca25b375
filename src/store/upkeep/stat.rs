//! What is in a store.

use crate::store::{
    MetricsBeyond, SqliteStore, StoreError, SyncStat, backend::Reader, metric, outbox, outcome,
    rollup,
};
use rusqlite::Connection;
use serde::Serialize;

/// What a store holds, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreStat {
    /// The version of its schema.
    pub version: i32,
    /// The version of the schema that this program writes.
    pub program_version: i32,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The size of its write-ahead log in bytes.
    pub log_bytes: u64,
    /// How much of the file is free for what comes next.
    pub free_bytes: u64,
    /// Branches.
    pub branches: u64,
    /// Branches that were removed since they were recorded.
    pub removed: u64,
    /// Roll-ups: minutes and hours of each config, role and epoch.
    pub rollups: u64,
    /// Outcomes of units.
    pub outcomes: u64,
    /// Outcomes that were removed since they were recorded.
    pub removed_outcomes: u64,
    /// When the oldest branch was dispatched, in ms since the Unix epoch.
    pub oldest_ms: Option<u64>,
    /// When the newest one was.
    pub newest_ms: Option<u64>,
    /// By experiment and strategy.
    pub experiments: Vec<ExperimentStat>,
    /// What is sent elsewhere, by target.
    pub sync: Vec<SyncStat>,
    /// By table, the largest first, each with its indexes.
    pub tables: Vec<TableStat>,
}

/// What a store holds of one experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExperimentStat {
    /// The name of the experiment.
    pub experiment: String,
    /// The name of the strategy.
    pub strategy: String,
    /// Branches that are there.
    pub branches: u64,
    /// About how many bytes they take with their outputs and failures.
    pub bytes: u64,
    /// Branches that were removed.
    pub removed: u64,
    /// The beginning of the hour of the oldest branch that is there, in ms since the Unix epoch.
    pub oldest_hour_ms: Option<u64>,
    /// The beginning of the hour of the newest one.
    pub newest_hour_ms: Option<u64>,
    /// Roll-ups.
    pub rollups: u64,
    /// Numbers that services said, and that were left out for want of room.
    pub metrics_beyond: MetricsBeyond,
}

/// How large a table is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableStat {
    /// Its name.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// The bytes of its pages and those of its indexes.
    pub bytes: u64,
}

impl SqliteStore {
    /// What the store holds, by experiment and by table. Blocks, and reads the whole file once.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn stat(&self) -> Result<StoreStat, StoreError> {
        let Reader { mut connection, version, .. } = self.reader()?;
        let failed = |error| self.failed("read", error);
        let connection = connection.transaction().map_err(failed)?;
        let counts = self.counts()?;
        let bytes = std::fs::metadata(self.path()).map_or(0, |file| file.len());
        let read = || {
            let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
            let free: i64 = pragma("freelist_count")?;
            let page: i64 = pragma("page_size")?;
            let at = |end: &str| {
                let sql = format!("SELECT {end}(id) FROM branch");
                let id: Option<[u8; 16]> = connection.query_row(&sql, [], |row| row.get(0))?;
                Ok::<_, rusqlite::Error>(id.map(|id| rollup::millis(&id).unsigned_abs()))
            };
            let has_rollups = version >= rollup::SINCE_VERSION;
            let experiments =
                if has_rollups { experiments(&connection, version)? } else { Vec::new() };
            let [outcomes, removed_outcomes] = outcome::counts(&connection, version)?;
            Ok(StoreStat {
                version,
                program_version: crate::store::SCHEMA_VERSION,
                bytes,
                log_bytes: counts.bytes.saturating_sub(bytes),
                free_bytes: (free * page).unsigned_abs(),
                branches: counts.branches,
                removed: experiments.iter().map(|e| e.removed).sum(),
                rollups: experiments.iter().map(|e| e.rollups).sum(),
                outcomes,
                removed_outcomes,
                oldest_ms: at("min")?,
                newest_ms: at("max")?,
                experiments,
                sync: if has_rollups { outbox::targets(&connection)? } else { Vec::new() },
                tables: tables(&connection, has_rollups.then_some(counts.branches))?,
            })
        };
        read().map_err(failed)
    }
}

fn experiments(connection: &Connection, version: i32) -> rusqlite::Result<Vec<ExperimentStat>> {
    let mut statement = connection.prepare(
        "SELECT e.name, e.strategy, coalesce(sum(h.branches), 0), coalesce(sum(h.bytes), 0),
         coalesce(sum(h.removed), 0),
         min(CASE WHEN h.branches > 0 THEN h.hour END),
         max(CASE WHEN h.branches > 0 THEN h.hour END),
         (SELECT count(*) FROM rollup WHERE experiment = e.key),
         e.key
         FROM experiment e LEFT JOIN held h ON h.experiment = e.key
         GROUP BY e.key ORDER BY e.name, e.strategy",
    )?;
    let rows = statement.query_map([], |row| {
        let count = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
        let hour = |column| {
            let hour: Option<i64> = row.get(column)?;
            Ok::<_, rusqlite::Error>(hour.map(|hour| hour.unsigned_abs() * 3_600_000))
        };
        Ok(ExperimentStat {
            experiment: row.get(0)?,
            strategy: row.get(1)?,
            branches: count(2)?,
            bytes: count(3)?,
            removed: count(4)?,
            oldest_hour_ms: hour(5)?,
            newest_hour_ms: hour(6)?,
            rollups: count(7)?,
            metrics_beyond: metric::beyond(connection, version, row.get(8)?)?,
        })
    })?;
    rows.collect()
}

/// `branches`: their number where it is known without counting.
fn tables(connection: &Connection, branches: Option<u64>) -> rusqlite::Result<Vec<TableStat>> {
    let mut statement = connection.prepare(
        "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name
         WHERE d.aggregate = TRUE GROUP BY s.tbl_name ORDER BY 2 DESC, 1",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
    let mut tables = Vec::new();
    for row in rows {
        let (table, bytes): (String, _) = row?;
        let rows = match branches {
            Some(branches) if table == "branch" => branches,
            _ => {
                let name = table.replace('"', "\"\"");
                let sql = format!("SELECT count(*) FROM \"{name}\"");
                connection.query_row(&sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs()
            }
        };
        tables.push(TableStat { table, rows, bytes: bytes.unsigned_abs() });
    }
    Ok(tables)
}
