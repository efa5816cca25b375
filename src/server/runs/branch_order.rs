//! The order of branches: what it is by, and the first of them.

use super::{
    super::search::{
        Cell, MISSING, OrderBy, OrderKey, SortColumn, SortKey, Sql, TextAttribute, TimeAttribute,
    },
    RunId, branch_columns,
    branch_span::CLOCK_SLACK_MS,
    search::Listed,
};
use rusqlite::{Row, types::Value};

/// An expression, and the values that it takes.
#[derive(Default)]
pub(super) struct Taken(Vec<Value>);

impl Taken {
    pub(super) fn write(&self, sql: &mut Sql, column: &SortColumn) {
        // The expression of a value stands in that of its rank again.
        sql.values.extend(self.0.iter().cloned());
        if column.rank.is_some() {
            sql.values.extend(self.0.iter().cloned());
        }
        sql.push(&column.select());
    }
}

/// What branches are ordered by: as they were recorded, or with what clients changed in them (`c`)
/// and laid over them.
pub(super) fn column(by: &OrderKey, ascending: bool, changed: bool) -> (Taken, SortColumn) {
    let overlaid = |table: &str, key: &str, expression: Option<String>| {
        let expression = expression.unwrap_or_else(|| "NULL".to_owned());
        if !changed {
            return (Taken::default(), expression);
        }
        let value = format!(
            "coalesce((SELECT value FROM {table} WHERE run = r.id AND key = ?), {expression})"
        );
        (Taken(vec![key.to_owned().into()]), value)
    };
    let missing = |value: &str| format!("CASE WHEN {value} IS NULL THEN {MISSING} ELSE 0 END");
    let mut is_id = false;
    let (taken, value, rank) = match by {
        OrderKey::Time(TimeAttribute::Start) => {
            (Taken::default(), "r.start_ns / 1000000".to_owned(), None)
        }
        OrderKey::Time(TimeAttribute::End) => {
            let value = branch_columns::end_ms(changed).to_owned();
            let rank = missing(&value);
            (Taken::default(), value, Some(rank))
        }
        OrderKey::Text(TextAttribute::RunId) => {
            is_id = true;
            (Taken::default(), "r.id".to_owned(), None)
        }
        OrderKey::Text(attribute) => {
            (Taken::default(), branch_columns::text(*attribute, changed), None)
        }
        OrderKey::Metric(key) => {
            let (taken, value) = overlaid("mlflow_latest_metric", key, branch_columns::metric(key));
            let rank = missing(&value);
            (taken, value, Some(rank))
        }
        OrderKey::Tag(key) => {
            let (taken, value) = overlaid("mlflow_tag", key, branch_columns::tag(key, changed));
            let rank = missing(&value);
            (taken, value, Some(rank))
        }
        OrderKey::Param(key) => {
            let (mut taken, value) =
                overlaid("mlflow_param", key, Some(branch_columns::PARAM.to_owned()));
            let path = branch_columns::json_path(key);
            taken.0.extend([(); 3].map(|()| Value::Text(path.clone())));
            let rank = missing(&value);
            (taken, value, Some(rank))
        }
    };
    (taken, SortColumn { value, rank, ascending, is_id })
}

/// The first so many in an order, of those that were taken.
pub(super) struct FirstOf<'a> {
    order: &'a OrderBy,
    columns: Vec<SortColumn>,
    after: Option<&'a SortKey>,
    size: usize,
    found: Vec<Listed>,
}

impl<'a> FirstOf<'a> {
    /// Those after `after`.
    pub(super) fn new(
        order: &'a OrderBy,
        columns: Vec<SortColumn>,
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
