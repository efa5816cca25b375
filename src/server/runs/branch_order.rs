//! The order of branches: what it is by, and the first of them.

use super::{
    super::{
        branch_scan::CLOCK_SLACK_MS,
        call::Context,
        error::ApiError,
        search::{
            Cell, MISSING, NAN, OrderBy, OrderKey, SortColumn, SortKey, Sql, TextAttribute,
            TimeAttribute,
        },
    },
    RunId, branch_columns,
    search::Listed,
};
use rusqlite::{Row, types::Value};
use std::collections::HashMap;

/// What branches are ordered by.
pub(super) enum Column {
    /// An expression, and the values that it takes.
    Sql { column: SortColumn, values: Vec<Value> },
    /// A param: what the configs show as it, or what clients laid over them if those are looked at.
    Param { key: String, of_config: HashMap<i64, Option<String>>, changed: bool },
}

/// The columns of an order: of branches as they were recorded, or with what clients changed in them
/// (`c`) and laid over them.
pub(super) fn columns(
    context: &Context<'_>,
    order: &OrderBy,
    changed: bool,
) -> Result<Vec<Column>, ApiError> {
    order.0.iter().map(|clause| Column::new(context, &clause.by, changed)).collect()
}

impl Column {
    fn new(context: &Context<'_>, by: &OrderKey, changed: bool) -> Result<Self, ApiError> {
        let overlaid = |table: &str, recorded: Option<String>| {
            let recorded = recorded.unwrap_or_else(|| "NULL".to_owned());
            if !changed {
                return recorded;
            }
            format!(
                "coalesce((SELECT value FROM {table} WHERE run = r.id AND key = ?), {recorded})"
            )
        };
        let missing = |value: &str| format!("CASE WHEN {value} IS NULL THEN {MISSING} ELSE 0 END");
        // The key is taken wherever what was laid over is looked up: in the value, and in its rank.
        let (value, rank, key, taken) = match by {
            OrderKey::Param(key) => {
                let of_config = branch_columns::param(context, key)?;
                return Ok(Self::Param { key: key.clone(), of_config, changed });
            }
            OrderKey::Time(TimeAttribute::Start) => {
                ("r.start_ns / 1000000".to_owned(), None, "", 0)
            }
            OrderKey::Time(TimeAttribute::End) => {
                let value = branch_columns::end_ms(changed);
                (value.to_owned(), Some(missing(value)), "", 0)
            }
            OrderKey::Text(TextAttribute::RunId) => ("r.id".to_owned(), None, "", 0),
            OrderKey::Text(attribute) => (branch_columns::text(*attribute, changed), None, "", 0),
            OrderKey::Metric(key) => {
                let recorded = branch_columns::known_metric(context, key)?;
                let value = overlaid("mlflow_latest_metric", recorded);
                let rank = if changed {
                    format!(
                        "CASE WHEN EXISTS (SELECT 1 FROM mlflow_latest_metric
                             WHERE run = r.id AND key = ? AND nan) THEN {NAN}
                         WHEN {value} IS NULL THEN {MISSING} ELSE 0 END"
                    )
                } else {
                    missing(&value)
                };
                (value, Some(rank), &**key, 3)
            }
            OrderKey::Tag(key) => {
                let value = overlaid("mlflow_tag", branch_columns::tag(key, changed));
                let rank = missing(&value);
                (value, Some(rank), &**key, 2)
            }
        };
        let values = vec![Value::Text(key.to_owned()); if changed { taken } else { 0 }];
        let is_id = *by == OrderKey::Text(TextAttribute::RunId);
        // Rows come by id; the order is made of what is read.
        Ok(Self::Sql { column: SortColumn { value, rank, ascending: true, is_id }, values })
    }

    pub(super) fn write(&self, sql: &mut Sql) {
        match self {
            Self::Sql { column, values } => {
                sql.values.extend(values.iter().cloned());
                sql.push(&column.select());
            }
            Self::Param { changed: false, .. } => {
                sql.push("r.config");
            }
            Self::Param { key, changed: true, .. } => {
                sql.push("r.config, (SELECT value FROM mlflow_param WHERE run = r.id AND key = ")
                    .bind(key.clone())
                    .push(")");
            }
        }
    }

    /// The cell of a row, whose columns from `index` on are those that were
    /// [written](Self::write); and the index after them.
    fn read(&self, row: &Row<'_>, index: usize) -> rusqlite::Result<(Cell, usize)> {
        let (of_config, changed) = match self {
            Self::Sql { column, .. } => return column.read(row, index),
            Self::Param { of_config, changed, .. } => (of_config, *changed),
        };
        let laid_over: Option<String> = if changed { row.get(index + 1)? } else { None };
        let config: i64 = row.get(index)?;
        let value = laid_over.or_else(|| of_config.get(&config).cloned().flatten());
        let next = index + 1 + usize::from(changed);
        Ok((value.map_or(Cell::Without { rank: MISSING }, Cell::Text), next))
    }
}

/// The first so many in an order, of those that were taken.
pub(super) struct FirstOf<'a> {
    order: &'a OrderBy,
    columns: Vec<Column>,
    after: Option<&'a SortKey>,
    size: usize,
    found: Vec<Listed>,
}

impl<'a> FirstOf<'a> {
    /// Those after `after`.
    pub(super) fn new(
        order: &'a OrderBy,
        columns: Vec<Column>,
        after: Option<&'a SortKey>,
        size: usize,
    ) -> Self {
        Self { order, columns, after, size, found: Vec::new() }
    }

    /// Takes a row: its id, and the columns of the order.
    pub(super) fn take(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let (mut cells, mut next) = (Vec::with_capacity(self.columns.len()), 1);
        for column in &self.columns {
            let (cell, after) = column.read(row, next)?;
            next = after;
            cells.push(cell);
        }
        let listed = Listed { place: SortKey(cells), id: row.get(0)?, is_branch: true };
        let directions = || self.order.0.iter().map(|clause| clause.ascending);
        let before = |other: &Listed| other.place.compare(&listed.place, directions()).is_le();
        if self.after.is_some_and(|after| listed.place.compare(after, directions()).is_le()) {
            return Ok(());
        }
        if self.found.len() < self.size || self.found.last().is_some_and(|last| !before(last)) {
            let at = self.found.partition_point(before);
            self.found.insert(at, listed);
            self.found.truncate(self.size);
        }
        Ok(())
    }

    /// Whether nothing with this id or a later one (an earlier one, if it goes back in time) is among
    /// the first any more.
    pub(super) fn is_complete_at(&self, id: RunId) -> bool {
        let Some(ascending) = by_time(self.order) else { return false };
        let Some(last) = self.found.last().filter(|_| self.found.len() >= self.size) else {
            return false;
        };
        let Some(Cell::Integer(start_ms)) = last.place.0.first() else { return false };
        let time = id.time_ms();
        if ascending {
            time - CLOCK_SLACK_MS > *start_ms
        } else {
            time + CLOCK_SLACK_MS < *start_ms
        }
    }

    pub(super) fn into_list(self) -> Vec<Listed> {
        self.found
    }
}

/// Whether an order goes forward in time, if it goes by time at first.
pub(super) fn by_time(order: &OrderBy) -> Option<bool> {
    let first = order.0.first()?;
    (first.by == OrderKey::Time(TimeAttribute::Start)).then_some(first.ascending)
}
