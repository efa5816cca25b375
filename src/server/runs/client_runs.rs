//! The runs that clients made, found by what they are asked for.

use super::{
    super::{
        call::Context,
        error::ApiError,
        search::{
            DatasetField, MISSING, NAN, OrderBy, OrderKey, RunCondition, SortColumn, SortKey, Sql,
            TextAttribute, TextTest, TimeAttribute,
        },
    },
    RunId,
    search::{Listed, Query, View},
    tags,
};
use rusqlite::{params_from_iter, types::Value};

/// The first `size` runs that `query` asks for and that come after `after` in its order.
pub(super) fn page(
    context: &Context<'_>,
    query: &Query,
    after: Option<&SortKey>,
    size: usize,
) -> Result<Vec<Listed>, ApiError> {
    let mut sql = Sql::default();
    let mut joins = Sql::default();
    let columns = columns(&query.order, &mut joins);
    sql.push("SELECT ");
    for (index, column) in columns.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).push(&column.select());
    }
    sql.push(" FROM mlflow_run r").push(&joins.text);
    sql.values.append(&mut joins.values);
    sql.push(" WHERE ");
    match query.experiments[..] {
        // The index gives them in their usual order.
        [experiment] => sql.push("r.experiment = ").bind(experiment),
        _ => sql.push("r.experiment IN ").list(&query.experiments, "value"),
    };
    match query.view {
        View::Active => sql.push(" AND r.deleted_ms IS NULL"),
        View::Deleted => sql.push(" AND r.deleted_ms IS NOT NULL"),
        View::All => &mut sql,
    };
    for condition in &query.conditions {
        sql.push(" AND ");
        write(&mut sql, condition);
    }
    if let Some(after) = after {
        sql.push(" AND ").after(&columns, after);
    }
    let limit = i64::try_from(size).unwrap_or(i64::MAX);
    sql.order_by(&columns).push(" LIMIT ").bind(limit);
    let mut statement = context.connection.prepare(&sql.text)?;
    let found = statement.query_map(params_from_iter(&sql.values), |row| {
        let mut cells = Vec::with_capacity(columns.len());
        let (mut next, mut id) = (0, None);
        for column in &columns {
            if column.is_id {
                id = Some(row.get(next)?);
            }
            let (cell, after) = column.read(row, next)?;
            next = after;
            cells.push(cell);
        }
        let id: RunId = id.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(Listed { place: SortKey(cells), id, is_branch: false })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The columns of an order, and the tables that some of them need.
fn columns(order: &OrderBy, joins: &mut Sql) -> Vec<SortColumn> {
    let mut columns = Vec::with_capacity(order.0.len());
    for (index, clause) in order.0.iter().enumerate() {
        let mut join = |table: &str, key: &str| {
            joins
                .push(&format!(
                    " LEFT JOIN {table} o{index} ON o{index}.run = r.id AND o{index}.key = "
                ))
                .bind(key.to_owned());
            format!("o{index}.value")
        };
        let (value, rank) = match &clause.by {
            OrderKey::Metric(key) => {
                let value = join("mlflow_latest_metric", key);
                let rank = format!(
                    "CASE WHEN {value} IS NULL THEN {MISSING} WHEN o{index}.nan THEN {NAN} ELSE 0 END"
                );
                (value, Some(rank))
            }
            OrderKey::Param(key) => or_missing(join("mlflow_param", key)),
            OrderKey::Tag(key) => or_missing(join("mlflow_tag", key)),
            OrderKey::Time(TimeAttribute::End) => or_missing("r.end_ms".to_owned()),
            OrderKey::Time(TimeAttribute::Start) => ("r.start_ms".to_owned(), None),
            OrderKey::Text(TextAttribute::RunId) => ("r.id".to_owned(), None),
            OrderKey::Text(TextAttribute::RunName) => ("r.name".to_owned(), None),
            OrderKey::Text(attribute) => (text_of(*attribute).to_owned(), None),
        };
        let is_id = clause.by == OrderKey::Text(TextAttribute::RunId);
        columns.push(SortColumn { value, rank, ascending: clause.ascending, is_id });
    }
    columns
}

fn or_missing(value: String) -> (String, Option<String>) {
    let rank = format!("CASE WHEN {value} IS NULL THEN {MISSING} ELSE 0 END");
    (value, Some(rank))
}

const fn text_of(attribute: TextAttribute) -> &'static str {
    match attribute {
        TextAttribute::RunId => "lower(hex(r.id))",
        // (In a filter it is the tag, which may have been deleted.)
        TextAttribute::RunName => "r.name",
        TextAttribute::UserId => "r.user_id",
        TextAttribute::Status => "r.status",
        TextAttribute::ArtifactUri => {
            "(SELECT coalesce(rtrim(artifact_location, '/'), 'mlflow-artifacts:/' || id)
              FROM mlflow_experiment WHERE id = r.experiment)
             || '/' || lower(hex(r.id)) || '/artifacts'"
        }
    }
}

pub(super) fn write(sql: &mut Sql, condition: &RunCondition) {
    match condition {
        RunCondition::Metric { key, test } => {
            // What is not a number differs from every number, and is nothing else.
            let nan = if test.holds(f64::NAN) { " OR nan" } else { ") AND (NOT nan" };
            sql.push("EXISTS (SELECT 1 FROM mlflow_latest_metric WHERE run = r.id AND key = ")
                .bind(key.clone())
                .push(" AND (")
                .number("value", *test)
                .push(nan)
                .push("))");
        }
        RunCondition::Param { key, test } => has(sql, "mlflow_param", key, test),
        RunCondition::Tag { key, test } => has(sql, "mlflow_tag", key, test),
        RunCondition::Text { attribute: TextAttribute::RunName, test } => {
            has(sql, "mlflow_tag", tags::RUN_NAME, test);
        }
        RunCondition::Text { attribute: TextAttribute::RunId, test } => id(sql, test),
        RunCondition::Text { attribute, test } => {
            sql.text(text_of(*attribute), test);
        }
        RunCondition::Time { attribute: TimeAttribute::Start, test } => {
            sql.number("r.start_ms", *test);
        }
        RunCondition::Time { attribute: TimeAttribute::End, test } => {
            sql.number("r.end_ms", *test);
        }
        RunCondition::Dataset { field, test } => {
            let column = match field {
                DatasetField::Name => "d.name",
                DatasetField::Digest => "d.digest",
                DatasetField::Context => "i.context",
            };
            sql.push(
                "EXISTS (SELECT 1 FROM mlflow_input i JOIN mlflow_dataset d ON d.key = i.dataset
                 WHERE i.run = r.id AND ",
            )
            .text(column, test)
            .push(")");
        }
    }
}

/// A param or a tag, of which it is asked.
fn has(sql: &mut Sql, table: &str, key: &str, test: &TextTest) {
    sql.push(if *test == TextTest::IsNull { "NOT EXISTS" } else { "EXISTS" })
        .push(&format!(" (SELECT 1 FROM {table} WHERE run = r.id AND key = "))
        .bind(key.to_owned());
    if !matches!(test, TextTest::IsNull | TextTest::IsNotNull) {
        sql.push(" AND ").text("value", test);
    }
    sql.push(")");
}

/// An id is looked up where it can be.
fn id(sql: &mut Sql, test: &TextTest) {
    let known = |text: &String| RunId::parse(text).map(|_| text.clone());
    match test {
        TextTest::Equals(text) if known(text).is_some() => {
            sql.push("r.id = unhex(").bind(Value::Text(text.clone())).push(")");
        }
        TextTest::In(texts) => {
            let ids: Vec<_> = texts.iter().filter_map(known).collect();
            sql.push("r.id IN ").list(&ids, "unhex(value)");
        }
        test => {
            sql.text(text_of(TextAttribute::RunId), test);
        }
    }
}
