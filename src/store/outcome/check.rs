//! Whether totals and sums are what the outcomes come to.

use super::{
    SINCE_VERSION,
    first::{When, places},
    removed_before,
    rules::Spans,
    sums::{Sum, SumKey},
    total::{self, Total},
};
use crate::store::upkeep::CheckReport;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Adds what is wrong to the report. Totals of exposures from before the time up to which outcomes were
/// removed can only be checked against the sums.
pub(in crate::store) fn disagreements(
    connection: &Connection,
    version: i32,
    report: &mut CheckReport,
) -> rusqlite::Result<()> {
    if version < SINCE_VERSION {
        return Ok(());
    }
    let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let dangling = count(
        "SELECT count(*) FROM outcome_unit u
         WHERE NOT EXISTS (SELECT 1 FROM outcome WHERE key = u.outcome)",
    )?;
    if dangling > 0 {
        report.fault(format!("{dangling} rows of outcome_unit have no outcome"));
    }
    let nameless = count(
        "SELECT count(*) FROM outcome o
         WHERE NOT EXISTS (SELECT 1 FROM outcome_name WHERE key = o.name)",
    )?;
    if nameless > 0 {
        report.fault(format!("{nameless} outcomes have a name that is not in outcome_name"));
    }
    let wrong = wrong_totals(connection, version)?;
    if wrong > 0 {
        report.fault(format!("{wrong} totals of units are not the sums of their outcomes"));
    }
    let wrong = wrong_sums(connection, version)?;
    if wrong > 0 {
        report.fault(format!("{wrong} sums of outcomes are not those of the totals of units"));
    }
    Ok(())
}

/// Of those that are as they should be nothing is said; the others are counted.
fn wrong_totals(connection: &Connection, version: i32) -> rusqlite::Result<u64> {
    let since_ms = removed_before(connection)?.unwrap_or(i64::MIN);
    let mut spans = Spans::of_version(version);
    // (Of units of which all outcomes were removed, what came before may stand there still.)
    let mut statement =
        connection.prepare("SELECT unit FROM outcome_unit UNION SELECT unit FROM outcome_total")?;
    let mut rows = statement.query([])?;
    let mut wrong = 0;
    while let Some(row) = rows.next()? {
        let unit = row.get(0)?;
        let mut stored = stored(connection, version, unit)?;
        let places = places(connection, &mut spans, unit)?;
        let found = total::of_unit(connection, unit, &places)?;
        for (place, mut expected) in places.iter().zip(found) {
            let known = |when| place.begins_ms(when) >= since_ms;
            let mut rows = stored.remove(&[place.first.experiment, place.first.epoch]);
            if !known(When::After) {
                continue;
            }
            for (name, row) in rows.iter_mut().flatten() {
                let expected = expected.remove(name).unwrap_or_default();
                for when in [When::After, When::Before].into_iter().filter(|when| !known(*when)) {
                    row.total.set(when, &expected);
                }
                let is_right = row.total == expected
                    && (row.config, row.hour) == (place.first.config, place.first.hour());
                wrong += u64::from(!is_right);
            }
            let is_missing = |total: &Total| total.outcomes > 0 || known(When::Before);
            wrong += expected.values().filter(|total| is_missing(total)).count() as u64;
        }
        // And those of which there should be none.
        let hour = since_ms.div_euclid(3_600_000);
        let rest = stored.values().flat_map(BTreeMap::values);
        wrong += rest.filter(|row| row.hour > hour).count() as u64;
    }
    Ok(wrong)
}

/// A row of `outcome_total`.
struct Stored {
    config: i64,
    hour: i64,
    total: Total,
}

/// The rows of a unit, by experiment and epoch, and by name.
fn stored(
    connection: &Connection,
    version: i32,
    unit: i64,
) -> rusqlite::Result<BTreeMap<[i64; 2], BTreeMap<i64, Stored>>> {
    let sql = format!(
        "SELECT experiment, epoch, name, config, hour, {} FROM outcome_total WHERE unit = ?1",
        Total::columns(version)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([unit])?;
    let mut stored: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (config, hour, total) = (row.get(3)?, row.get(4)?, Total::read(row, 5)?);
        let of = stored.entry([row.get(0)?, row.get(1)?]).or_default();
        of.insert(row.get(2)?, Stored { config, hour, total });
    }
    Ok(stored)
}

fn wrong_sums(connection: &Connection, version: i32) -> rusqlite::Result<u64> {
    let mut expected: BTreeMap<SumKey, Sum> = BTreeMap::new();
    let key = |row: &rusqlite::Row<'_>| -> rusqlite::Result<SumKey> {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
    };
    let mut statement = connection.prepare(&format!(
        "SELECT experiment, config, epoch, name, hour, {} FROM outcome_total",
        Total::columns(version)
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        expected.entry(key(row)?).or_default().add(&Total::read(row, 5)?);
    }
    let mut statement = connection.prepare(&format!(
        "SELECT experiment, config, epoch, name, hour, {} FROM outcome_sum",
        Sum::columns(version)
    ))?;
    let mut rows = statement.query([])?;
    let mut wrong = 0;
    while let Some(row) = rows.next()? {
        let stored = Sum::read(row, 5)?;
        wrong += u64::from(expected.remove(&key(row)?) != Some(stored));
    }
    Ok(wrong + expected.len() as u64)
}
