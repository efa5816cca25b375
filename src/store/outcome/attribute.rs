//! Which exposures an outcome belongs to.
//!
//! An outcome belongs to each experiment and epoch in which its unit was exposed for the first time within the
//! window before it; and to all epochs of each experiment, as what came before, if it happened so long before the unit was
//! exposed to anything for the first time. Either may become known first: an outcome looks for exposures when it is
//! recorded, and an exposure for outcomes. So what they come to is the same in any order.

use super::{
    first::{Place, When, places},
    millionths::Millionths,
    removed_before,
    rules::Spans,
    sums::Sums,
    total::{self, Total, Totals},
};
use crate::store::rollup::Exposed;
use rusqlite::Connection;

/// An outcome as far as it is attributed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fact {
    pub(super) name: i64,
    pub(super) value: Millionths,
    pub(super) at_ms: i64,
}

/// Whether there is any outcome, or was one that came to something.
pub(super) fn has_outcomes(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outcome) OR EXISTS (SELECT 1 FROM outcome_total)",
        )?
        .query_row([], |row| row.get(0))
}

/// Adds an outcome to the totals of a unit, wherever it was exposed. `false` if it follows no exposure.
pub(super) fn add(
    connection: &Connection,
    spans: &mut Spans,
    sums: &mut Sums,
    unit: i64,
    fact: Fact,
) -> rusqlite::Result<bool> {
    let mut follows = false;
    for place in places(connection, spans, unit)? {
        let Some(when) = place.counts(fact.at_ms) else { continue };
        total::change(connection, sums, place.first, fact.name, |total| {
            total.add(when, fact.value.0);
        })?;
        follows |= when == When::After;
    }
    Ok(follows)
}

/// Attributes the outcomes of units whose first exposures are new, or are other ones now.
pub(in crate::store) fn exposed(
    connection: &Connection,
    exposures: &[Exposed],
) -> rusqlite::Result<()> {
    if exposures.is_empty() || !has_outcomes(connection)? {
        return Ok(());
    }
    let (mut spans, mut sums) = (Spans::default(), Sums::default());
    let removed_before = removed_before(connection)?.unwrap_or(i64::MIN);
    for exposed in exposures {
        settle(connection, &mut spans, &mut sums, *exposed, removed_before)?;
    }
    sums.write(connection)
}

/// Computes the totals of one exposure anew; if it is the first of the unit, those of all: what came before is
/// another stretch of time for them, too.
fn settle(
    connection: &Connection,
    spans: &mut Spans,
    sums: &mut Sums,
    Exposed { unit, experiment, epoch }: Exposed,
    removed_before: i64,
) -> rusqlite::Result<()> {
    let is_known: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outcome_unit WHERE unit = ?1)
             OR EXISTS (SELECT 1 FROM outcome_total WHERE unit = ?1)",
        )?
        .query_row([unit], |row| row.get(0))?;
    if !is_known {
        return Ok(());
    }
    let mut all = places(connection, spans, unit)?;
    let is_this =
        |place: &Place| place.first.experiment == experiment && place.first.epoch == epoch;
    let is_earliest = all.iter().any(|place| is_this(place) && place.is_earliest());
    all.retain(|place| is_earliest || is_this(place));
    let found = total::of_unit(connection, unit, &all)?;
    for (place, mut totals) in all.into_iter().zip(found) {
        if place.begins_ms(When::After) < removed_before {
            // Some of its outcomes may be gone: what they came to stays, at the exposure that counts now.
            let known = total::take_back(connection, sums, place.first)?;
            put(connection, sums, &place, &known)?;
            continue;
        }
        if !is_earliest && place.begins_ms(When::Before) < removed_before {
            // So may those from before, but another epoch may know what they came to.
            for (name, known) in total::before(connection, place.first)? {
                totals.entry(name).or_default().set(When::Before, &known);
            }
        }
        total::take_back(connection, sums, place.first)?;
        put(connection, sums, &place, &totals)?;
    }
    Ok(())
}

/// Notes what the outcomes of a unit come to at a place that nothing is noted of.
pub(super) fn put(
    connection: &Connection,
    sums: &mut Sums,
    place: &Place,
    totals: &Totals,
) -> rusqlite::Result<()> {
    for (name, total) in totals {
        total::change(connection, sums, place.first, *name, |known: &mut Total| *known = *total)?;
    }
    Ok(())
}

/// Attributes all outcomes to an experiment anew: other ones count.
pub(super) fn anew(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    let keys: Vec<i64> = {
        let mut statement = connection.prepare("SELECT key FROM experiment WHERE name = ?1")?;
        statement.query_map([name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
    };
    let (mut spans, mut sums) = (Spans::default(), Sums::default());
    for key in keys {
        connection.execute("DELETE FROM outcome_total WHERE experiment = ?1", [key])?;
        connection.execute("DELETE FROM outcome_sum WHERE experiment = ?1", [key])?;
        let mut statement = connection.prepare(
            "SELECT DISTINCT u.unit FROM outcome_unit u
             WHERE EXISTS (SELECT 1 FROM exposure WHERE unit = u.unit AND experiment = ?1)",
        )?;
        let mut rows = statement.query([key])?;
        while let Some(row) = rows.next()? {
            let unit = row.get(0)?;
            let mut places = places(connection, &mut spans, unit)?;
            places.retain(|place| place.first.experiment == key);
            let found = total::of_unit(connection, unit, &places)?;
            for (place, totals) in places.iter().zip(found) {
                put(connection, &mut sums, place, &totals)?;
            }
        }
    }
    sums.write(connection)
}

/// Counts what came before the exposures that an earlier version has recorded, as far as it was not removed.
pub(in crate::store) fn add_before(connection: &Connection) -> rusqlite::Result<()> {
    let (mut spans, mut sums) = (Spans::default(), Sums::default());
    let mut statement = connection.prepare("SELECT DISTINCT unit FROM outcome_unit")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let unit = row.get(0)?;
        let places = places(connection, &mut spans, unit)?;
        let found = total::of_unit(connection, unit, &places)?;
        for (place, totals) in places.iter().zip(found) {
            for (name, found) in totals.iter().filter(|(_, total)| total.outcomes_before > 0) {
                total::change(connection, &mut sums, place.first, *name, |known| {
                    known.set(When::Before, found);
                })?;
            }
        }
    }
    sums.write(connection)
}
