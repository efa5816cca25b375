//! What each unit comes to, arm by arm, for a test of complete data.

use super::{SINCE_VERSION, millionths::Millionths};
use crate::{
    config::ConfigId,
    stats::Summary,
    store::{
        SqliteStore, StoreError, backend::Reader, filter::experiment_keys, rollup, row::Names,
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// The units that were exposed to a config for the first time in an epoch.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnitTotals {
    pub(crate) exposed: u64,
    /// The totals of those that have an outcome, by its name.
    with_one: BTreeMap<Arc<str>, Summary>,
}

impl UnitTotals {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.with_one.contains_key(name)
    }

    /// The totals of all units: 0 of those that have no outcome of this name.
    pub(crate) fn of(&self, name: &str) -> Summary {
        let found = self.with_one.get(name).copied().unwrap_or_default();
        let without = self.exposed.saturating_sub(found.count);
        found.merge(&Summary { count: without, ..Summary::default() })
    }
}

/// Strategy, config and epoch.
pub(crate) type UnitTotalsKey = (Arc<str>, ConfigId, Option<u64>);

impl SqliteStore {
    /// What followed the first exposures of an experiment in this time. Blocks.
    pub(crate) fn unit_totals(
        &self,
        experiment: &str,
        since_ns: Option<u64>,
        until_ns: Option<u64>,
    ) -> Result<BTreeMap<UnitTotalsKey, UnitTotals>, StoreError> {
        let Reader { connection, version, .. } = self.reader()?;
        let mut found: BTreeMap<_, UnitTotals> = BTreeMap::new();
        if version < SINCE_VERSION {
            return Ok(found);
        }
        let failed = |error| self.failed("read", error);
        let millis = |ns: u64| i64::try_from(ns.div_ceil(1_000_000)).unwrap_or(i64::MAX);
        let since = since_ns.map_or(0, millis);
        let until = until_ns.map_or(i64::MAX, millis);
        let mut read = |key: i64| -> rusqlite::Result<()> {
            let mut names = Names::default();
            let mut known: BTreeMap<i64, Arc<str>> = BTreeMap::new();
            let mut statement = connection.prepare(
                "SELECT x.config, x.epoch, x.branch, x.unit, t.name, t.total,
                 (SELECT name FROM outcome_name WHERE key = t.name)
                 FROM exposure x LEFT JOIN outcome_total t
                 ON t.unit = x.unit AND t.experiment = x.experiment AND t.epoch = x.epoch
                 WHERE x.experiment = ?1 ORDER BY x.unit, x.epoch",
            )?;
            let mut rows = statement.query([key])?;
            let mut last = None;
            while let Some(row) = rows.next()? {
                let at_ms = rollup::millis(&row.get(2)?);
                if at_ms < since || at_ms >= until {
                    continue;
                }
                let (unit, epoch): (i64, i64) = (row.get(3)?, row.get(1)?);
                let (_, strategy) = names.experiment(&connection, key)?;
                let (config_id, _) = names.config(&connection, row.get(0)?)?;
                let fingerprint = match epoch {
                    0 => None,
                    epoch => Some(names.epoch(&connection, epoch)?.fingerprint()),
                };
                let totals = found.entry((strategy, config_id, fingerprint)).or_default();
                totals.exposed += u64::from(last != Some((unit, epoch)));
                last = Some((unit, epoch));
                let Some(name) = row.get::<_, Option<i64>>(4)? else { continue };
                let name = match known.get(&name) {
                    Some(known) => known.clone(),
                    None => {
                        let text: Arc<str> = row.get(6)?;
                        known.entry(name).or_insert(text).clone()
                    }
                };
                let total = Millionths(row.get(5)?).to_f64();
                let summary = totals.with_one.entry(name).or_default();
                *summary = summary.merge(&Summary { count: 1, mean: total, variance: 0.0 });
            }
            Ok(())
        };
        for key in experiment_keys(&connection, experiment, failed)? {
            read(key).map_err(failed)?;
        }
        Ok(found)
    }
}
