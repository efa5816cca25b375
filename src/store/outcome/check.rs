//! Whether totals and sums are what the outcomes come to.

use super::{
    SINCE_VERSION, attribute, removed_before,
    rules::Windows,
    sums::{Sum, SumKey},
};
use crate::store::upkeep::CheckReport;
use rusqlite::{Connection, params};
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
    let wrong = wrong_totals(connection)?;
    if wrong > 0 {
        report.fault(format!("{wrong} totals of units are not the sums of their outcomes"));
    }
    let wrong = wrong_sums(connection)?;
    if wrong > 0 {
        report.fault(format!("{wrong} sums of outcomes are not those of the totals of units"));
    }
    Ok(())
}

fn wrong_totals(connection: &Connection) -> rusqlite::Result<u64> {
    let since_ms = removed_before(connection)?.unwrap_or(i64::MIN);
    let mut windows = Windows::default();
    let mut stored = connection.prepare(
        "SELECT config, hour, outcomes, total FROM outcome_total
         WHERE unit = ?1 AND experiment = ?2 AND epoch = ?3 AND name = ?4",
    )?;
    let mut statement = connection.prepare(
        "SELECT e.unit, e.experiment, e.epoch, e.config, e.branch
         FROM (SELECT DISTINCT unit FROM outcome_unit) u JOIN exposure e ON e.unit = u.unit",
    )?;
    let mut rows = statement.query([])?;
    let (mut right, mut wrong) = (0_u64, 0_u64);
    while let Some(row) = rows.next()? {
        let first = attribute::first(row)?;
        if first.at_ms < since_ms {
            continue;
        }
        let window_ms = windows.ms(connection, first.experiment)?;
        for (name, (outcomes, total)) in attribute::totals(connection, first, window_ms)? {
            let key = params![first.unit, first.experiment, first.epoch, name];
            let mut found = stored.query(key)?;
            let agrees = match found.next()? {
                Some(row) => {
                    let found: [i64; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
                    found == [first.config, first.hour(), outcomes, total]
                }
                None => false,
            };
            right += u64::from(agrees);
            wrong += u64::from(!agrees);
        }
    }
    // And those of which there should be none.
    let hour = since_ms.div_euclid(3_600_000);
    let mut all = connection.prepare("SELECT count(*) FROM outcome_total WHERE hour > ?1")?;
    let all: i64 = all.query_row([hour], |row| row.get(0))?;
    Ok(wrong + all.unsigned_abs().saturating_sub(right + wrong))
}

fn wrong_sums(connection: &Connection) -> rusqlite::Result<u64> {
    let mut expected: BTreeMap<SumKey, Sum> = BTreeMap::new();
    let key = |row: &rusqlite::Row<'_>| -> rusqlite::Result<SumKey> {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
    };
    let mut statement = connection
        .prepare("SELECT experiment, config, epoch, name, hour, total FROM outcome_total")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        expected.entry(key(row)?).or_default().add(row.get(5)?);
    }
    let mut statement = connection.prepare(
        "SELECT experiment, config, epoch, name, hour, units, negative, total, squares FROM outcome_sum",
    )?;
    let mut rows = statement.query([])?;
    let mut wrong = 0;
    while let Some(row) = rows.next()? {
        let stored = Sum::read(row, 5)?;
        wrong += u64::from(expected.remove(&key(row)?) != Some(stored));
    }
    Ok(wrong + expected.len() as u64)
}
