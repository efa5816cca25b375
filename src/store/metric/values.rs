//! The values of a branch.

use super::{MetricNames, SINCE_VERSION};
use crate::branch::BranchMetrics;
use rusqlite::{Connection, params};
use serde::Serialize;
use std::sync::Arc;

/// What the row of a value takes, with the page's share.
pub(in crate::store) const ROW_BYTES: u64 = 32;

/// Beyond this a value is in no roll-up: its square would be no number any more.
const LARGEST: f64 = 1e100;

/// The values that roll-ups add up, by the keys of their names. Cheap to clone; without any no more
/// than a pointer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::store) struct Values(Option<Arc<[(i64, f64)]>>);

impl Values {
    fn new(values: Vec<(i64, f64)>) -> Self {
        Self((!values.is_empty()).then(|| values.into()))
    }

    pub(in crate::store) fn as_slice(&self) -> &[(i64, f64)] {
        self.0.as_deref().unwrap_or_default()
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(in crate::store) fn get(&self, key: i64) -> Option<f64> {
        self.as_slice().iter().find(|(known, _)| *known == key).map(|(_, value)| *value)
    }
}

/// Values of an experiment that were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MetricsBeyond {
    /// Under further names than the 64 that are rolled up, or beyond ±1e100: they are with their branches
    /// only.
    pub not_rolled_up: u64,
    /// Under further names than the 1,024 that an experiment may have: they are not kept.
    pub not_kept: u64,
}

/// Writes the values of a branch; one that is there already is replaced. Those that are rolled up,
/// and how many rows there are now.
pub(in crate::store) fn insert(
    connection: &Connection,
    names: &mut MetricNames,
    experiment: i64,
    branch: &[u8; 16],
    metrics: &BranchMetrics,
) -> rusqlite::Result<(Values, u64)> {
    let mut rolled_up = Vec::with_capacity(metrics.len());
    let (mut kept, mut not_rolled_up, mut not_kept) = (0, 0_i64, 0_i64);
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO branch_metric (branch, metric, value) VALUES (?1, ?2, ?3)",
    )?;
    for (name, value) in metrics.iter() {
        let Some(key) = names.key(connection, experiment, name)? else {
            not_kept += 1;
            continue;
        };
        statement.execute(params![branch, key.key, value])?;
        kept += 1;
        if key.rolled_up && value.abs() <= LARGEST {
            rolled_up.push((key.key, value));
        } else {
            not_rolled_up += 1;
        }
    }
    if not_rolled_up > 0 || not_kept > 0 {
        connection
            .prepare_cached(
                "INSERT INTO metric_beyond (experiment, not_rolled_up, not_kept)
                 VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET
                 not_rolled_up = not_rolled_up + excluded.not_rolled_up,
                 not_kept = not_kept + excluded.not_kept",
            )?
            .execute(params![experiment, not_rolled_up, not_kept])?;
    }
    Ok((Values::new(rolled_up), kept))
}

/// Whether any branch of a file of this version has a value.
pub(in crate::store) fn any(connection: &Connection, version: i32) -> rusqlite::Result<bool> {
    if version < SINCE_VERSION {
        return Ok(false);
    }
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM branch_metric)")?
        .query_row([], |row| row.get(0))
}

/// All values of a branch that is there.
pub(in crate::store) fn of_branch(
    connection: &Connection,
    branch: &[u8; 16],
) -> rusqlite::Result<BranchMetrics> {
    let mut metrics = BranchMetrics::new();
    let mut statement = connection.prepare_cached(
        "SELECT n.name, v.value FROM branch_metric v JOIN metric_name n ON n.key = v.metric
         WHERE v.branch = ?1",
    )?;
    let mut rows = statement.query([branch])?;
    while let Some(row) = rows.next()? {
        metrics.set(row.get_ref(0)?.as_str()?, row.get(1)?);
    }
    Ok(metrics)
}

/// The same, under the keys of their names.
#[cfg(feature = "report")]
pub(in crate::store) fn values_of(
    connection: &Connection,
    branch: &[u8; 16],
) -> rusqlite::Result<Vec<(i64, f64)>> {
    connection
        .prepare_cached("SELECT metric, value FROM branch_metric WHERE branch = ?1")?
        .query_map([branch], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Those of them that are rolled up, and how many rows there are.
pub(in crate::store) fn rolled_up_of(
    connection: &Connection,
    branch: &[u8; 16],
) -> rusqlite::Result<(Values, u64)> {
    let mut statement = connection.prepare_cached(
        "SELECT v.metric, v.value, n.rolled_up FROM branch_metric v
         JOIN metric_name n ON n.key = v.metric WHERE v.branch = ?1",
    )?;
    let mut rows = statement.query([branch])?;
    let (mut values, mut count) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        count += 1;
        let value: f64 = row.get(1)?;
        if row.get(2)? && value.abs() <= LARGEST {
            values.push((row.get(0)?, value));
        }
    }
    Ok((Values::new(values), count))
}

/// The name behind a key.
pub(in crate::store) fn name_of(connection: &Connection, key: i64) -> rusqlite::Result<Arc<str>> {
    connection
        .prepare_cached("SELECT name FROM metric_name WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
}

/// What was left out, by the key of the experiment.
pub(in crate::store) fn beyond(
    connection: &Connection,
    version: i32,
    experiment: i64,
) -> rusqlite::Result<MetricsBeyond> {
    if version < SINCE_VERSION {
        return Ok(MetricsBeyond::default());
    }
    let mut statement = connection.prepare_cached(
        "SELECT not_rolled_up, not_kept FROM metric_beyond WHERE experiment = ?1",
    )?;
    let mut rows = statement.query([experiment])?;
    let Some(row) = rows.next()? else { return Ok(MetricsBeyond::default()) };
    Ok(MetricsBeyond {
        not_rolled_up: row.get::<_, i64>(0)?.unsigned_abs(),
        not_kept: row.get::<_, i64>(1)?.unsigned_abs(),
    })
}

/// The expression for a metric of the branch that is `row` in a statement; NULL where nobody said it.
#[cfg(feature = "server")]
pub(crate) fn metric_of(row: &str, name: &str) -> String {
    format!(
        "(SELECT v.value FROM metric_name n JOIN branch_metric v ON v.metric = n.key
         WHERE n.experiment = {row}.experiment AND n.name = '{name}' AND v.branch = {row}.id)"
    )
}

/// Whether a metric of this name was ever said.
#[cfg(feature = "server")]
pub(crate) fn is_metric(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM metric_name WHERE name = ?1)")?
        .query_row([name], |row| row.get(0))
}
