//! The branches that are as they were recorded, found by what runs are asked for.
//!
//! They are walked through in the order of their ids, which is that of time, with the question as
//! SQL; whoever orders by time, as MLflow does of itself, has a page as soon as it is full. Any
//! other order looks at all of the time that the filter leaves, up to a bound: a filter by
//! `attributes.start_time` is a stretch of ids.

use super::{
    super::{
        call::Context,
        error::ApiError,
        search::{SortKey, Sql},
    },
    branch_order::{FirstOf, by_time, columns},
    branch_span::Span,
    recorded_question::{Question, among},
    search::{Listed, Query, View},
    stretches::{Stretch, Stretches},
};
use rusqlite::{params_from_iter, types::Value};

/// The first `size` of them that `query` asks for and that come after `after` in its order.
///
/// # Errors
///
/// When more branches would have to be looked at than one call may.
pub(super) fn page(
    context: &Context<'_>,
    query: &Query,
    keys: &[i64],
    after: Option<&SortKey>,
    size: usize,
) -> Result<Vec<Listed>, ApiError> {
    let question = Question::new(context, &query.conditions)?;
    // (One that was deleted was changed.)
    if !question.is_possible || query.view == View::Deleted {
        return Ok(Vec::new());
    }
    let by_time = by_time(&query.order);
    let ascending = by_time == Some(true);
    let span = Span::of(query, by_time.and(after), ascending);
    let columns = columns(context, &query.order, false)?;
    let mut sql = Sql::default();
    sql.push("SELECT r.id");
    for column in &columns {
        sql.push(", ");
        column.write(&mut sql);
    }
    sql.push(" FROM branch r WHERE 1").push(&among("experiment", keys));
    sql.push(&question.sql.text);
    sql.values.extend(question.sql.values.iter().cloned());
    sql.push(" AND r.id BETWEEN ? AND ?");
    sql.push(" AND NOT EXISTS (SELECT 1 FROM mlflow_branch_change WHERE id = r.id)");
    sql.push(if ascending { " ORDER BY r.id" } else { " ORDER BY r.id DESC" });

    let mut first = FirstOf::new(&query.order, columns, after, size);
    let mut statement = context.connection.prepare(&sql.text)?;
    let mut stretches = Stretches::new(context, &question, keys, span, ascending);
    while let Some(stretch) = stretches.next()? {
        let Stretch { span, most } = stretch;
        let ends: [Value; 2] = [span.first.into(), span.last.into()];
        let mut rows = statement.query(params_from_iter(sql.values.iter().chain(&ends)))?;
        let mut taken = 0;
        while most.is_none_or(|most| taken < most)
            && let Some(row) = rows.next()?
        {
            taken += 1;
            if first.is_complete_at(row.get(0)?) {
                return Ok(first.into_list());
            }
            first.take(row)?;
        }
        if first.is_complete_at(if ascending { span.last } else { span.first }) {
            break;
        }
    }
    Ok(first.into_list())
}
