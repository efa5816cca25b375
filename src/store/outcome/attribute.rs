//! Which exposures an outcome belongs to, and what those of a unit come to.
//!
//! An outcome belongs to each experiment and epoch in which its unit was exposed for the first time within the
//! window before it. Either may become known first: an outcome looks for exposures when it is recorded, and
//! an exposure for outcomes. So what they come to is the same in any order.

use super::{millionths::Millionths, removed_before, rules::Windows, sums::Sums};
use crate::store::rollup::{Exposed, millis};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// An outcome as far as it is attributed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fact {
    pub(super) name: i64,
    pub(super) value: Millionths,
    pub(super) at_ms: i64,
}

/// The first exposure of a unit in an epoch of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    pub(super) unit: i64,
    pub(super) experiment: i64,
    pub(super) epoch: i64,
    pub(super) config: i64,
    pub(super) at_ms: i64,
}

impl First {
    pub(super) const fn hour(&self) -> i64 {
        self.at_ms.div_euclid(3_600_000)
    }

    /// Whether what happened then counts.
    pub(super) const fn covers(&self, at_ms: i64, window_ms: i64) -> bool {
        self.at_ms <= at_ms && at_ms - self.at_ms <= window_ms
    }
}

/// Whether there is any outcome.
pub(super) fn has_outcomes(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM outcome)")?
        .query_row([], |row| row.get(0))
}

/// Adds an outcome to the totals of a unit, wherever it was exposed. `false` if nowhere.
pub(super) fn add(
    connection: &Connection,
    windows: &mut Windows,
    sums: &mut Sums,
    unit: i64,
    fact: Fact,
) -> rusqlite::Result<bool> {
    let mut found = false;
    for first in firsts(connection, unit)? {
        if first.covers(fact.at_ms, windows.ms(connection, first.experiment)?) {
            add_to_total(connection, sums, first, fact.name, 1, fact.value.0)?;
            found = true;
        }
    }
    Ok(found)
}

/// The first exposures of a unit, one for each experiment and epoch.
pub(super) fn firsts(connection: &Connection, unit: i64) -> rusqlite::Result<Vec<First>> {
    connection
        .prepare_cached(
            "SELECT unit, experiment, epoch, config, branch FROM exposure WHERE unit = ?1",
        )?
        .query_map([unit], first)?
        .collect()
}

pub(super) fn first(row: &rusqlite::Row<'_>) -> rusqlite::Result<First> {
    Ok(First {
        unit: row.get(0)?,
        experiment: row.get(1)?,
        epoch: row.get(2)?,
        config: row.get(3)?,
        at_ms: millis(&row.get(4)?),
    })
}

/// Adds so many outcomes of a name, that come to `value`, to the total of a unit.
fn add_to_total(
    connection: &Connection,
    sums: &mut Sums,
    first: First,
    name: i64,
    outcomes: i64,
    value: i64,
) -> rusqlite::Result<()> {
    let First { unit, experiment, epoch, config, .. } = first;
    let before: Option<i64> = connection
        .prepare_cached(
            "SELECT total FROM outcome_total
             WHERE unit = ?1 AND experiment = ?2 AND epoch = ?3 AND name = ?4",
        )?
        .query_row(params![unit, experiment, epoch, name], |row| row.get(0))
        .optional()?;
    let total = before.unwrap_or(0).saturating_add(value);
    connection
        .prepare_cached(
            "INSERT INTO outcome_total
             (unit, experiment, epoch, name, config, hour, outcomes, total)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET
             outcomes = outcomes + excluded.outcomes, total = excluded.total",
        )?
        .execute(params![unit, experiment, epoch, name, config, first.hour(), outcomes, total])?;
    let sum = sums.of(first, name);
    if let Some(before) = before {
        sum.take(before);
    }
    sum.add(total);
    Ok(())
}

/// Attributes the outcomes of units whose first exposures are new, or are other ones now.
pub(in crate::store) fn exposed(
    connection: &Connection,
    exposures: &[Exposed],
) -> rusqlite::Result<()> {
    if exposures.is_empty() || !has_outcomes(connection)? {
        return Ok(());
    }
    let (mut windows, mut sums) = (Windows::default(), Sums::default());
    let removed_before = removed_before(connection)?;
    for exposed in exposures {
        settle(connection, &mut windows, &mut sums, *exposed, removed_before)?;
    }
    sums.write(connection)
}

/// Computes the totals of one exposure anew.
fn settle(
    connection: &Connection,
    windows: &mut Windows,
    sums: &mut Sums,
    Exposed { unit, experiment, epoch }: Exposed,
    removed_before: Option<i64>,
) -> rusqlite::Result<()> {
    let has_some: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM outcome_unit WHERE unit = ?1)")?
        .query_row([unit], |row| row.get(0))?;
    if !has_some {
        return Ok(());
    }
    let first = connection
        .prepare_cached(
            "SELECT unit, experiment, epoch, config, branch FROM exposure
             WHERE unit = ?1 AND experiment = ?2 AND epoch = ?3",
        )?
        .query_row([unit, experiment, epoch], first)
        .optional()?;
    let Some(first) = first else { return Ok(()) };
    if removed_before.is_some_and(|before| first.at_ms < before) {
        // Some of its outcomes may be gone: what they came to stays as it is.
        return Ok(());
    }
    take_back(connection, sums, unit, experiment, epoch)?;
    let window_ms = windows.ms(connection, experiment)?;
    for (name, (outcomes, total)) in totals(connection, first, window_ms)? {
        add_to_total(connection, sums, first, name, outcomes, total)?;
    }
    Ok(())
}

/// By name: how many outcomes follow an exposure in its window, and their sum.
pub(super) fn totals(
    connection: &Connection,
    first: First,
    window_ms: i64,
) -> rusqlite::Result<BTreeMap<i64, (i64, i64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT o.name, o.value, o.at_ms FROM outcome_unit u JOIN outcome o ON o.key = u.outcome
         WHERE u.unit = ?1",
    )?;
    let mut rows = statement.query([first.unit])?;
    let mut totals: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        if first.covers(row.get(2)?, window_ms) {
            let (outcomes, total) = totals.entry(row.get(0)?).or_default();
            *outcomes += 1;
            *total = total.saturating_add(row.get(1)?);
        }
    }
    Ok(totals)
}

/// As if no outcome of the unit followed its exposure.
fn take_back(
    connection: &Connection,
    sums: &mut Sums,
    unit: i64,
    experiment: i64,
    epoch: i64,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM outcome_total WHERE unit = ?1 AND experiment = ?2 AND epoch = ?3
         RETURNING name, config, hour, total",
    )?;
    let mut rows = statement.query([unit, experiment, epoch])?;
    while let Some(row) = rows.next()? {
        let at_ms = row.get::<_, i64>(2)? * 3_600_000;
        let first = First { unit, experiment, epoch, config: row.get(1)?, at_ms };
        sums.of(first, row.get(0)?).take(row.get(3)?);
    }
    Ok(())
}

/// Attributes all outcomes to an experiment anew: its window is another one.
pub(super) fn anew(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    let keys: Vec<i64> = {
        let mut statement = connection.prepare("SELECT key FROM experiment WHERE name = ?1")?;
        statement.query_map([name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
    };
    let (mut windows, mut sums) = (Windows::default(), Sums::default());
    for key in keys {
        connection.execute("DELETE FROM outcome_total WHERE experiment = ?1", [key])?;
        connection.execute("DELETE FROM outcome_sum WHERE experiment = ?1", [key])?;
        let mut statement = connection.prepare(
            "SELECT e.unit, e.experiment, e.epoch, e.config, e.branch
             FROM (SELECT DISTINCT unit FROM outcome_unit) u JOIN exposure e ON e.unit = u.unit
             WHERE e.experiment = ?1",
        )?;
        let mut rows = statement.query([key])?;
        while let Some(row) = rows.next()? {
            let first = first(row)?;
            let window_ms = windows.ms(connection, key)?;
            for (name, (outcomes, total)) in totals(connection, first, window_ms)? {
                add_to_total(connection, &mut sums, first, name, outcomes, total)?;
            }
        }
    }
    sums.write(connection)
}
