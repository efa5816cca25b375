//! What the units of an arm come to, by the hour of their exposure.

use super::{attribute::First, millionths::Millionths};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use std::collections::BTreeMap;

/// A row of `outcome_sum`, or what is added to one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    /// Units with an outcome.
    pub(super) units: i64,
    /// Of these, those whose total is below 0.
    pub(super) negative: i64,
    /// Of their totals, in millionths.
    pub(super) total: i128,
    /// Of the squares of these.
    pub(super) squares: i128,
}

impl Sum {
    /// A unit with this total.
    pub(super) fn add(&mut self, total: i64) {
        self.change(total, 1);
    }

    pub(super) fn take(&mut self, total: i64) {
        self.change(total, -1);
    }

    fn change(&mut self, total: i64, by: i64) {
        let counted = Millionths::counted(total);
        self.units += by;
        self.negative += if counted < 0 { by } else { 0 };
        self.total += counted * i128::from(by);
        self.squares = self.squares.saturating_add(counted * counted * i128::from(by));
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.units += other.units;
        self.negative += other.negative;
        self.total += other.total;
        self.squares = self.squares.saturating_add(other.squares);
    }

    /// The columns `units, negative, total, squares` from this one on.
    pub(super) fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<Self> {
        let whole = |column| {
            row.get_ref(column)?.as_str()?.parse().map_err(|error: std::num::ParseIntError| {
                rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
            })
        };
        Ok(Self {
            units: row.get(column)?,
            negative: row.get(column + 1)?,
            total: whole(column + 2)?,
            squares: whole(column + 3)?,
        })
    }
}

/// Experiment, config, epoch, name and hour.
pub(super) type SumKey = [i64; 5];

/// What a transaction adds, so that each row is touched once.
#[derive(Debug, Default)]
pub(super) struct Sums(pub(super) BTreeMap<SumKey, Sum>);

impl Sums {
    pub(super) fn of(&mut self, first: First, name: i64) -> &mut Sum {
        let key = [first.experiment, first.config, first.epoch, name, first.hour()];
        self.0.entry(key).or_default()
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        const KEY: &str =
            "experiment = ?1 AND config = ?2 AND epoch = ?3 AND name = ?4 AND hour = ?5";
        for ([experiment, config, epoch, name, hour], gained) in self.0 {
            if gained == Sum::default() {
                continue;
            }
            let key = params![experiment, config, epoch, name, hour];
            let sql =
                format!("SELECT units, negative, total, squares FROM outcome_sum WHERE {KEY}");
            let known = connection
                .prepare_cached(&sql)?
                .query_row(key, |row| Sum::read(row, 0))
                .optional()?;
            let mut sum = known.unwrap_or_default();
            sum.merge(&gained);
            if sum == Sum::default() {
                let sql = format!("DELETE FROM outcome_sum WHERE {KEY}");
                connection.prepare_cached(&sql)?.execute(key)?;
                continue;
            }
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO outcome_sum VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(params![
                    experiment,
                    config,
                    epoch,
                    name,
                    hour,
                    sum.units,
                    sum.negative,
                    sum.total.to_string(),
                    sum.squares.to_string(),
                ])?;
        }
        Ok(())
    }
}
