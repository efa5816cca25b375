//! Requests, found by what traces are asked for.
//!
//! Their first branches are [looked at](super::super::branch_scan) in the order of their ids, with
//! the question as SQL.

use super::{
    super::{
        branch_scan::{Found, Scan, Stretch, experiment_keys},
        call::Context,
        error::ApiError,
        runs::{branch_metric, branch_tag},
        search::{
            Cell, SortColumn, SortKey, SpanCondition, SpanField, Sql, TextTest, TraceCondition,
            TraceKey, TraceNumber, TraceText,
        },
    },
    conditions, id,
    labels::Labels,
    links, request_columns as record,
    search::{Listed, Query},
};
use crate::as_trace::{BRANCH_TYPE, INPUTS, OUTPUTS, ROOT_TYPE, SPAN_TYPE};

/// The first `size` requests that `query` asks for and that come after `after` in its order.
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
    let columns: Vec<_> =
        query.order.0.iter().map(|(by, ascending)| column(by, *ascending)).collect();
    let mut sql = Sql::default();
    sql.push("SELECT r.id, r.start_ns / 1000000, (1");
    for condition in &query.conditions {
        if !matches!(condition, TraceCondition::Span(_)) {
            sql.push(" AND (");
            write(&mut sql, condition);
            sql.push(")");
        }
    }
    let spans = conditions::of_spans(&query.conditions);
    if !spans.is_empty() {
        sql.push(" AND (");
        conditions::client_span(&mut sql, &format!("({})", record::ID), &spans);
        write_spans(&mut sql, &spans);
        sql.push(")");
    }
    sql.push(")");
    for column in &columns {
        sql.push(", ").push(&column.select());
    }
    sql.push(" FROM branch r WHERE ").push(record::IS_FIRST);
    sql.push(" AND ").push(record::IS_THERE);
    sql.push(" AND r.experiment IN ").list(&keys, "value");
    let mut stretch = Stretch::default();
    for condition in &query.conditions {
        match condition {
            TraceCondition::Number { attribute: TraceNumber::Start, test } => stretch.narrow(*test),
            TraceCondition::Text { attribute: TraceText::Id, test: TextTest::Equals(id) } => {
                look_up(&mut sql, std::slice::from_ref(id));
            }
            TraceCondition::Text { attribute: TraceText::Id, test: TextTest::In(ids) } => {
                look_up(&mut sql, ids);
            }
            // Read from the rows alone, so that all of them can be passed over.
            TraceCondition::Metadata { key, test: TextTest::Equals(id) }
                if key == record::TRACE_ID =>
            {
                sql.push(" AND ").push(record::TRACE).push(" = unhex(").bind(id.clone()).push(")");
            }
            _ => {}
        }
    }
    let by_time = matches!(query.order.0.first(), Some((TraceKey::Number(TraceNumber::Start), _)));
    let columns: Vec<_> = columns.iter().collect();
    let found = Scan { sql, columns: &columns, by_time, stretch }.run(
        context,
        after,
        size,
        "narrow the search by timestamp_ms, or order by it",
    )?;
    // Every order has the id.
    let at = query.order.0.iter().position(|(by, _)| *by == TraceKey::Text(TraceText::Id));
    let listed = |Found { place, .. }: Found| match place.0.get(at?) {
        Some(Cell::Text(id)) => Some(Listed { id: id.clone(), place }),
        _ => None,
    };
    Ok(found.into_iter().filter_map(listed).collect())
}

/// Leaves only what can have one of these ids, so that all others need not be looked at.
pub(super) fn look_up(sql: &mut Sql, ids: &[String]) {
    let requests = ids.iter().filter_map(|id| id::request(id));
    let digits: Vec<_> = requests.map(|id| id::of_request(id)[3..].to_owned()).collect();
    sql.push(" AND r.id IN (SELECT id FROM branch WHERE id IN ").list(&digits, "unhex(value)");
    sql.push(" OR request IN ").list(&digits, "unhex(value)").push(")");
}

fn column(by: &TraceKey, ascending: bool) -> SortColumn {
    let full = |value: String| conditions::full_column(value, ascending);
    match by {
        TraceKey::Text(TraceText::ClientRequestId) => {
            conditions::column("NULL".to_owned(), ascending)
        }
        TraceKey::Text(attribute) => full(text(*attribute)),
        TraceKey::Number(TraceNumber::Start) => full(record::START_MS.to_owned()),
        // (Clients' traces may have none.)
        TraceKey::Number(attribute) => conditions::column(number(*attribute), ascending),
        TraceKey::Experiment => full(
            "(SELECT m.id FROM mlflow_experiment m JOIN experiment e ON e.name = m.branches
                 WHERE e.key = r.experiment)"
                .to_owned(),
        ),
        TraceKey::Tag(key) => conditions::column(tag(key), ascending),
        TraceKey::Metadata(key) => conditions::column(metadata(key), ascending),
    }
}

fn text(attribute: TraceText) -> String {
    match attribute {
        TraceText::Id => format!("({})", record::ID),
        TraceText::ClientRequestId => "NULL".to_owned(),
        TraceText::Status => format!("({})", record::state()),
    }
}

fn number(attribute: TraceNumber) -> String {
    match attribute {
        TraceNumber::Start => record::START_MS.to_owned(),
        TraceNumber::Duration => format!("({})", record::duration_ms()),
        TraceNumber::End => format!("({} / 1000000)", record::end_ns()),
    }
}

/// A tag that was set, or else that of the record.
fn tag(key: &str) -> String {
    let recorded = record::tag(key).unwrap_or_else(|| "NULL".to_owned());
    format!(
        "coalesce((SELECT value FROM {} WHERE trace = {} AND key = {}), {recorded})",
        Labels::Tags.table(),
        record::ID,
        conditions::literal(key)
    )
}

fn metadata(key: &str) -> String {
    record::metadata(key).unwrap_or_else(|| "NULL".to_owned())
}

fn write(sql: &mut Sql, condition: &TraceCondition) {
    match condition {
        TraceCondition::Text { attribute, test } => {
            sql.text(&text(*attribute), test);
        }
        TraceCondition::Number { attribute, test } => {
            sql.number(&number(*attribute), *test);
        }
        TraceCondition::Tag { key, test } => {
            sql.text(&tag(key), test);
        }
        TraceCondition::Metadata { key, test } => {
            sql.text(&metadata(key), test);
        }
        TraceCondition::Run(run) => {
            // Each of its branches is a run.
            conditions::linked(sql, record::ID, links::RUN, run);
            sql.push(" OR EXISTS (SELECT 1 FROM branch b WHERE ")
                .push(record::OF_REQUEST)
                .push(" AND b.id = unhex(")
                .bind(run.clone())
                .push("))");
        }
        condition => {
            conditions::write(sql, record::ID, condition);
        }
    }
}

/// That the span of the request, or that of one of its branches, is as asked.
fn write_spans(sql: &mut Sql, conditions: &[&SpanCondition]) {
    sql.push(" OR (1");
    for SpanCondition { field, test } in conditions {
        let value = match field {
            SpanField::Name => branch_tag("spearmint.experiment"),
            SpanField::Type => Some(conditions::literal(ROOT_TYPE)),
            SpanField::Status => {
                Some(format!("replace({}, 'STATE_UNSPECIFIED', 'UNSET')", text(TraceText::Status)))
            }
            SpanField::Content => None,
            SpanField::Attribute(key) if key == SPAN_TYPE => Some(conditions::literal(ROOT_TYPE)),
            SpanField::Attribute(key) => {
                record::metadata(key).filter(|_| key.starts_with("spearmint."))
            }
        };
        sql.push(" AND ").text(value.as_deref().unwrap_or("NULL"), test);
    }
    // Inside, `r` is any branch of the request.
    sql.push(
        ") OR EXISTS (SELECT 1 FROM (SELECT coalesce(r.request, r.id) AS request) h
             JOIN branch r ON r.id = h.request OR r.request = h.request WHERE 1",
    );
    for SpanCondition { field, test } in conditions {
        let config = "(SELECT content FROM config WHERE key = r.config)";
        let output = "(SELECT content FROM output WHERE id = r.id)";
        let value = match field {
            SpanField::Name => Some(
                "(SELECT CASE WHEN length(config_id) = 64 AND config_id NOT GLOB '*[^0-9a-fA-F]*'
                     THEN substr(config_id, 1, 12) ELSE config_id END
                 FROM config WHERE key = r.config)"
                    .to_owned(),
            ),
            SpanField::Type => Some(conditions::literal(BRANCH_TYPE)),
            SpanField::Status => Some(
                "(SELECT CASE name WHEN 'success' THEN 'OK' WHEN 'failed' THEN 'ERROR'
                     ELSE 'UNSET' END FROM code WHERE what = 'status' AND key = r.status)"
                    .to_owned(),
            ),
            SpanField::Content => Some(format!(
                "(coalesce({config}, '') || ' ' || coalesce({output}, '') || ' ' || coalesce(
                     (SELECT type || ' ' || message FROM failure WHERE id = r.id), ''))"
            )),
            SpanField::Attribute(key) => attribute(key, config, output),
        };
        sql.push(" AND ").text(value.as_deref().unwrap_or("NULL"), test);
    }
    sql.push(")");
}

/// An attribute of a branch's span.
fn attribute(key: &str, config: &str, output: &str) -> Option<String> {
    match key {
        SPAN_TYPE => Some(conditions::literal(BRANCH_TYPE)),
        INPUTS => Some(config.to_owned()),
        OUTPUTS => Some(output.to_owned()),
        _ => branch_tag(key).or_else(|| {
            let metric = key.strip_prefix("spearmint.").filter(|key| !key.starts_with("output"))?;
            Some(format!("CAST({} AS TEXT)", branch_metric(metric)?))
        }),
    }
}
