//! What the units of an arm come to, by the hour of their exposure.

use super::{BEFORE_SINCE_VERSION, first::First, millionths::Millionths, total::Total};
use crate::store::SCHEMA_VERSION;
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
    /// Units with an outcome from before their first exposure.
    pub(super) units_before: i64,
    /// Of what these come to.
    pub(super) total_before: i128,
    /// Of the squares of these.
    pub(super) squares_before: i128,
    /// Of what came after times what came before.
    pub(super) products: i128,
}

impl Sum {
    /// A unit with this total.
    pub(super) fn add(&mut self, total: &Total) {
        self.change(total, 1);
    }

    pub(super) fn take(&mut self, total: &Total) {
        self.change(total, -1);
    }

    fn change(&mut self, of: &Total, by: i64) {
        let count = |outcomes: i64| if outcomes > 0 { by } else { 0 };
        let (after, before) = (Millionths::counted(of.total), Millionths::counted(of.total_before));
        let times = i128::from(by);
        self.merge(&Self {
            units: count(of.outcomes),
            negative: if after < 0 { by } else { 0 },
            total: after * times,
            squares: after * after * times,
            units_before: count(of.outcomes_before),
            total_before: before * times,
            squares_before: before * before * times,
            products: after * before * times,
        });
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.units += other.units;
        self.negative += other.negative;
        self.total += other.total;
        self.squares = self.squares.saturating_add(other.squares);
        self.units_before += other.units_before;
        self.total_before += other.total_before;
        self.squares_before = self.squares_before.saturating_add(other.squares_before);
        self.products = self.products.saturating_add(other.products);
    }

    /// The columns that [`read`](Self::read) takes, in a store of this version.
    pub(super) const fn columns(version: i32) -> &'static str {
        if version < BEFORE_SINCE_VERSION {
            "units, negative, total, squares, 0, '0', '0', '0'"
        } else {
            "units, negative, total, squares, units_before, total_before, squares_before, products"
        }
    }

    /// Its [`columns`](Self::columns), from this one on.
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
            units_before: row.get(column + 4)?,
            total_before: whole(column + 5)?,
            squares_before: whole(column + 6)?,
            products: whole(column + 7)?,
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
            let columns = Sum::columns(SCHEMA_VERSION);
            let sql = format!("SELECT {columns} FROM outcome_sum WHERE {KEY}");
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
                    "INSERT OR REPLACE INTO outcome_sum
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
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
                    sum.units_before,
                    sum.total_before.to_string(),
                    sum.squares_before.to_string(),
                    sum.products.to_string(),
                ])?;
        }
        Ok(())
    }
}
