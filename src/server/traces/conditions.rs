//! What a filter asks of what belongs to a trace, be it a request or a client's, as SQL.

use super::{
    super::search::{
        AssessmentTest, MISSING, SortColumn, SpanCondition, SpanField, Sql, TextTest,
        TraceCondition,
    },
    links,
};

/// A text in SQL.
pub(super) fn literal(text: &str) -> String {
    // (SQLite's statements end at a NUL.)
    format!("'{}'", text.replace('\'', "''").replace('\0', ""))
}

/// An expression that rows are ordered by, which may be NULL.
pub(super) fn column(value: String, ascending: bool) -> SortColumn {
    let rank = format!("CASE WHEN {value} IS NULL THEN {MISSING} ELSE 0 END");
    SortColumn { value, rank: Some(rank), ascending, is_id: false }
}

/// One that is never NULL.
pub(super) fn full_column(value: String, ascending: bool) -> SortColumn {
    SortColumn { value, rank: None, ascending, is_id: false }
}

/// What is asked of assessments, and of links, of the trace whose id is `id`. Whether it was such
/// a condition.
pub(super) fn write(sql: &mut Sql, id: &str, condition: &TraceCondition) -> bool {
    match condition {
        TraceCondition::Assessment { kind, name, test } => {
            let is_missing = matches!(test, AssessmentTest::Text(TextTest::IsNull));
            sql.push(if is_missing { "NOT EXISTS" } else { "EXISTS" })
                .push(" (SELECT 1 FROM mlflow_assessment a WHERE a.valid AND a.trace = ")
                .push(id)
                .push(" AND a.kind = ")
                .bind((*kind).to_owned())
                .push(" AND a.name = ")
                .bind(name.clone());
            match test {
                AssessmentTest::Text(TextTest::IsNull | TextTest::IsNotNull) => {}
                AssessmentTest::Text(test) => value(sql, test),
                AssessmentTest::Number(test) => {
                    sql.push(" AND json_type(a.value) IN ('integer', 'real') AND ")
                        .number("json_extract(a.value, '$')", *test);
                }
            }
            sql.push(")");
        }
        TraceCondition::Issue(name) => {
            sql.push(
                "EXISTS (SELECT 1 FROM mlflow_assessment a WHERE a.kind = 'issue' AND a.trace = ",
            )
            .push(id)
            .push(" AND a.name = ")
            .bind(name.clone())
            .push(")");
        }
        TraceCondition::Prompt(version) => {
            linked(sql, id, links::PROMPT, version);
        }
        _ => return false,
    }
    true
}

/// A value is JSON; a text is asked for without its quotes.
fn value(sql: &mut Sql, test: &TextTest) {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match test {
        TextTest::Equals(text) => {
            sql.push(" AND a.value IN (")
                .bind(text.clone())
                .push(", ")
                .bind(quoted(text))
                .push(")");
        }
        TextTest::Differs(text) => {
            sql.push(" AND a.value NOT IN (")
                .bind(text.clone())
                .push(", ")
                .bind(quoted(text))
                .push(")");
        }
        test => {
            sql.push(" AND ").text("a.value", test);
        }
    }
}

/// Whether a trace is linked to something.
pub(super) fn linked(sql: &mut Sql, id: &str, kind: &str, target: &str) {
    sql.push("EXISTS (SELECT 1 FROM mlflow_trace_link l WHERE l.trace = ")
        .push(id)
        .push(" AND l.kind = ")
        .bind(kind.to_owned())
        .push(" AND l.target = ")
        .bind(target.to_owned())
        .push(")");
}

/// What a filter asks of spans.
pub(super) fn of_spans(conditions: &[TraceCondition]) -> Vec<&SpanCondition> {
    let mut spans = Vec::new();
    for condition in conditions {
        if let TraceCondition::Span(condition) = condition {
            spans.push(condition);
        }
    }
    spans
}

/// That a span which a client sent is as asked.
pub(super) fn client_span(sql: &mut Sql, id: &str, conditions: &[&SpanCondition]) {
    sql.push("EXISTS (SELECT 1 FROM mlflow_span s WHERE s.trace = ").push(id);
    for SpanCondition { field, test } in conditions {
        sql.push(" AND ");
        match field {
            SpanField::Name => sql.text("s.name", test),
            SpanField::Type => sql.text("s.type", test),
            SpanField::Status => sql.text("s.status", test),
            SpanField::Content => sql.text("s.content", test),
            SpanField::Attribute(key) => sql
                .push(
                    "EXISTS (SELECT 1 FROM json_each(s.content, '$.attributes') a,
                         json_each(a.value, '$.value') v WHERE a.value ->> '$.key' = ",
                )
                .bind(key.clone())
                .push(" AND ")
                .text(
                    "CASE v.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
                         ELSE CAST(v.value AS TEXT) END",
                    test,
                )
                .push(")"),
        };
    }
    sql.push(")");
}
