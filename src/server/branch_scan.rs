//! Looking for branches in the order of their ids, which is that of time.
//!
//! Who orders by time, as MLflow does of itself, has a page as soon as it is full. Any other
//! order looks at all of the time that the filter leaves, up to a bound.

use super::{
    call::Context,
    error::ApiError,
    runs::RunId,
    search::{Cell, NumberComparator, NumberTest, SortColumn, SortKey, Sql},
};
use rusqlite::params_from_iter;

/// Branches that one call looks at.
const MAX_LOOKED_AT: usize = 2_000_000;
/// An id has the time at which its branch was assigned; its start may differ by this much.
pub(super) const CLOCK_SLACK_MS: i64 = 1_000;

/// A branch that was found.
pub(super) struct Found {
    /// Where it stands in the order.
    pub(super) place: SortKey,
    pub(super) start_ms: i64,
}

/// What is looked for.
pub(super) struct Scan<'a> {
    /// A `SELECT` of each branch's id, its start in milliseconds, whether it is meant, and the
    /// `columns`, from branches `r`; it has a `WHERE`.
    pub(super) sql: Sql,
    pub(super) columns: &'a [&'a SortColumn],
    /// Whether time comes first in the order.
    pub(super) by_time: bool,
    pub(super) stretch: Stretch,
}

impl Scan<'_> {
    /// The first `size` that come after `after`, in order.
    ///
    /// # Errors
    ///
    /// When more branches would have to be looked at than one call may; `narrower` says what helps.
    pub(super) fn run(
        mut self,
        context: &Context<'_>,
        after: Option<&SortKey>,
        size: usize,
        narrower: &str,
    ) -> Result<Vec<Found>, ApiError> {
        let ascending = self.by_time && self.columns.first().is_some_and(|first| first.ascending);
        if self.by_time
            && let Some(Cell::Integer(at)) = after.and_then(|after| after.0.first())
        {
            self.stretch.go_on(*at, ascending);
        }
        self.sql.push(" AND ");
        self.stretch.write(&mut self.sql);
        self.sql.push(if ascending { " ORDER BY r.id" } else { " ORDER BY r.id DESC" });

        let directions = || self.columns.iter().map(|column| column.ascending);
        let mut found: Vec<Found> = Vec::new();
        let mut statement = context.connection.prepare(&self.sql.text)?;
        let mut rows = statement.query(params_from_iter(&self.sql.values))?;
        let mut looked_at = 0;
        while let Some(row) = rows.next()? {
            looked_at += 1;
            if looked_at > MAX_LOOKED_AT {
                return Err(ApiError::invalid(format!(
                    "more than {MAX_LOOKED_AT} branches would have to be looked at: {narrower}"
                )));
            }
            let id: RunId = row.get(0)?;
            if self.by_time
                && found.len() >= size
                && let Some(Found { start_ms, .. }) = found.last()
            {
                let time = id.time_ms();
                let beyond = if ascending {
                    time - CLOCK_SLACK_MS > *start_ms
                } else {
                    time + CLOCK_SLACK_MS < *start_ms
                };
                if beyond {
                    break;
                }
            }
            if !row.get::<_, Option<bool>>(2)?.unwrap_or(false) {
                continue;
            }
            let (mut cells, mut next) = (Vec::with_capacity(self.columns.len()), 3);
            for column in self.columns {
                let (cell, after) = column.read(row, next)?;
                next = after;
                cells.push(cell);
            }
            let listed = Found { place: SortKey(cells), start_ms: row.get(1)? };
            let before = |other: &Found| other.place.compare(&listed.place, directions()).is_le();
            if after.is_some_and(|after| listed.place.compare(after, directions()).is_le()) {
                continue;
            }
            if found.len() < size || found.last().is_some_and(|last| !before(last)) {
                let at = found.partition_point(before);
                found.insert(at, listed);
                found.truncate(size);
            }
        }
        Ok(found)
    }
}

/// The time in which branches that are meant can have started, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    from: i64,
    to: i64,
}

impl Default for Stretch {
    fn default() -> Self {
        Self { from: 0, to: i64::MAX }
    }
}

impl Stretch {
    /// Leaves what fits a question about the start.
    pub(super) fn narrow(&mut self, test: NumberTest) {
        let at = test.value as i64;
        use NumberComparator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        match test.comparator {
            Equal => (self.from, self.to) = (self.from.max(at), self.to.min(at)),
            Greater | GreaterOrEqual => self.from = self.from.max(at),
            Less | LessOrEqual => self.to = self.to.min(at),
            NotEqual => {}
        }
    }

    /// Leaves what is not later.
    pub(super) const fn until(at: i64) -> Self {
        Self { from: 0, to: at }
    }

    /// Leaves what can come after a place in an order by time.
    pub(super) fn go_on(&mut self, at: i64, ascending: bool) {
        if ascending {
            self.from = self.from.max(at);
        } else {
            self.to = self.to.min(at);
        }
    }

    /// The first and the last id of that time.
    pub(super) fn ids(self) -> (RunId, RunId) {
        let first = RunId::first_at(self.from.saturating_sub(CLOCK_SLACK_MS));
        (first, RunId::last_at(self.to.saturating_add(CLOCK_SLACK_MS)))
    }

    /// That the ids of branches `r` are of that time.
    pub(super) fn write(self, sql: &mut Sql) {
        let (first, last) = self.ids();
        sql.push("r.id BETWEEN ").bind(first).push(" AND ").bind(last);
    }
}

/// The keys under which the branches of these experiments are.
pub(super) fn experiment_keys(context: &Context<'_>, ids: &[i64]) -> Result<Vec<i64>, ApiError> {
    let mut sql = Sql::default();
    sql.push("SELECT e.key FROM experiment e JOIN mlflow_experiment m ON m.branches = e.name WHERE m.id IN ")
        .list(ids, "value");
    let mut statement = context.connection.prepare(&sql.text)?;
    let keys = statement.query_map(params_from_iter(&sql.values), |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}
