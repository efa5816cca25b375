//! Reading roll-ups.

use super::{
    Rollup, RollupFilter,
    facts::Arm,
    row::{Name, UNKNOWN},
    state::State,
};
use crate::store::{
    SqliteStore, StoreError,
    backend::Reader,
    codes::Codes,
    row::{Names, value},
};
use rusqlite::{Connection, Row, params_from_iter, types::Type, types::Value};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

/// How many rows are held at a time: a few KiB each.
const PAGE: u64 = 256;

/// The first version with roll-ups.
pub(in crate::store) const SINCE_VERSION: i32 = 4;

impl SqliteStore {
    /// The roll-ups that a filter means, by experiment, config, role and epoch, and in each from
    /// the first minute to the last. Blocks, here and at each 256th of them.
    ///
    /// They are as many as minutes in which there was a branch, and hours for what is older than
    /// two days; one more for each reason other than chance (see [`Rollup::aside`]); what was removed since counts in them as before. A store that an older program
    /// wrote has none, until it is opened for writing.
    ///
    /// ```
    /// use tower_spearmint::store::{Histogram, RollupFilter, SqliteStore};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = std::env::temp_dir().join(format!("spearmint-doc-3-{}.db", std::process::id()));
    /// # let _ = std::fs::remove_file(&file);
    /// let store = SqliteStore::open(&file)?;
    /// let mut durations = Histogram::new();
    /// for minute in store.rollups(&RollupFilter::new())? {
    ///     durations.merge(&minute?.duration);
    /// }
    /// assert_eq!(durations.quantile(0.99), None);
    /// # std::fs::remove_file(&file)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the filter names an experiment or a config that the store does not have, or the file
    /// cannot be read.
    pub fn rollups(&self, filter: &RollupFilter) -> Result<RollupRows, StoreError> {
        let reader = self.reader()?;
        let failed = |error| self.failed("read", error);
        let mut conditions = filter.arms(&reader.connection, &reader.codes, failed)?;
        let minute = |ns: u64| i64::try_from(ns.div_ceil(60_000_000_000)).unwrap_or(i64::MAX);
        for (ns, compared) in [(filter.since_ns, ">="), (filter.until_ns, "<")] {
            if let Some(ns) = ns {
                conditions += &format!(" AND minute {compared} {}", minute(ns));
            }
        }
        let done = reader.version < SINCE_VERSION;
        Ok(RollupRows {
            store: self.clone(),
            reader,
            names: Names::default(),
            conditions,
            last: None,
            page: VecDeque::new(),
            done,
        })
    }
}

/// The roll-ups that a filter means; see [`SqliteStore::rollups`]. After an error it ends.
pub struct RollupRows {
    store: SqliteStore,
    reader: Reader,
    names: Names,
    conditions: String,
    last: Option<[i64; 6]>,
    page: VecDeque<Rollup>,
    done: bool,
}

/// The columns that [`state`] reads, after the key.
pub(in crate::store) const COLUMNS: &str = "experiment, config, role, epoch, minute, span,
    success, failed, skipped, cancelled, state";

/// Arm, minute, span and what they come to.
pub(super) fn state(row: &Row<'_>) -> rusqlite::Result<(Arm, i64, i64, State)> {
    let arm =
        Arm { experiment: row.get(0)?, config: row.get(1)?, role: row.get(2)?, epoch: row.get(3)? };
    let statuses = [row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?];
    let state = State::decode(statuses, row.get_ref(10)?.as_blob()?).ok_or_else(|| {
        let error = "the roll-up is damaged, or was written by a newer version of this crate";
        rusqlite::Error::FromSqlConversionFailure(10, Type::Blob, error.into())
    })?;
    Ok((arm, row.get(4)?, row.get(5)?, state))
}

/// Calls `with` for each row that `conditions` on the table mean.
pub(in crate::store) fn each(
    connection: &Connection,
    conditions: &str,
    mut with: impl FnMut(Arm, i64, i64, State),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM rollup{conditions}"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (arm, minute, span, state) = state(row)?;
        with(arm, minute, span, state);
    }
    Ok(())
}

/// A row of [`COLUMNS`] under the names of what it refers to: what chance assigned, if there is any, and what it
/// did not, reason by reason.
pub(in crate::store) fn named(
    row: &Row<'_>,
    connection: &Connection,
    codes: &Codes,
    names: &mut Names,
) -> rusqlite::Result<(Arm, Vec<Rollup>)> {
    let (arm, minute, span, state) = state(row)?;
    let (experiment, strategy) = names.experiment(connection, arm.experiment)?;
    let (config_id, _) = names.config(connection, arm.config)?;
    let epoch = match arm.epoch {
        0 => None,
        key => Some(names.epoch(connection, key)?.fingerprint()),
    };
    let role = value(&codes.role, 2, arm.role)?;
    let mut metrics = BTreeMap::new();
    for part in state.parts() {
        for key in part.metrics.keys().chain(part.metric_pairs.keys()) {
            metrics.insert(*key, names.metric(connection, *key)?);
        }
    }
    let aside = None;
    let name = Name { experiment, strategy, config_id, role, epoch, aside, minute, span, metrics };
    let mut by_chance = state;
    let aside = std::mem::take(&mut by_chance.aside);
    let mut parts = Vec::with_capacity(1);
    if aside.is_empty() || !by_chance.is_empty() {
        parts.push(by_chance.named(name.clone(), codes));
    }
    for (reason, state) in aside {
        let aside = Some(codes.reason.value(reason).unwrap_or(UNKNOWN));
        parts.push(state.named(Name { aside, ..name.clone() }, codes));
    }
    Ok((arm, parts))
}

impl RollupRows {
    fn next_page(&mut self) -> rusqlite::Result<()> {
        let beyond = if self.last.is_some() {
            " AND (experiment, config, role, epoch, minute, span) > (?, ?, ?, ?, ?, ?)"
        } else {
            ""
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM rollup{}{beyond}
             ORDER BY experiment, config, role, epoch, minute, span LIMIT {PAGE}",
            self.conditions
        );
        let Reader { connection, codes, .. } = &self.reader;
        let mut statement = connection.prepare_cached(&sql)?;
        let values = self.last.into_iter().flatten().map(Value::Integer);
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = 0;
        while let Some(row) = rows.next()? {
            let (arm, parts) = named(row, connection, codes, &mut self.names)?;
            let (minute, span) = (row.get(4)?, row.get(5)?);
            self.page.extend(parts);
            let Arm { experiment, config, role, epoch } = arm;
            self.last = Some([experiment, config, role, epoch, minute, span]);
            found += 1;
        }
        self.done = found < PAGE;
        Ok(())
    }
}

impl Iterator for RollupRows {
    type Item = Result<Rollup, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty()
            && !self.done
            && let Err(error) = self.next_page()
        {
            self.done = true;
            self.page.clear();
            return Some(Err(self.store.failed("read", error)));
        }
        self.page.pop_front().map(Ok)
    }
}

impl std::iter::FusedIterator for RollupRows {}

impl fmt::Debug for RollupRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RollupRows").field("store", &self.store).finish_non_exhaustive()
    }
}
