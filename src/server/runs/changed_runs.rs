//! The branches that clients changed or logged to, found by what runs are asked for.
//!
//! There are few of them, and all that was laid over their records has a say; so each is looked at.

use super::{
    super::{
        call::Context,
        error::ApiError,
        search::{RunCondition, SortKey, Sql, TextAttribute, TextTest, TimeAttribute},
    },
    branch_columns,
    branch_order::{FirstOf, by_time, columns},
    branch_span::Span,
    client_runs,
    search::{Listed, Query, View},
};
use rusqlite::params_from_iter;

/// The first `size` of them that `query` asks for and that come after `after` in its order.
pub(super) fn page(
    context: &Context<'_>,
    query: &Query,
    keys: &[i64],
    after: Option<&SortKey>,
    size: usize,
) -> Result<Vec<Listed>, ApiError> {
    let by_time = by_time(&query.order);
    let span = Span::of(query, by_time.and(after), by_time == Some(true));
    let columns = columns(context, &query.order, true)?;
    let mut sql = Sql::default();
    sql.push("SELECT r.id");
    for column in &columns {
        sql.push(", ");
        column.write(&mut sql);
    }
    // (A cross join is one in this order.)
    sql.push(
        " FROM mlflow_branch_change c CROSS JOIN branch r ON r.id = c.id WHERE r.experiment IN ",
    )
    .list(keys, "value");
    conditions(context, &mut sql, query)?;
    let mut first = FirstOf::new(&query.order, columns, after, size);
    sql.push(" AND c.id BETWEEN ? AND ? ORDER BY c.id");
    sql.push(if by_time == Some(true) { "" } else { " DESC" });
    sql.values.extend([span.first.into(), span.last.into()]);
    let mut statement = context.connection.prepare(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    while let Some(row) = rows.next()? {
        if first.is_complete_at(row.get(0)?) {
            break;
        }
        first.take(row)?;
    }
    Ok(first.into_list())
}

fn conditions(context: &Context<'_>, sql: &mut Sql, query: &Query) -> Result<(), ApiError> {
    sql.push(match query.view {
        View::Active => " AND c.deleted_ms IS NULL",
        View::Deleted => " AND c.deleted_ms IS NOT NULL",
        View::All => "",
    });
    for condition in &query.conditions {
        sql.push(" AND (");
        write(context, sql, condition)?;
        sql.push(")");
    }
    Ok(())
}

fn write(context: &Context<'_>, sql: &mut Sql, condition: &RunCondition) -> Result<(), ApiError> {
    match condition {
        RunCondition::Metric { key, test } => {
            let recorded = branch_columns::known_metric(context, key)?;
            let recorded = recorded.unwrap_or_else(|| "NULL".to_owned());
            sql.push(
                "CASE WHEN EXISTS (SELECT 1 FROM mlflow_latest_metric WHERE run = r.id AND key = ",
            )
            .bind(key.clone())
            .push(") THEN ");
            client_runs::write(sql, condition);
            sql.push(" ELSE ").number(&recorded, *test).push(" END");
        }
        RunCondition::Tag { key, test } => {
            text(sql, "mlflow_tag", key, branch_columns::tag(key, true), test);
        }
        RunCondition::Text { attribute: TextAttribute::RunName, test } => {
            sql.text(&branch_columns::text(TextAttribute::RunName, true), test);
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
            sql.text(&branch_columns::text(*attribute, true), test);
        }
        RunCondition::Time { attribute: TimeAttribute::Start, test } => {
            sql.number("r.start_ns / 1000000", *test);
        }
        RunCondition::Time { attribute: TimeAttribute::End, test } => {
            sql.number(branch_columns::end_ms(true), *test);
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
