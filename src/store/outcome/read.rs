//! Reading outcomes, and what they come to.

use super::{
    SINCE_VERSION,
    fact::ArmNames,
    first::{When, places},
    known::of_blob,
    millionths::Millionths,
    rules::Spans,
    sums::Sum,
};
use crate::{
    config::ConfigId,
    store::{RollupFilter, SqliteStore, StoreError, backend::Reader, row::Names},
};
use serde::Serialize;
use std::sync::Arc;

/// What the outcomes of one name come to, of units that were exposed for the first time in one hour, in an
/// epoch, to a config.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OutcomeSum {
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// The config that answered.
    pub config_id: ConfigId,
    /// The fingerprint of the weights and rules, if they are known.
    pub epoch: Option<u64>,
    /// The name of the outcomes.
    pub name: Arc<str>,
    /// Where the hour begins in which the units were exposed, in ns since the Unix epoch.
    pub hour_ns: u64,
    /// Units with an outcome. (Those that have none are among the
    /// [`first_exposures`](super::super::Rollup::first_exposures).)
    pub units: u64,
    /// Of these, units whose total is below 0.
    pub negative: u64,
    /// The sum of their totals.
    pub total: f64,
    /// The sum of the squares of these totals.
    pub squares: f64,
    /// Units with an outcome from before their first exposure in the experiment.
    pub units_before: u64,
    /// The sum of what these come to, unit by unit.
    pub total_before: f64,
    /// The sum of the squares of these.
    pub squares_before: f64,
    /// The sum of the products of both totals of a unit, before and after.
    pub products: f64,
}

impl OutcomeSum {
    pub(super) fn of(
        (experiment, strategy, config_id, epoch): ArmNames,
        name: Arc<str>,
        hour: i64,
        sum: &Sum,
    ) -> Self {
        Self {
            experiment,
            strategy,
            config_id,
            epoch,
            name,
            hour_ns: hour.cast_unsigned().saturating_mul(HOUR_NS),
            units: sum.units.cast_unsigned(),
            negative: sum.negative.cast_unsigned(),
            total: sum.total as f64 / 1e6,
            squares: sum.squares as f64 / 1e12,
            units_before: sum.units_before.cast_unsigned(),
            total_before: sum.total_before as f64 / 1e6,
            squares_before: sum.squares_before as f64 / 1e12,
            products: sum.products as f64 / 1e12,
        }
    }
}

/// An outcome that is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OutcomeRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// When it happened, in ms since the Unix epoch.
    pub at_ms: u64,
    /// The hashes of its unit, one for each salt.
    pub units: Vec<u64>,
    /// The experiments that it counts in, each once.
    pub experiments: Vec<Arc<str>>,
    /// The experiments in which it counts as what came before the first exposure, each once.
    pub before: Vec<Arc<str>>,
}

impl OutcomeSum {
    /// Of no units yet, which a config answered first in the hour that begins at `hour_ns` since the Unix epoch.
    pub fn new(
        experiment: impl Into<Arc<str>>,
        strategy: impl Into<Arc<str>>,
        config_id: ConfigId,
        epoch: Option<u64>,
        name: impl Into<Arc<str>>,
        hour_ns: u64,
    ) -> Self {
        Self {
            experiment: experiment.into(),
            strategy: strategy.into(),
            config_id,
            epoch,
            name: name.into(),
            hour_ns: hour_ns / HOUR_NS * HOUR_NS,
            units: 0,
            negative: 0,
            total: 0.0,
            squares: 0.0,
            units_before: 0,
            total_before: 0.0,
            squares_before: 0.0,
            products: 0.0,
        }
    }
}

impl SqliteStore {
    /// What outcomes come to, of the experiment, config and epoch that a filter means, by the hour of the first
    /// exposure (the filter's times are those of exposures, by whole hours). Blocks.
    ///
    /// # Errors
    ///
    /// When the filter names an experiment or a config that the store does not have, or the file cannot be
    /// read.
    pub fn outcome_sums(&self, filter: &RollupFilter) -> Result<Vec<OutcomeSum>, StoreError> {
        let Reader { connection, codes, version } = self.reader()?;
        let failed = |error| self.failed("read", error);
        // Only primaries expose.
        let filter = RollupFilter { role: None, ..filter.clone() };
        let mut conditions = filter.arms(&connection, &codes, failed)?;
        if version < SINCE_VERSION {
            return Ok(Vec::new());
        }
        for (ns, compared) in [(filter.since_ns, ">="), (filter.until_ns, "<")] {
            if let Some(ns) = ns {
                conditions += &format!(" AND hour {compared} {}", ns.div_ceil(HOUR_NS));
            }
        }
        let read = || {
            let sql = format!(
                "SELECT experiment, config, epoch, n.name, hour, {}
                 FROM outcome_sum JOIN outcome_name n ON n.key = outcome_sum.name{conditions}",
                Sum::columns(version)
            );
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            let mut names = Names::default();
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (experiment, strategy) = names.experiment(&connection, row.get(0)?)?;
                let (config_id, _) = names.config(&connection, row.get(1)?)?;
                let epoch = match row.get(2)? {
                    0 => None,
                    key => Some(names.epoch(&connection, key)?.fingerprint()),
                };
                let sum = Sum::read(row, 5)?;
                let arm = (experiment, strategy, config_id, epoch);
                let name = row.get::<_, String>(3)?.into();
                found.push(OutcomeSum::of(arm, name, row.get(4)?, &sum));
            }
            Ok(found)
        };
        read().map_err(failed)
    }

    /// The outcomes that were recorded last, the last first; of one name, if one is given. Blocks.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn outcomes(&self, name: Option<&str>, limit: u64) -> Result<Vec<OutcomeRow>, StoreError> {
        let Reader { connection, version, .. } = self.reader()?;
        if version < SINCE_VERSION {
            return Ok(Vec::new());
        }
        let read = || {
            let mut statement = connection.prepare(
                "SELECT o.id, n.name, o.value, o.at_ms, o.units, o.name
                 FROM outcome o JOIN outcome_name n ON n.key = o.name
                 WHERE ?1 IS NULL OR n.name = ?1 ORDER BY o.key DESC LIMIT ?2",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut rows = statement.query(rusqlite::params![name, limit])?;
            let mut names = Names::default();
            let mut spans = Spans::of_version(version);
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let units = of_blob(row.get_ref(4)?.as_blob()?);
                let at_ms: i64 = row.get(3)?;
                let (mut experiments, mut before) = (Vec::new(), Vec::new());
                for unit in &units {
                    for place in places(&connection, &mut spans, *unit)? {
                        let counting = match place.counts(at_ms) {
                            Some(When::After) => &mut experiments,
                            Some(When::Before) => &mut before,
                            None => continue,
                        };
                        let (experiment, _) =
                            names.experiment(&connection, place.first.experiment)?;
                        if !counting.contains(&experiment) {
                            counting.push(experiment);
                        }
                    }
                }
                found.push(OutcomeRow {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    value: Millionths(row.get(2)?).to_f64(),
                    at_ms: at_ms.cast_unsigned(),
                    units: units.into_iter().map(i64::cast_unsigned).collect(),
                    experiments,
                    before,
                });
            }
            Ok(found)
        };
        read().map_err(|error| self.failed("read", error))
    }
}

const HOUR_NS: u64 = 3_600_000_000_000;
