//! The traces that clients sent, found by what they are asked for.

use super::{
    super::{
        call::Context,
        error::ApiError,
        search::{
            SortColumn, SortKey, Sql, TextTest, TraceCondition, TraceKey, TraceNumber, TraceText,
        },
    },
    conditions,
    labels::{self, Labels},
    links,
    search::{Listed, Query},
};
use rusqlite::params_from_iter;

/// The first `size` traces that `query` asks for and that come after `after` in its order. One
/// that is a request as well is found as such.
pub(super) fn page(
    context: &Context<'_>,
    query: &Query,
    after: Option<&SortKey>,
    size: usize,
) -> Result<Vec<Listed>, ApiError> {
    let columns: Vec<_> =
        query.order.0.iter().map(|(by, ascending)| column(by, *ascending)).collect();
    let mut sql = Sql::default();
    sql.push("SELECT t.id");
    for column in &columns {
        sql.push(", ").push(&column.select());
    }
    sql.push(" FROM mlflow_trace t WHERE ");
    match query.experiments[..] {
        // The index gives them in their usual order.
        [experiment] => sql.push("t.experiment = ").bind(experiment),
        _ => sql.push("t.experiment IN ").list(&query.experiments, "value"),
    };
    sql.push(
        " AND NOT EXISTS
             (SELECT 1 FROM branch b WHERE b.id = t.request AND b.request IS NULL
                 OR b.request = t.request)",
    );
    for condition in &query.conditions {
        if !matches!(condition, TraceCondition::Span(_)) {
            sql.push(" AND ");
            write(&mut sql, condition);
        }
    }
    let spans = conditions::of_spans(&query.conditions);
    if !spans.is_empty() {
        sql.push(" AND ");
        conditions::client_span(&mut sql, "t.id", &spans);
    }
    if let Some(after) = after {
        sql.push(" AND ").after(&columns, after);
    }
    let limit = i64::try_from(size).unwrap_or(i64::MAX);
    sql.order_by(&columns).push(" LIMIT ").bind(limit);
    let mut statement = context.connection.prepare(&sql.text)?;
    let found = statement.query_map(params_from_iter(&sql.values), |row| {
        let (mut cells, mut next) = (Vec::with_capacity(columns.len()), 1);
        for column in &columns {
            let (cell, after) = column.read(row, next)?;
            next = after;
            cells.push(cell);
        }
        Ok(Listed { place: SortKey(cells), id: row.get(0)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn column(by: &TraceKey, ascending: bool) -> SortColumn {
    let full = |value: &str| conditions::full_column(value.to_owned(), ascending);
    match by {
        TraceKey::Text(TraceText::Id) => full("t.id"),
        TraceKey::Text(TraceText::Status) => full("t.state"),
        TraceKey::Number(TraceNumber::Start) => full(number(TraceNumber::Start)),
        TraceKey::Experiment => full("t.experiment"),
        TraceKey::Text(TraceText::ClientRequestId) => {
            conditions::column("t.client_request_id".to_owned(), ascending)
        }
        TraceKey::Number(of) => conditions::column(number(*of).to_owned(), ascending),
        TraceKey::Tag(key) => conditions::column(label(Labels::Tags, key), ascending),
        TraceKey::Metadata(key) => conditions::column(label(Labels::Metadata, key), ascending),
    }
}

const fn number(of: TraceNumber) -> &'static str {
    match of {
        TraceNumber::Start => "t.start_ms",
        TraceNumber::Duration => "t.duration_ms",
        TraceNumber::End => "(t.start_ms + coalesce(t.duration_ms, 0))",
    }
}

fn label(of: Labels, key: &str) -> String {
    let (table, key) = (of.table(), conditions::literal(key));
    format!("(SELECT value FROM {table} WHERE trace = t.id AND key = {key})")
}

fn write(sql: &mut Sql, condition: &TraceCondition) {
    match condition {
        TraceCondition::Text { attribute, test } => {
            let column = match attribute {
                TraceText::Id => "t.id",
                TraceText::ClientRequestId => "t.client_request_id",
                TraceText::Status => "t.state",
            };
            sql.text(column, test);
        }
        TraceCondition::Number { attribute, test } => {
            sql.number(number(*attribute), *test);
        }
        TraceCondition::Tag { key, test } => {
            sql.text(&label(Labels::Tags, key), test);
        }
        TraceCondition::Metadata { key, test } => {
            sql.text(&label(Labels::Metadata, key), test);
        }
        TraceCondition::Run(run) => {
            sql.push("(");
            conditions::linked(sql, "t.id", links::RUN, run);
            sql.push(" OR ");
            let test = TextTest::Equals(run.clone());
            sql.text(&label(Labels::Metadata, labels::SOURCE_RUN), &test).push(")");
        }
        condition => {
            conditions::write(sql, "t.id", condition);
        }
    }
}
