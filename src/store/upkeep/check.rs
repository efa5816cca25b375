//! Whether a store is whole.

use super::Progress;
use crate::store::{SqliteStore, StoreError, backend::Reader, metric, outcome, rollup};
use rusqlite::Connection;
use serde::Serialize;

/// How many faults are listed.
const MAX_FAULTS: usize = 100;

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// How many branches were looked at.
    pub branches: u64,
    /// What is wrong, the first 100 of it.
    pub faults: Vec<String>,
    /// How much more there is.
    pub more_faults: u64,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub const fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }

    pub(in crate::store) fn fault(&mut self, text: String) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(text);
        } else {
            self.more_faults += 1;
        }
    }
}

impl SqliteStore {
    /// Whether the file is whole: its pages (SQLite's `integrity_check`), what its rows refer to,
    /// and whether the roll-ups are what the branches come to. Blocks, and reads all of it more
    /// than once; others can write meanwhile, what they write is not looked at.
    ///
    /// Where branches were removed, the roll-ups of their hours can only be checked by their number; where outcomes
    /// were, what they came to only against its sums.
    ///
    /// # Errors
    ///
    /// When the file cannot be read. What is wrong in one that can be is no error.
    pub fn check(&self, mut progress: impl FnMut(Progress)) -> Result<CheckReport, StoreError> {
        let total = self.counts().map_or(0, |counts| counts.branches);
        let Reader { mut connection, codes, version } = self.reader()?;
        let failed = |error| self.failed("check", error);
        // One state of the file for all that is read.
        let connection = connection.transaction().map_err(failed)?;
        let mut report = CheckReport::default();
        progress(Progress::new("checking pages", 0, 0));
        pages(&connection, &mut report).map_err(failed)?;
        if !report.is_whole() {
            // What is read from broken pages says nothing.
            return Ok(report);
        }
        progress(Progress::new("checking references", 0, 0));
        references(&connection, version, &mut report).map_err(failed)?;
        if version >= rollup::SINCE_VERSION {
            rollup::disagreements(&connection, &codes, version, &mut report, |done| {
                progress(Progress::new("checking roll-ups", done, total));
            })
            .map_err(failed)?;
        }
        progress(Progress::new("checking outcomes", 0, 0));
        outcome::disagreements(&connection, version, &mut report).map_err(failed)?;
        Ok(report)
    }
}

fn pages(connection: &Connection, report: &mut CheckReport) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        if text != "ok" {
            report.fault(text);
        }
    }
    Ok(())
}

fn references(
    connection: &Connection,
    version: i32,
    report: &mut CheckReport,
) -> rusqlite::Result<()> {
    let mut checks = vec![
        ("branch", "experiment", "experiment", "key"),
        ("branch", "config", "config", "key"),
        ("failure", "id", "branch", "id"),
        ("output", "id", "branch", "id"),
    ];
    if version >= 3 {
        checks.push(("branch", "epoch", "epoch", "key"));
    }
    if version >= metric::SINCE_VERSION {
        checks.push(("branch_metric", "branch", "branch", "id"));
        checks.push(("branch_metric", "metric", "metric_name", "key"));
        checks.push(("unit_metric", "metric", "metric_name", "key"));
    }
    for (table, column, to, key) in checks {
        let sql = format!(
            "SELECT count(*) FROM {table} t WHERE t.{column} IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM {to} WHERE {key} = t.{column})"
        );
        let dangling: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        if dangling > 0 {
            report.fault(format!("{dangling} rows of {table} have a {column} that is not in {to}"));
        }
    }
    Ok(())
}
