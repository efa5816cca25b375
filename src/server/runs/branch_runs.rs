//! The branches, found by what runs are asked for.
//!
//! Branches are looked at in the order of their ids, which is that of time, with the question as
//! SQL; whoever orders by time, as MLflow does of itself, has a page as soon as it is full. Any
//! other order looks at all of the time that the filter leaves, up to a bound: a filter by
//! `attributes.start_time` is a stretch of ids.

use super::{
    super::{
        call::Context,
        error::ApiError,
        search::{
            Cell, MISSING, NumberComparator, OrderKey, RunCondition, SortColumn, SortKey, Sql,
            TextAttribute, TextTest, TimeAttribute,
        },
    },
    RunId, branch_columns, client_runs,
    search::{Listed, Query, View},
};
use rusqlite::{params_from_iter, types::Value};

/// Branches that one call looks at.
const MAX_LOOKED_AT: usize = 2_000_000;
/// An id has the time at which its branch was assigned; its start may differ by this much.
const CLOCK_SLACK_MS: i64 = 1_000;

/// The first `size` branches that `query` asks for and that come after `after` in its order.
///
/// # Errors
///
/// When more branches would have to be looked at than one call may.
pub(super) fn page(
    context: &Context<'_>,
    query: &Query,
    after: Option<&SortKey>,
    size: usize,
) -> Result<Vec<Listed>, ApiError> {
    let keys = experiment_keys(context, &query.experiments)?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let by_time =
        query.order.0.first().filter(|first| first.by == OrderKey::Time(TimeAttribute::Start));
    let ascending = by_time.is_some_and(|first| first.ascending);
    let columns: Vec<_> =
        query.order.0.iter().map(|clause| column(&clause.by, clause.ascending)).collect();
    let mut sql = Sql::default();
    sql.push("SELECT r.id, r.start_ns / 1000000, ");
    conditions(context, &mut sql, query)?;
    for column in &columns {
        sql.push(", ");
        column.0.write(&mut sql, &column.1);
    }
    sql.push(
        " FROM branch r LEFT JOIN mlflow_branch_change c ON c.id = r.id WHERE r.experiment IN ",
    )
    .list(&keys, "value");
    let span = Span::of(query, by_time.and(after), ascending);
    sql.push(" AND r.id BETWEEN ").bind(Value::Blob(span.first.to_vec()));
    sql.push(" AND ").bind(Value::Blob(span.last.to_vec()));
    sql.push(if ascending { " ORDER BY r.id" } else { " ORDER BY r.id DESC" });

    let directions = || query.order.0.iter().map(|clause| clause.ascending);
    let mut found: Vec<Listed> = Vec::new();
    let mut statement = context.connection.prepare(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        looked_at += 1;
        if looked_at > MAX_LOOKED_AT {
            return Err(ApiError::invalid(format!(
                "more than {MAX_LOOKED_AT} branches would have to be looked at: narrow the search \
                 by attributes.start_time, or order by it"
            )));
        }
        let id: RunId = row.get(0)?;
        if by_time.is_some()
            && found.len() >= size
            && let Some(Listed { start_ms, .. }) = found.last()
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
        let (mut cells, mut next) = (Vec::with_capacity(columns.len()), 3);
        for (_, column) in &columns {
            let (cell, after) = column.read(row, next)?;
            next = after;
            cells.push(cell);
        }
        let listed = Listed { place: SortKey(cells), id, is_branch: true, start_ms: row.get(1)? };
        let before = |other: &Listed| other.place.compare(&listed.place, directions()).is_le();
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

/// The keys under which the branches of these experiments are.
fn experiment_keys(context: &Context<'_>, ids: &[i64]) -> Result<Vec<i64>, ApiError> {
    let mut sql = Sql::default();
    sql.push("SELECT e.key FROM experiment e JOIN mlflow_experiment m ON m.branches = e.name WHERE m.id IN ")
        .list(ids, "value");
    let mut statement = context.connection.prepare(&sql.text)?;
    let keys = statement.query_map(params_from_iter(&sql.values), |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// The stretch of ids that can hold what is asked for.
struct Span {
    first: [u8; 16],
    last: [u8; 16],
}

impl Span {
    fn of(query: &Query, after: Option<&SortKey>, ascending: bool) -> Self {
        let (mut from, mut to) = (0, i64::MAX);
        for condition in &query.conditions {
            if let RunCondition::Time { attribute: TimeAttribute::Start, test } = condition {
                let at = test.value as i64;
                use NumberComparator::{
                    Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual,
                };
                match test.comparator {
                    Equal => (from, to) = (from.max(at), to.min(at)),
                    Greater | GreaterOrEqual => from = from.max(at),
                    Less | LessOrEqual => to = to.min(at),
                    NotEqual => {}
                }
            }
        }
        if let Some(Cell::Integer(at)) = after.and_then(|after| after.0.first()) {
            if ascending {
                from = from.max(*at);
            } else {
                to = to.min(*at);
            }
        }
        let first = from.saturating_sub(CLOCK_SLACK_MS).max(0);
        let last = to.saturating_add(CLOCK_SLACK_MS);
        Self { first: id_at(first, 0), last: id_at(last, 0xff) }
    }
}

/// The first 48 bits of an id are milliseconds.
fn id_at(ms: i64, rest: u8) -> [u8; 16] {
    let ms = ms.clamp(0, (1 << 48) - 1).to_be_bytes();
    let mut id = [rest; 16];
    id[..6].copy_from_slice(&ms[2..]);
    id
}

/// An expression, and the values that it takes.
#[derive(Default)]
struct Taken(Vec<Value>);

impl Taken {
    fn write(&self, sql: &mut Sql, column: &SortColumn) {
        // The expression of a value stands in that of its rank again.
        sql.values.extend(self.0.iter().cloned());
        if column.rank.is_some() {
            sql.values.extend(self.0.iter().cloned());
        }
        sql.push(&column.select());
    }
}

fn column(by: &OrderKey, ascending: bool) -> (Taken, SortColumn) {
    let overlaid = |table: &str, key: &str, expression: Option<String>| {
        let expression = expression.unwrap_or_else(|| "NULL".to_owned());
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
            let value = branch_columns::END_MS.to_owned();
            let rank = missing(&value);
            (Taken::default(), value, Some(rank))
        }
        OrderKey::Text(TextAttribute::RunId) => {
            is_id = true;
            (Taken::default(), "r.id".to_owned(), None)
        }
        OrderKey::Text(attribute) => {
            (Taken::default(), branch_columns::text(*attribute).to_owned(), None)
        }
        OrderKey::Metric(key) => {
            let (taken, value) = overlaid("mlflow_latest_metric", key, branch_columns::metric(key));
            let rank = missing(&value);
            (taken, value, Some(rank))
        }
        OrderKey::Tag(key) => {
            let (taken, value) = overlaid("mlflow_tag", key, branch_columns::tag(key));
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

fn conditions(context: &Context<'_>, sql: &mut Sql, query: &Query) -> Result<(), ApiError> {
    sql.push(match query.view {
        View::Active => "(c.deleted_ms IS NULL",
        View::Deleted => "(c.deleted_ms IS NOT NULL",
        View::All => "(1",
    });
    for condition in &query.conditions {
        sql.push(" AND (");
        write(context, sql, condition)?;
        sql.push(")");
    }
    sql.push(")");
    Ok(())
}

fn write(context: &Context<'_>, sql: &mut Sql, condition: &RunCondition) -> Result<(), ApiError> {
    match condition {
        RunCondition::Metric { key, test } => {
            let recorded = branch_columns::metric(key).unwrap_or_else(|| "NULL".to_owned());
            sql.push(
                "CASE WHEN EXISTS (SELECT 1 FROM mlflow_latest_metric WHERE run = r.id AND key = ",
            )
            .bind(key.clone())
            .push(") THEN ");
            client_runs::write(sql, condition);
            sql.push(" ELSE ").number(&recorded, *test).push(" END");
        }
        RunCondition::Tag { key, test } => {
            text(sql, "mlflow_tag", key, branch_columns::tag(key), test);
        }
        RunCondition::Text { attribute: TextAttribute::RunName, test } => {
            sql.text(branch_columns::text(TextAttribute::RunName), test);
        }
        RunCondition::Param { key, test } => {
            let configs = branch_columns::configs_with(context, key, test)?;
            match test {
                TextTest::IsNull => {
                    sql.push("r.config IN ").list(&configs, "value").push(" AND ");
                }
                _ => {
                    sql.push("r.config IN ").list(&configs, "value").push(" OR ");
                }
            }
            client_runs::write(sql, condition);
        }
        RunCondition::Text { attribute: TextAttribute::RunId, .. }
        | RunCondition::Dataset { .. } => {
            client_runs::write(sql, condition);
        }
        RunCondition::Text { attribute, test } => {
            sql.text(branch_columns::text(*attribute), test);
        }
        RunCondition::Time { attribute: TimeAttribute::Start, test } => {
            sql.number("r.start_ns / 1000000", *test);
        }
        RunCondition::Time { attribute: TimeAttribute::End, test } => {
            sql.number(branch_columns::END_MS, *test);
        }
    }
    Ok(())
}

/// A tag that was laid over the record, or else the record's.
fn text(sql: &mut Sql, table: &str, key: &str, recorded: Option<String>, test: &TextTest) {
    let recorded = recorded.unwrap_or_else(|| "NULL".to_owned());
    let value =
        format!("coalesce((SELECT value FROM {table} WHERE run = r.id AND key = ?), {recorded})");
    sql.values.push(key.to_owned().into());
    sql.text(&value, test);
}
