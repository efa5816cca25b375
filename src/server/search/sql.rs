//! Questions and orders as SQL.

use super::{
    condition::{NumberTest, TextTest, glob},
    sort::{Cell, SortKey},
};
use rusqlite::types::Value;

/// A statement that is being written, and the values of its parameters in the order of their `?`.
#[derive(Debug, Default)]
pub(in crate::server) struct Sql {
    pub(in crate::server) text: String,
    pub(in crate::server) values: Vec<Value>,
}

/// An expression that rows are ordered by.
#[derive(Debug)]
pub(in crate::server) struct SortColumn {
    pub(in crate::server) value: String,
    /// The [rank](Cell) of the value, where it may be missing.
    pub(in crate::server) rank: Option<String>,
    pub(in crate::server) ascending: bool,
    /// Whether the value is the 16 bytes of an id, which clients write as 32 digits.
    pub(in crate::server) is_id: bool,
}

impl Sql {
    pub(in crate::server) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(in crate::server) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.text.push('?');
        self.values.push(value.into());
        self
    }

    /// Goes on with what was written apart.
    pub(in crate::server) fn append(&mut self, other: Self) -> &mut Self {
        self.values.extend(other.values);
        self.push(&other.text)
    }

    /// What `test` asks of an expression.
    pub(in crate::server) fn number(&mut self, expression: &str, test: NumberTest) -> &mut Self {
        self.push(expression).push(" ").push(test.comparator.sql()).push(" ").bind(test.value)
    }

    /// What `test` asks of an expression, which is NULL where there is no text.
    pub(in crate::server) fn text(&mut self, expression: &str, test: &TextTest) -> &mut Self {
        self.push(expression);
        match test {
            TextTest::Equals(value) => self.push(" = ").bind(value.clone()),
            TextTest::Differs(value) => self.push(" <> ").bind(value.clone()),
            TextTest::Like(pattern) => self.push(" GLOB ").bind(glob(pattern)),
            TextTest::ILike(pattern) => self.push(" LIKE ").bind(pattern.clone()),
            TextTest::In(values) => self.push(" IN ").list(values, "value"),
            TextTest::NotIn(values) => self.push(" NOT IN ").list(values, "value"),
            TextTest::IsNull => self.push(" IS NULL"),
            TextTest::IsNotNull => self.push(" IS NOT NULL"),
        }
    }

    /// A list, each entry of which is made what it is compared with by `each` (of `value`). It is
    /// one parameter, however long.
    pub(in crate::server) fn list(
        &mut self,
        values: &[impl serde::Serialize],
        each: &str,
    ) -> &mut Self {
        // Strings and numbers are always written.
        let values = serde_json::to_string(values).unwrap_or_default();
        self.push(&format!("(SELECT {each} FROM json_each(")).bind(values).push("))")
    }

    /// Those rows that come after `after` in the order of `columns`.
    pub(in crate::server) fn after(&mut self, columns: &[SortColumn], after: &SortKey) {
        // The index of the first column finds where to begin by this alone.
        if let (Some(first), Some(cell)) = (columns.first(), after.0.first())
            && first.rank.is_none()
        {
            let from = if first.ascending { " >= " } else { " <= " };
            self.push(&first.value).push(from).cell(first, cell).push(" AND ");
        }
        let last = columns.len().saturating_sub(1);
        for (index, (column, cell)) in columns.iter().zip(&after.0).enumerate() {
            self.push("(").later(column, cell);
            if index < last {
                self.push(" OR (").same(column, cell).push(" AND ");
            }
        }
        // One for the last column, two for each other.
        self.push(&")".repeat(2 * columns.len() - 1));
    }

    /// Whether a row comes later than `cell` by `column` alone.
    fn later(&mut self, column: &SortColumn, cell: &Cell) -> &mut Self {
        let beyond = if column.ascending { " > " } else { " < " };
        match (&column.rank, cell) {
            (None, cell) => self.push(&column.value).push(beyond).cell(column, cell),
            (Some(rank), Cell::Without { rank: at }) => {
                self.push(rank).push(" > ").bind(i64::from(*at))
            }
            (Some(rank), cell) => self
                .push("(")
                .push(rank)
                .push(" > 0 OR ")
                .push(&column.value)
                .push(beyond)
                .cell(column, cell)
                .push(")"),
        }
    }

    /// Whether a row equals `cell` by `column`.
    fn same(&mut self, column: &SortColumn, cell: &Cell) -> &mut Self {
        match (&column.rank, cell) {
            (Some(rank), Cell::Without { rank: at }) => {
                self.push(rank).push(" = ").bind(i64::from(*at))
            }
            (Some(rank), cell) => self
                .push("(")
                .push(rank)
                .push(" = 0 AND ")
                .push(&column.value)
                .push(" = ")
                .cell(column, cell)
                .push(")"),
            (None, cell) => self.push(&column.value).push(" = ").cell(column, cell),
        }
    }

    fn cell(&mut self, column: &SortColumn, cell: &Cell) -> &mut Self {
        match cell {
            Cell::Integer(value) => self.bind(*value),
            Cell::Real(value) => self.bind(*value),
            Cell::Text(value) if column.is_id => self.push("unhex(").bind(value.clone()).push(")"),
            Cell::Text(value) => self.bind(value.clone()),
            Cell::Without { .. } => self.push("NULL"),
        }
    }

    /// `ORDER BY` the columns.
    pub(in crate::server) fn order_by(&mut self, columns: &[SortColumn]) -> &mut Self {
        for (index, column) in columns.iter().enumerate() {
            self.push(if index == 0 { " ORDER BY " } else { ", " });
            if let Some(rank) = &column.rank {
                self.push(rank).push(", ");
            }
            self.push(&column.value).push(if column.ascending { "" } else { " DESC" });
        }
        self
    }
}

impl SortColumn {
    /// The cell of a row, whose columns from `index` on are the value and, if it may be missing,
    /// its rank; and the index after them.
    pub(in crate::server) fn read(
        &self,
        row: &rusqlite::Row<'_>,
        index: usize,
    ) -> rusqlite::Result<(Cell, usize)> {
        let (rank, next) = match self.rank {
            Some(_) => (row.get(index + 1)?, index + 2),
            None => (0, index + 1),
        };
        let cell = match row.get(index)? {
            _ if rank > 0 => Cell::Without { rank },
            Value::Integer(value) => Cell::Integer(value),
            Value::Real(value) => Cell::Real(value),
            Value::Text(value) => Cell::Text(value),
            Value::Blob(bytes) => {
                Cell::Text(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
            }
            Value::Null => Cell::Without { rank: super::sort::MISSING },
        };
        Ok((cell, next))
    }

    /// The columns that [`read`](Self::read) reads.
    pub(in crate::server) fn select(&self) -> String {
        match &self.rank {
            Some(rank) => format!("{}, {rank}", self.value),
            None => self.value.clone(),
        }
    }
}
