//! Metrics by bucket of the unit's hash, as in [`unit_bucket`](super::unit_bucket).

use super::facts::{Arm, Facts};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// How many values of a metric the units of a bucket have, and what they add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnitSums {
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
}

/// What is added to a row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Added {
    count: i64,
    sum: f64,
}

/// By arm, bucket and metric.
#[derive(Debug, Default)]
pub(super) struct UnitMetrics(pub(super) HashMap<(Arm, i64, i64), Added>);

impl UnitSums {
    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum += other.sum;
    }
}

impl UnitMetrics {
    /// Adds the metrics of a branch, if it ended, or takes them back.
    pub(super) fn change(&mut self, facts: &Facts, bucket: i64, by: i64) {
        if !facts.ended() {
            return;
        }
        for (metric, value) in facts.metrics.as_slice() {
            let sums = self.0.entry((facts.arm, bucket, *metric)).or_default();
            sums.count += by;
            sums.sum += by as f64 * value;
        }
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<_> = self.0.into_iter().collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        let mut statement = connection.prepare_cached(
            "INSERT INTO unit_metric (experiment, config, role, epoch, bucket, metric, count, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET
             count = count + excluded.count, sum = sum + excluded.sum",
        )?;
        for ((arm, bucket, metric), Added { count, sum }) in rows {
            let Arm { experiment, config, role, epoch } = arm;
            statement
                .execute(params![experiment, config, role, epoch, bucket, metric, count, sum])?;
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (key, added) in &other.0 {
            let sums = self.0.entry(*key).or_default();
            sums.count += added.count;
            sums.sum += added.sum;
        }
    }

    /// How many rows of the table are not these, and these not there.
    pub(super) fn disagreements(mut self, connection: &Connection) -> rusqlite::Result<u64> {
        let mut faults = 0;
        let mut statement = connection.prepare(
            "SELECT experiment, config, role, epoch, bucket, metric, count, sum FROM unit_metric",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = key(row)?;
            let expected = self.0.remove(&key).unwrap_or_default();
            let stored = Added { count: row.get(6)?, sum: row.get(7)? };
            faults += u64::from(!stored.agrees(expected));
        }
        let left = self.0.into_values().filter(|left| left.count != 0).count();
        Ok(faults + left as u64)
    }
}

fn key(row: &Row<'_>) -> rusqlite::Result<(Arm, i64, i64)> {
    let arm =
        Arm { experiment: row.get(0)?, config: row.get(1)?, role: row.get(2)?, epoch: row.get(3)? };
    Ok((arm, row.get(4)?, row.get(5)?))
}

impl Added {
    /// But for rounding, which is as large as what was added up may be.
    fn agrees(self, other: Self) -> bool {
        let apart = (self.sum - other.sum).abs();
        let scale = self.sum.abs().max(other.sum.abs());
        self.count == other.count && (apart <= 1e-6 * scale.max(1.0) || !apart.is_finite())
    }
}
