//! Reading looks.

use super::SINCE_VERSION;
#[cfg(feature = "report")]
use super::keep::{Question, Series};
use crate::{
    config::ConfigId,
    store::{SqliteStore, StoreError, backend::Reader},
};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;

/// What a look at an experiment found of one candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Look {
    /// Which look it was, from 1.
    pub number: u64,
    /// When, in ns since the Unix epoch.
    pub at_ns: u64,
    /// The candidate.
    pub config_id: ConfigId,
    /// What was to be done about it, by the name that reports have for it: `ship`, `keep`, `undecided`, `broken`.
    pub verdict: String,
    /// Metric by metric, by name.
    pub metrics: Vec<LookMetric>,
}

/// What a look found of one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LookMetric {
    /// The name of the metric.
    pub name: String,
    /// By how much the candidate's value was above the baseline's, in what the metric is counted in.
    pub difference: Option<f64>,
    /// Where the interval of this look began; negative infinity (in JSON null) where nothing was known.
    pub low: f64,
    /// Where it ended; infinity (in JSON null) where nothing was known.
    pub high: f64,
}

impl SqliteStore {
    /// The looks at an experiment that are kept, from the first to the last, and of each all candidates by
    /// their ids. They are those at the question that was looked at last (by the same metrics, margins,
    /// baseline and candidates). Of many only some are kept: the first, the last and others evenly between, 240
    /// at most. None if nobody looked. Blocks.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn looks(&self, experiment: &str) -> Result<Vec<Look>, StoreError> {
        self.looks_of(|connection| last_series(connection, experiment))
    }

    /// Those at one question. Blocks.
    #[cfg(feature = "report")]
    pub(crate) fn looks_at(&self, question: &Question) -> Result<Vec<Look>, StoreError> {
        self.looks_of(|connection| Ok(Series::find(connection, question)?.map(|found| found.key)))
    }

    fn looks_of(
        &self,
        series: impl FnOnce(&Connection) -> rusqlite::Result<Option<i64>>,
    ) -> Result<Vec<Look>, StoreError> {
        let Reader { mut connection, version, .. } = self.reader()?;
        if version < SINCE_VERSION {
            return Ok(Vec::new());
        }
        let failed = |error| self.failed("read", error);
        // One state of the file for all that is read.
        let connection = connection.transaction().map_err(failed)?;
        let Some(series) = series(&connection).map_err(failed)? else { return Ok(Vec::new()) };
        looks(&connection, series).map_err(failed)
    }
}

/// The looks at the question that was looked at last.
fn last_series(connection: &Connection, experiment: &str) -> rusqlite::Result<Option<i64>> {
    let last = "SELECT key FROM look_series WHERE experiment = ?1 ORDER BY last_ns DESC LIMIT 1";
    connection.query_row(last, [experiment], |row| row.get(0)).optional()
}

fn looks(connection: &Connection, series: i64) -> rusqlite::Result<Vec<Look>> {
    let mut statement = connection.prepare(
        "SELECT l.candidate, l.number, l.at_ns, c.config_id, l.verdict
         FROM look_candidate c JOIN look l ON l.candidate = c.key
         WHERE c.series = ?1 ORDER BY l.number, c.config_id",
    )?;
    let mut rows = statement.query([series])?;
    let mut looks = Vec::new();
    while let Some(row) = rows.next()? {
        let (candidate, number): (i64, i64) = (row.get(0)?, row.get(1)?);
        looks.push(Look {
            number: number.unsigned_abs(),
            at_ns: row.get::<_, i64>(2)?.unsigned_abs(),
            config_id: ConfigId::named(row.get_ref(3)?.as_str()?),
            verdict: row.get(4)?,
            metrics: metrics(connection, candidate, number)?,
        });
    }
    Ok(looks)
}

/// What a look found, metric by metric.
pub(super) fn metrics(
    connection: &Connection,
    candidate: i64,
    number: i64,
) -> rusqlite::Result<Vec<LookMetric>> {
    let mut statement = connection.prepare_cached(
        "SELECT metric, difference, low, high FROM look_metric
         WHERE candidate = ?1 AND number = ?2 ORDER BY metric",
    )?;
    statement
        .query_map([candidate, number], |row| {
            let (name, difference) = (row.get(0)?, row.get(1)?);
            let (low, high) = ends(row, 2)?;
            Ok(LookMetric { name, difference, low, high })
        })?
        .collect()
}

/// Both ends of an interval, of which the first stands at `column`.
pub(super) fn ends(row: &Row<'_>, column: usize) -> rusqlite::Result<(f64, f64)> {
    let end =
        |column, unknown: f64| row.get::<_, Option<f64>>(column).map(|end| end.unwrap_or(unknown));
    Ok((end(column, f64::NEG_INFINITY)?, end(column + 1, f64::INFINITY)?))
}
