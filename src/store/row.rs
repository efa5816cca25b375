//! A branch as it is read back.

use super::{
    bounded,
    codes::{Code, Coded, Codes},
    metric,
};
use crate::{
    assign::{Epoch, Reason},
    branch::{BranchId, BranchMetrics, Failure, Role, SkipReason, Status, TraceId, TraceParent},
    config::ConfigId,
};
use rusqlite::{Connection, Row, types::Type};
use serde::Serialize;
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// A branch as it is read back. It serialises to the same JSON as
/// [`Branch`](crate::Branch).
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct BranchRow {
    /// Unique, and in the order of time.
    pub id: BranchId,
    /// The same for all branches of one request.
    pub request_id: BranchId,
    /// The branch of the outer experiment, when experiments are nested.
    pub parent: Option<BranchId>,
    /// The id of the config that the outer branch ran with.
    pub parent_config_id: Option<ConfigId>,
    /// Where the request stands in its caller's trace, if it came with one.
    pub trace: Option<TraceParent>,
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// What the branch did for its request.
    pub role: Role,
    /// The id of the config.
    pub config_id: ConfigId,
    /// The config without its secrets.
    pub config: Arc<Value>,
    /// The probability, from 0 to 1, with which the config was chosen.
    pub probability: f64,
    /// Why it was this config; `None` where a program that knew no reasons wrote it.
    pub reason: Option<Reason>,
    /// The version of the weights and rules by which it was chosen, as `reason`.
    pub epoch: Option<Epoch>,
    /// A keyed hash of the unit under sticky assignment.
    pub unit: Option<u64>,
    /// When it was assigned, in nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// When it ended, in nanoseconds since the Unix epoch: `start_ns + duration_ns`.
    pub end_ns: u64,
    /// How long it took, in nanoseconds.
    pub duration_ns: u64,
    /// How it ended.
    pub status: Status,
    /// What it returned, if it was kept. One beyond the limit is a string: the beginning of its
    /// JSON, and a mark that says how long it was.
    pub output: Option<Value>,
    /// Why it failed, if it failed. Texts beyond the limit end with a mark.
    pub failure: Option<Failure>,
    /// Why it was not started, if it was skipped.
    pub skip: Option<SkipReason>,
    /// How often it was tried again before this end.
    pub retry_count: u32,
    /// How long it took until the head of the response was there, in nanoseconds, if it was
    /// measured.
    pub first_byte_ns: Option<u64>,
    /// How many bytes of the request body its service read, if they were counted.
    pub bytes_in: Option<u64>,
    /// How many bytes of its response body passed, if they were counted.
    pub bytes_out: Option<u64>,
    /// What its service said of it in numbers; in JSON only where it said any.
    #[serde(skip_serializing_if = "BranchMetrics::is_empty")]
    pub metrics: BranchMetrics,
    /// The size of the output's JSON in bytes, if the output was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_cut: Option<u64>,
}

/// What the rows refer to, remembered from row to row.
#[derive(Debug, Default)]
pub(super) struct Names {
    experiments: HashMap<i64, (Arc<str>, Arc<str>)>,
    configs: HashMap<i64, (ConfigId, Arc<Value>)>,
    epochs: HashMap<i64, Epoch>,
    metrics: HashMap<i64, Arc<str>>,
}

/// Configs can be large, and a program may make one for every request.
const MAX_KNOWN: usize = 1_024;

impl Names {
    pub(super) fn experiment(
        &mut self,
        connection: &Connection,
        key: i64,
    ) -> rusqlite::Result<(Arc<str>, Arc<str>)> {
        if let Some(known) = self.experiments.get(&key) {
            return Ok(known.clone());
        }
        let names = connection
            .prepare_cached("SELECT name, strategy FROM experiment WHERE key = ?1")?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(remember(&mut self.experiments, key, names))
    }

    pub(super) fn epoch(&mut self, connection: &Connection, key: i64) -> rusqlite::Result<Epoch> {
        if let Some(known) = self.epochs.get(&key) {
            return Ok(*known);
        }
        let epoch = connection
            .prepare_cached("SELECT number, fingerprint FROM epoch WHERE key = ?1")?
            .query_row([key], |row| {
                let number = row.get::<_, i64>(0)?.cast_unsigned();
                Ok(Epoch::recorded(number, row.get::<_, i64>(1)?.cast_unsigned()))
            })?;
        Ok(remember(&mut self.epochs, key, epoch))
    }

    pub(super) fn metric(
        &mut self,
        connection: &Connection,
        key: i64,
    ) -> rusqlite::Result<Arc<str>> {
        if let Some(known) = self.metrics.get(&key) {
            return Ok(known.clone());
        }
        let name = metric::name_of(connection, key)?;
        Ok(remember(&mut self.metrics, key, name))
    }

    pub(super) fn config(
        &mut self,
        connection: &Connection,
        key: i64,
    ) -> rusqlite::Result<(ConfigId, Arc<Value>)> {
        if let Some(known) = self.configs.get(&key) {
            return Ok(known.clone());
        }
        let config = connection
            .prepare_cached("SELECT config_id, content FROM config WHERE key = ?1")?
            .query_row([key], |row| {
                let content = match row.get_ref(1)?.as_str_or_null()? {
                    Some(text) => parse(1, text)?,
                    None => Value::Null,
                };
                Ok((ConfigId::named(row.get_ref(0)?.as_str()?), Arc::new(content)))
            })?;
        Ok(remember(&mut self.configs, key, config))
    }
}

fn remember<T: Clone>(known: &mut HashMap<i64, T>, key: i64, value: T) -> T {
    if known.len() >= MAX_KNOWN {
        known.clear();
    }
    known.insert(key, value.clone());
    value
}

impl BranchRow {
    /// The trace it belongs to: the caller's, or else one that begins with the request and has its
    /// id.
    pub fn trace_id(&self) -> TraceId {
        TraceId::of_request(self.trace.as_ref(), self.request_id)
    }

    /// Reads a row of `select_branch`.
    pub(super) fn read(
        row: &Row<'_>,
        connection: &Connection,
        codes: &Codes,
        names: &mut Names,
    ) -> rusqlite::Result<Self> {
        let id = BranchId::from_bytes(row.get(0)?);
        let (experiment, strategy) = names.experiment(connection, row.get(4)?)?;
        let (config_id, config) = names.config(connection, row.get(5)?)?;
        let parent_config_id = match row.get(3)? {
            Some(key) => Some(names.config(connection, key)?.0),
            None => None,
        };
        let start_ns = row.get::<_, i64>(8)?.cast_unsigned();
        let duration_ns = row.get::<_, i64>(9)?.cast_unsigned();
        let (output, output_cut) = output(row)?;
        Ok(Self {
            id,
            request_id: row.get::<_, Option<_>>(1)?.map_or(id, BranchId::from_bytes),
            parent: row.get::<_, Option<_>>(2)?.map(BranchId::from_bytes),
            parent_config_id,
            trace: row.get::<_, Option<_>>(25)?.map(TraceParent::from_bytes),
            experiment,
            strategy,
            role: value(&codes.role, 6, row.get(6)?)?,
            config_id,
            config,
            // What is not a number is stored as NULL.
            probability: row.get::<_, Option<_>>(10)?.unwrap_or(f64::NAN),
            reason: match row.get(23)? {
                Some(code) => Some(value(&codes.reason, 23, code)?),
                None => None,
            },
            epoch: match row.get(24)? {
                Some(key) => Some(names.epoch(connection, key)?),
                None => None,
            },
            unit: row.get::<_, Option<i64>>(11)?.map(i64::cast_unsigned),
            start_ns,
            end_ns: start_ns.saturating_add(duration_ns),
            duration_ns,
            status: value(&codes.status, 7, row.get(7)?)?,
            output,
            failure: failure(row, codes)?,
            skip: match row.get(13)? {
                Some(code) => Some(value(&codes.skip, 13, code)?),
                None => None,
            },
            retry_count: row.get(14)?,
            first_byte_ns: measure(row, 20)?,
            bytes_in: measure(row, 21)?,
            bytes_out: measure(row, 22)?,
            metrics: if row.get(26)? {
                metric::of_branch(connection, id.as_bytes())?
            } else {
                BranchMetrics::new()
            },
            output_cut,
        })
    }
}

fn measure(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(i64::cast_unsigned))
}

fn failure(row: &Row<'_>, codes: &Codes) -> rusqlite::Result<Option<Failure>> {
    let Some(code) = row.get(12)? else { return Ok(None) };
    let text = |index| row.get::<_, Option<String>>(index).map(Option::unwrap_or_default);
    let kind = value(&codes.failure, 12, code)?;
    Ok(Some(Failure { kind, type_name: text(15)?, message: text(16)?, trace: text(17)? }))
}

fn output(row: &Row<'_>) -> rusqlite::Result<(Option<Value>, Option<u64>)> {
    let Some(size) = row.get::<_, Option<i64>>(18)? else { return Ok((None, None)) };
    let (size, text) = (size.cast_unsigned(), row.get_ref(19)?.as_str()?);
    if text.len() as u64 == size {
        Ok((Some(parse(19, text)?), None))
    } else {
        Ok((Some(Value::String(text.to_owned() + &bounded::mark(size))), Some(size)))
    }
}

fn parse(column: usize, text: &str) -> rusqlite::Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
    })
}

pub(super) fn value<T: Coded>(codes: &Code<T>, column: usize, code: i64) -> rusqlite::Result<T> {
    codes.value(code).ok_or_else(|| {
        let error = format!(
            "{} {code} was written by a newer version of this crate: read it with that one",
            T::WHAT
        );
        rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, error.into())
    })
}
