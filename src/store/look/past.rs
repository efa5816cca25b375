//! What the looks at a question came to so far.

use super::{
    LookMetric, SINCE_VERSION,
    keep::{Question, Series},
    read::{ends, metrics},
    replicas::goes_back,
};
use crate::{
    config::ConfigId,
    store::{SqliteStore, StoreError, backend::Reader},
};
use rusqlite::Connection;
use std::collections::BTreeMap;

/// What the looks at a question came to so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Past {
    /// How many there were.
    pub(crate) looks: u64,
    /// When the first was, in ns since the Unix epoch.
    pub(crate) first_ns: Option<u64>,
    /// Whether the experiment was looked at with other questions, or what this one was asked of is gone.
    pub(crate) has_others: bool,
    /// Whether there was more of some store at a look before: this one is none of them, and is not kept.
    pub(crate) goes_back: bool,
    pub(crate) candidates: BTreeMap<ConfigId, PastCandidate>,
}

/// What they came to of one candidate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PastCandidate {
    /// The verdict of the last look, and since when it is that.
    pub(crate) verdict: Reached,
    /// When each verdict was reached for the first time, by when.
    pub(crate) reached: Vec<Reached>,
    /// By metric, what the intervals of all looks have in common.
    pub(crate) common: BTreeMap<String, Common>,
    /// What the last look found, by the metric's name.
    pub(crate) last: Vec<LookMetric>,
}

/// A verdict, and when it was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) verdict: String,
    /// In ns since the Unix epoch.
    pub(crate) at_ns: u64,
    /// At which look, from 1.
    pub(crate) look: u64,
}

/// What the intervals of a metric have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Common {
    /// Of which epoch they are, where only one counts.
    pub(crate) epoch: Option<u64>,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Since when they have nothing in common, in ns since the Unix epoch; then the ends are not known.
    pub(crate) contradicted_ns: Option<u64>,
}

impl SqliteStore {
    /// What the looks at a question came to so far. Blocks.
    pub(crate) fn past_looks(&self, question: &Question) -> Result<Past, StoreError> {
        let Reader { mut connection, version, .. } = self.reader()?;
        if version < SINCE_VERSION {
            return Ok(Past::default());
        }
        let mut read = || -> rusqlite::Result<Past> {
            let connection = connection.transaction()?;
            Ok(past(&connection, question)?.1)
        };
        read().map_err(|error| self.failed("read", error))
    }
}

/// The series of a question, if it goes on, and what its looks came to.
pub(super) fn past(
    connection: &Connection,
    question: &Question,
) -> rusqlite::Result<(Option<Series>, Past)> {
    let others = "SELECT EXISTS (SELECT 1 FROM look_series WHERE experiment = ?1 AND asked != ?2)";
    let asked = question.asked.cast_signed();
    let has_others =
        connection.query_row(others, (&question.experiment, asked), |row| row.get(0))?;
    let Some(series) = Series::find(connection, question)? else {
        return Ok((None, Past { has_others, ..Past::default() }));
    };
    if !series.goes_on(question) {
        return Ok((Some(series), Past { has_others: true, ..Past::default() }));
    }
    if goes_back(connection, &series, question)? {
        let past = Past { has_others: true, goes_back: true, ..Past::default() };
        return Ok((Some(series), past));
    }
    let candidates = candidates(connection, &series)?;
    let (looks, first_ns) = (series.looks, Some(series.first_ns));
    Ok((Some(series), Past { looks, first_ns, has_others, goes_back: false, candidates }))
}

fn candidates(
    connection: &Connection,
    series: &Series,
) -> rusqlite::Result<BTreeMap<ConfigId, PastCandidate>> {
    let mut statement = connection.prepare_cached(
        "SELECT key, config_id, verdict, verdict_ns, verdict_look FROM look_candidate
         WHERE series = ?1",
    )?;
    let mut rows = statement.query([series.key])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let key = row.get(0)?;
        let candidate = PastCandidate {
            verdict: reached(row, 2)?,
            reached: all_reached(connection, key)?,
            common: common(connection, key)?,
            last: metrics(connection, key, series.looks.cast_signed())?,
        };
        found.insert(ConfigId::named(row.get_ref(1)?.as_str()?), candidate);
    }
    Ok(found)
}

fn all_reached(connection: &Connection, candidate: i64) -> rusqlite::Result<Vec<Reached>> {
    let mut statement = connection.prepare_cached(
        "SELECT verdict, at_ns, look FROM look_reached WHERE candidate = ?1 ORDER BY look",
    )?;
    statement.query_map([candidate], |row| reached(row, 0))?.collect()
}

fn common(connection: &Connection, candidate: i64) -> rusqlite::Result<BTreeMap<String, Common>> {
    let mut statement = connection.prepare_cached(
        "SELECT metric, epoch, contradicted_ns, low, high FROM look_common WHERE candidate = ?1",
    )?;
    statement
        .query_map([candidate], |row| {
            let (low, high) = ends(row, 3)?;
            let epoch = row.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned);
            let contradicted_ns = row.get::<_, Option<i64>>(2)?.map(i64::unsigned_abs);
            Ok((row.get(0)?, Common { epoch, low, high, contradicted_ns }))
        })?
        .collect()
}

fn reached(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Reached> {
    let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(Reached { verdict: row.get(column)?, at_ns: number(column + 1)?, look: number(column + 2)? })
}
