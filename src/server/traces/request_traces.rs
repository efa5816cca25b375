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
            SortColumn, SortKey, SpanCondition, SpanField, Sql, TextTest, TraceCondition, TraceKey,
            TraceNumber, TraceText,
        },
    },
    conditions, id,
    labels::Labels,
    links,
    otlp::{INPUTS, OUTPUTS, SPAN_TYPE},
    request::{BRANCH_TYPE, ROOT_TYPE},
    request_columns as record,
    search::{Listed, Query},
};
use crate::branch::BranchId;

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
    let Some(stretch) = stretch(query).filter(|_| !keys.is_empty()) else {
        return Ok(Vec::new());
    };
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
    sql.push(
        " FROM branch r WHERE r.request IS NULL
         AND NOT EXISTS (SELECT 1 FROM mlflow_request_deleted d WHERE d.id = r.id)
         AND r.experiment IN ",
    )
    .list(&keys, "value");
    let by_time = matches!(query.order.0.first(), Some((TraceKey::Number(TraceNumber::Start), _)));
    let columns: Vec<_> = columns.iter().collect();
    let found = Scan { sql, columns: &columns, by_time, stretch }.run(
        context,
        after,
        size,
        "narrow the search by timestamp_ms, or order by it",
    )?;
    let listed = |Found { place, id, .. }| Listed { place, id: id::of_request(id.as_branch()) };
    Ok(found.into_iter().map(listed).collect())
}

/// The time of what is asked for; `None` where nothing can be.
fn stretch(query: &Query) -> Option<Stretch> {
    let mut stretch = Stretch::default();
    for condition in &query.conditions {
        match condition {
            TraceCondition::Number { attribute: TraceNumber::Start, test } => stretch.narrow(*test),
            TraceCondition::Text { attribute: TraceText::Id, test: TextTest::Equals(text) } => {
                stretch.hold(&[id::request(text)?]);
            }
            TraceCondition::Text { attribute: TraceText::Id, test: TextTest::In(texts) } => {
                let ids: Vec<BranchId> =
                    texts.iter().filter_map(|text| id::request(text)).collect();
                if ids.is_empty() {
                    return None;
                }
                stretch.hold(&ids);
            }
            _ => {}
        }
    }
    Some(stretch)
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
            sql.push(
                " OR EXISTS (SELECT 1 FROM branch b WHERE (b.id = r.id OR b.request = r.id)
                     AND b.id = unhex(",
            )
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
        ") OR EXISTS (SELECT 1 FROM (SELECT r.id AS request) h
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
