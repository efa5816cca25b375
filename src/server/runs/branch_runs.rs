//! The branches, found by what runs are asked for.
//!
//! Branches are [looked at](super::super::branch_scan) in the order of their ids, with the question
//! as SQL; a filter by `attributes.start_time` is a stretch of ids.

use super::{
    super::{
        branch_scan::{Found, Scan, Stretch, experiment_keys},
        call::Context,
        error::ApiError,
        search::{
            MISSING, OrderKey, RunCondition, SortColumn, SortKey, Sql, TextAttribute, TextTest,
            TimeAttribute,
        },
    },
    branch_columns, client_runs,
    search::{Listed, Query, View},
};
use rusqlite::types::Value;

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
        query.order.0.first().is_some_and(|first| first.by == OrderKey::Time(TimeAttribute::Start));
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
    let mut stretch = Stretch::default();
    for condition in &query.conditions {
        if let RunCondition::Time { attribute: TimeAttribute::Start, test } = condition {
            stretch.narrow(*test);
        }
    }
    let columns: Vec<_> = columns.iter().map(|(_, column)| column).collect();
    let found = Scan { sql, columns: &columns, by_time, stretch }.run(
        context,
        after,
        size,
        "narrow the search by attributes.start_time, or order by it",
    )?;
    let listed = |Found { place, id, .. }| Listed { place, id, is_branch: true };
    Ok(found.into_iter().map(listed).collect())
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
