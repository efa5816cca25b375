//! What each unit comes to, unit by unit, for a test of complete data.

use super::{SINCE_VERSION, millionths::Millionths};
use crate::{
    config::ConfigId,
    store::{
        SqliteStore, StoreError, backend::Reader, filter::experiment_keys, rollup, row::Names,
    },
};
use rusqlite::Connection;
use std::{collections::BTreeMap, sync::Arc};

/// A unit that was exposed for the first time in an epoch, and the outcomes that followed.
#[derive(Debug, Clone)]
pub(crate) struct UnitTotal {
    pub(crate) strategy: Arc<str>,
    /// The config that answered.
    pub(crate) config_id: ConfigId,
    /// The fingerprint of the weights and rules.
    pub(crate) epoch: Option<u64>,
    /// By name what they come to; none where there is no outcome.
    pub(crate) totals: Vec<(Arc<str>, f64)>,
}

impl SqliteStore {
    /// Calls `with` for each unit that was exposed to an experiment for the first time in this time, in each
    /// epoch. Blocks.
    pub(crate) fn unit_totals(
        &self,
        experiment: &str,
        since_ns: Option<u64>,
        until_ns: Option<u64>,
        mut with: impl FnMut(UnitTotal),
    ) -> Result<(), StoreError> {
        let Reader { connection, version, .. } = self.reader()?;
        if version < SINCE_VERSION {
            return Ok(());
        }
        let failed = |error| self.failed("read", error);
        let millis = |ns: u64| i64::try_from(ns.div_ceil(1_000_000)).unwrap_or(i64::MAX);
        let time = since_ns.map_or(0, millis)..until_ns.map_or(i64::MAX, millis);
        for key in experiment_keys(&connection, experiment, failed)? {
            each_unit(&connection, key, |at_ms| time.contains(&at_ms), &mut with)
                .map_err(failed)?;
        }
        Ok(())
    }
}

fn each_unit(
    connection: &Connection,
    experiment: i64,
    is_meant: impl Fn(i64) -> bool,
    with: &mut impl FnMut(UnitTotal),
) -> rusqlite::Result<()> {
    let mut names = Names::default();
    let mut of_outcomes = BTreeMap::new();
    let mut exposed = connection
        .prepare("SELECT config, epoch, branch, unit FROM exposure WHERE experiment = ?1")?;
    let mut rows = exposed.query([experiment])?;
    while let Some(row) = rows.next()? {
        if !is_meant(rollup::millis(&row.get(2)?)) {
            continue;
        }
        let (epoch, unit): (i64, i64) = (row.get(1)?, row.get(3)?);
        let mut followed = connection.prepare_cached(
            "SELECT name, total FROM outcome_total
             WHERE unit = ?1 AND experiment = ?2 AND epoch = ?3 AND outcomes > 0",
        )?;
        let mut totals = Vec::new();
        let mut outcomes = followed.query([unit, experiment, epoch])?;
        while let Some(outcome) = outcomes.next()? {
            let name = name_of(connection, &mut of_outcomes, outcome.get(0)?)?;
            totals.push((name, Millionths(outcome.get(1)?).to_f64()));
        }
        with(UnitTotal {
            strategy: names.experiment(connection, experiment)?.1,
            config_id: names.config(connection, row.get(0)?)?.0,
            epoch: match epoch {
                0 => None,
                key => Some(names.epoch(connection, key)?.fingerprint()),
            },
            totals,
        });
    }
    Ok(())
}

/// The name of outcomes behind a key.
fn name_of(
    connection: &Connection,
    known: &mut BTreeMap<i64, Arc<str>>,
    key: i64,
) -> rusqlite::Result<Arc<str>> {
    if let Some(name) = known.get(&key) {
        return Ok(name.clone());
    }
    let name: Arc<str> = connection
        .prepare_cached("SELECT name FROM outcome_name WHERE key = ?1")?
        .query_row([key], |row| row.get(0))?;
    known.insert(key, name.clone());
    Ok(name)
}
