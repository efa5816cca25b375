//! Keeping a look.

use super::{
    Past, PastCandidate, known,
    past::past,
    replicas::{self, LookedAt},
    thin::{MAX_SERIES, stride},
};
use crate::{
    config::ConfigId,
    store::{SqliteStore, StoreError, write::signed},
};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// What is asked of an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// The name of the experiment.
    pub(crate) experiment: String,
    /// The fingerprint of all that the intervals and the verdict depend on, beside the branches.
    pub(crate) asked: u64,
    /// Where that begins which is looked at, in ns since the Unix epoch.
    pub(crate) since_ns: u64,
    /// Of several stores: which, and how far each had come.
    pub(crate) replicas: LookedAt,
}

/// The looks at a question.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) key: i64,
    pub(super) looks: u64,
    pub(super) first_ns: u64,
    since_ns: u64,
}

/// Minutes become hours when they are old, and a hour begins before its minutes.
const HOUR_NS: u64 = 3_600_000_000_000;

impl Series {
    pub(super) fn find(
        connection: &Connection,
        question: &Question,
    ) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT key, looks, first_ns, since_ns FROM look_series
            WHERE experiment = ?1 AND asked = ?2";
        let asked = question.asked.cast_signed();
        connection
            .query_row(sql, params![question.experiment, asked], |row| {
                let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                let (looks, first_ns, since_ns) = (number(1)?, number(2)?, number(3)?);
                Ok(Self { key: row.get(0)?, looks, first_ns, since_ns })
            })
            .optional()
    }

    /// Whether what is looked at now is what was looked at before, and more. If its beginning is gone, it is
    /// something else.
    pub(super) const fn goes_on(&self, question: &Question) -> bool {
        question.since_ns < self.since_ns.saturating_add(HOUR_NS)
    }
}

impl SqliteStore {
    /// Looks at `at_ns` since the Unix epoch: `look` is told what the looks before came to and says what they come to
    /// with this one, for each candidate; or `None`, and nothing is kept. In one transaction, after those who look at the
    /// same time. Blocks.
    pub(crate) fn keep_look<T>(
        &self,
        question: &Question,
        at_ns: u64,
        look: impl FnOnce(&Past) -> (T, Option<BTreeMap<ConfigId, PastCandidate>>),
    ) -> Result<T, StoreError> {
        self.with_writer(|writer| {
            writer.transact(|connection, _| {
                let (series, past) = past(connection, question)?;
                let (value, now) = look(&past);
                if let Some(now) = now {
                    keep(connection, question, series, &past, at_ns, &now)?;
                }
                Ok(value)
            })
        })
    }
}

fn keep(
    connection: &Connection,
    question: &Question,
    found: Option<Series>,
    past: &Past,
    at_ns: u64,
    candidates: &BTreeMap<ConfigId, PastCandidate>,
) -> rusqlite::Result<()> {
    if let Some(ended) = found.filter(|series| !series.goes_on(question)) {
        forget(connection, ended.key)?;
    }
    let number = past.looks + 1;
    let series: i64 = connection.query_row(
        "INSERT INTO look_series (experiment, asked, since_ns, first_ns, last_ns, looks)
         VALUES (?1, ?2, ?3, ?4, ?4, 1)
         ON CONFLICT DO UPDATE SET since_ns = min(since_ns, excluded.since_ns),
         last_ns = excluded.last_ns, looks = looks + 1 RETURNING key",
        params![
            question.experiment,
            question.asked.cast_signed(),
            signed(question.since_ns),
            signed(at_ns)
        ],
        |row| row.get(0),
    )?;
    replicas::keep(connection, series, &question.replicas)?;
    for (config_id, candidate) in candidates {
        keep_candidate(connection, series, config_id, candidate, number, at_ns)?;
    }
    let oldest = connection
        .query_row(
            "SELECT key FROM look_series WHERE experiment = ?1 AND key != ?2
             ORDER BY last_ns DESC LIMIT 1 OFFSET ?3",
            params![question.experiment, series, MAX_SERIES - 1],
            |row| row.get(0),
        )
        .optional()?;
    oldest.map_or(Ok(()), |oldest| forget(connection, oldest))
}

fn keep_candidate(
    connection: &Connection,
    series: i64,
    config_id: &ConfigId,
    now: &PastCandidate,
    number: u64,
    at_ns: u64,
) -> rusqlite::Result<()> {
    let verdict = &now.verdict;
    let key: i64 = connection.query_row(
        "INSERT INTO look_candidate (series, config_id, verdict, verdict_ns, verdict_look)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET verdict = excluded.verdict, verdict_ns = excluded.verdict_ns,
         verdict_look = excluded.verdict_look RETURNING key",
        params![
            series,
            config_id.as_str(),
            verdict.verdict,
            signed(verdict.at_ns),
            signed(verdict.look)
        ],
        |row| row.get(0),
    )?;
    for first in &now.reached {
        let sql =
            "INSERT INTO look_reached (candidate, verdict, at_ns, look) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO NOTHING";
        let values = params![key, first.verdict, signed(first.at_ns), signed(first.look)];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    for (metric, common) in &now.common {
        let sql = "INSERT OR REPLACE INTO look_common
            (candidate, metric, epoch, low, high, contradicted_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        connection.prepare_cached(sql)?.execute(params![
            key,
            metric,
            common.epoch.map(u64::cast_signed),
            known(common.low),
            known(common.high),
            common.contradicted_ns.map(signed)
        ])?;
    }
    let number = signed(number);
    let sql = "INSERT INTO look (candidate, number, at_ns, verdict) VALUES (?1, ?2, ?3, ?4)";
    let values = params![key, number, signed(at_ns), verdict.verdict];
    connection.prepare_cached(sql)?.execute(values)?;
    for metric in &now.last {
        let sql = "INSERT INTO look_metric (candidate, number, metric, difference, low, high)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (low, high) = (known(metric.low), known(metric.high));
        let values = params![key, number, metric.name, metric.difference, low, high];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    for table in ["look", "look_metric"] {
        let sql = format!(
            "DELETE FROM {table} WHERE candidate = ?1 AND number < ?2 AND (number - 1) % ?3 != 0"
        );
        connection.prepare_cached(&sql)?.execute([key, number, stride(number)])?;
    }
    Ok(())
}

/// Removes a series with all that belongs to it.
fn forget(connection: &Connection, series: i64) -> rusqlite::Result<()> {
    for table in ["look", "look_metric", "look_common", "look_reached"] {
        let sql = format!(
            "DELETE FROM {table} WHERE candidate IN
             (SELECT key FROM look_candidate WHERE series = ?1)"
        );
        connection.execute(&sql, [series])?;
    }
    connection.execute("DELETE FROM look_candidate WHERE series = ?1", [series])?;
    connection.execute("DELETE FROM look_replica WHERE series = ?1", [series])?;
    connection.execute("DELETE FROM look_series WHERE key = ?1", [series])?;
    Ok(())
}
