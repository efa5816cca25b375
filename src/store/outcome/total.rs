//! What the outcomes of one unit come to.

use super::{
    first::{First, Place, When},
    sums::Sums,
};
use crate::store::SCHEMA_VERSION;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;

/// What those of one name come to, after an exposure and before all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) outcomes: i64,
    /// In millionths.
    pub(super) total: i64,
    pub(super) outcomes_before: i64,
    /// In millionths.
    pub(super) total_before: i64,
}

/// By name.
pub(super) type Totals = BTreeMap<i64, Total>;

impl Total {
    pub(super) const fn add(&mut self, when: When, value: i64) {
        let (outcomes, total) = match when {
            When::After => (&mut self.outcomes, &mut self.total),
            When::Before => (&mut self.outcomes_before, &mut self.total_before),
        };
        *outcomes += 1;
        *total = total.saturating_add(value);
    }

    /// Takes over what the other says of this side.
    pub(super) const fn set(&mut self, when: When, other: &Self) {
        match when {
            When::After => (self.outcomes, self.total) = (other.outcomes, other.total),
            When::Before => {
                self.outcomes_before = other.outcomes_before;
                self.total_before = other.total_before;
            }
        }
    }

    const fn is_none(&self) -> bool {
        self.outcomes == 0 && self.outcomes_before == 0
    }

    /// The columns that [`read`](Self::read) takes, in a store of this version.
    pub(super) const fn columns(version: i32) -> &'static str {
        if version < super::BEFORE_SINCE_VERSION {
            "outcomes, total, 0, 0"
        } else {
            "outcomes, total, outcomes_before, total_before"
        }
    }

    /// Its [`columns`](Self::columns), from this one on.
    pub(super) fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            outcomes: row.get(column)?,
            total: row.get(column + 1)?,
            outcomes_before: row.get(column + 2)?,
            total_before: row.get(column + 3)?,
        })
    }
}

/// What all outcomes of a unit come to at each of these places of it.
pub(super) fn of_unit(
    connection: &Connection,
    unit: i64,
    places: &[Place],
) -> rusqlite::Result<Vec<Totals>> {
    let mut statement = connection.prepare_cached(
        "SELECT o.name, o.value, o.at_ms FROM outcome_unit u JOIN outcome o ON o.key = u.outcome
         WHERE u.unit = ?1",
    )?;
    let mut rows = statement.query([unit])?;
    let mut found = vec![Totals::new(); places.len()];
    while let Some(row) = rows.next()? {
        let (name, value, at_ms) = (row.get(0)?, row.get(1)?, row.get(2)?);
        for (place, totals) in places.iter().zip(&mut found) {
            if let Some(when) = place.counts(at_ms) {
                totals.entry(name).or_default().add(when, value);
            }
        }
    }
    Ok(found)
}

/// Changes what is stored for a name at this first exposure, and the sums with it.
pub(super) fn change(
    connection: &Connection,
    sums: &mut Sums,
    first: First,
    name: i64,
    change: impl FnOnce(&mut Total),
) -> rusqlite::Result<()> {
    let First { unit, experiment, epoch, config, .. } = first;
    let sql = format!(
        "SELECT {} FROM outcome_total
         WHERE unit = ?1 AND experiment = ?2 AND epoch = ?3 AND name = ?4",
        Total::columns(SCHEMA_VERSION)
    );
    let known: Option<Total> = connection
        .prepare_cached(&sql)?
        .query_row(params![unit, experiment, epoch, name], |row| Total::read(row, 0))
        .optional()?;
    let mut total = known.unwrap_or_default();
    change(&mut total);
    let sum = sums.of(first, name);
    if let Some(known) = known {
        sum.take(&known);
    }
    if total.is_none() {
        connection
            .prepare_cached(
                "DELETE FROM outcome_total
                 WHERE unit = ?1 AND experiment = ?2 AND epoch = ?3 AND name = ?4",
            )?
            .execute(params![unit, experiment, epoch, name])?;
        return Ok(());
    }
    sum.add(&total);
    let Total { outcomes, total, outcomes_before, total_before } = total;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO outcome_total
             (unit, experiment, epoch, name, config, hour, outcomes, total, outcomes_before, total_before)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            unit,
            experiment,
            epoch,
            name,
            config,
            first.hour(),
            outcomes,
            total,
            outcomes_before,
            total_before
        ])?;
    Ok(())
}

/// What is stored for a unit in an epoch, as if it were no longer.
pub(super) fn take_back(
    connection: &Connection,
    sums: &mut Sums,
    First { unit, experiment, epoch, .. }: First,
) -> rusqlite::Result<Totals> {
    let sql = format!(
        "DELETE FROM outcome_total WHERE unit = ?1 AND experiment = ?2 AND epoch = ?3
         RETURNING name, config, hour, {}",
        Total::columns(SCHEMA_VERSION)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([unit, experiment, epoch])?;
    let mut taken = Totals::new();
    while let Some(row) = rows.next()? {
        let (name, total) = (row.get(0)?, Total::read(row, 3)?);
        // (It may have been another exposure.)
        let at_ms = row.get::<_, i64>(2)? * 3_600_000;
        let first = First { unit, experiment, epoch, config: row.get(1)?, at_ms };
        sums.of(first, name).take(&total);
        taken.insert(name, total);
    }
    Ok(taken)
}

/// What came before the exposures of a unit in an experiment, as some epoch has it.
pub(super) fn before(
    connection: &Connection,
    First { unit, experiment, .. }: First,
) -> rusqlite::Result<Totals> {
    let sql = format!(
        "SELECT name, {} FROM outcome_total
         WHERE unit = ?1 AND experiment = ?2 AND outcomes_before > 0",
        Total::columns(SCHEMA_VERSION)
    );
    connection
        .prepare_cached(&sql)?
        .query_map([unit, experiment], |row| Ok((row.get(0)?, Total::read(row, 1)?)))?
        .collect()
}
