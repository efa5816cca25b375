//! `traces/{trace_id}/assessments`: what people, judges and programs say of a trace.

use super::{
    super::{
        call::{Answer, Context, now_ms},
        error::ApiError,
        input::{Input, required},
        reply::Reply,
        runs::RunId,
        validate,
    },
    read,
    time::Timestamp,
    wire::{Assessment, Judgement, Source},
};
use rusqlite::{OptionalExtension, Row, params};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SOURCES: &[&str] = &["HUMAN", "LLM_JUDGE", "AI_JUDGE", "CODE", "SOURCE_TYPE_UNSPECIFIED"];
/// The longest name, in characters.
const MAX_NAME: usize = 250;
/// The most assessments of a trace.
const MAX_ASSESSMENTS: i64 = 1_000;

/// An assessment as a client sends it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    assessment_id: Option<String>,
    assessment_name: Option<String>,
    span_id: Option<String>,
    source: Option<Source>,
    create_time: Option<Timestamp>,
    last_update_time: Option<Timestamp>,
    // (What is `null` is not there, but for what stands within.)
    feedback: Option<Value>,
    expectation: Option<Value>,
    issue: Option<Value>,
    rationale: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    overrides: Option<String>,
}

impl Sent {
    fn judgement(&mut self) -> Option<Judgement> {
        self.expectation
            .take()
            .map(Judgement::Expectation)
            .or_else(|| self.feedback.take().map(Judgement::Feedback))
            .or_else(|| self.issue.take().map(Judgement::Issue))
    }
}

impl Judgement {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Feedback(_) => "feedback",
            Self::Expectation(_) => "expectation",
            Self::Issue(_) => "issue",
        }
    }

    const fn content(&self) -> &Value {
        match self {
            Self::Feedback(content) | Self::Expectation(content) | Self::Issue(content) => content,
        }
    }

    fn new(kind: &str, content: Value) -> Self {
        match kind {
            "feedback" => Self::Feedback(content),
            "expectation" => Self::Expectation(content),
            _ => Self::Issue(content),
        }
    }

    /// What it says, as JSON.
    ///
    /// # Errors
    ///
    /// When it is written in a way that is not known.
    fn value(&self) -> Result<String, ApiError> {
        let content = self.content();
        let serialized = &content["serialized_value"];
        if serialized.is_null() {
            return Ok(content["value"].to_string());
        }
        let unreadable = || {
            ApiError::invalid(
                "an expectation's serialized_value is JSON, with the format JSON_FORMAT",
            )
        };
        let text = serialized["value"].as_str().ok_or_else(unreadable)?;
        let value: Value = serde_json::from_str(text).map_err(|_| unreadable())?;
        Ok(value.to_string())
    }
}

#[derive(Deserialize)]
struct Named {
    trace_id: Option<String>,
    assessment_id: Option<String>,
}

impl Named {
    fn ids(self) -> Result<(String, String), ApiError> {
        Ok((required(self.trace_id, "trace_id")?, required(self.assessment_id, "assessment_id")?))
    }
}

pub(super) fn create(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Create {
        trace_id: Option<String>,
        assessment: Option<Sent>,
    }
    let asked: Create = input.read()?;
    let trace = required(asked.trace_id, "trace_id")?;
    let sent = asked.assessment.ok_or_else(|| ApiError::missing("assessment"))?;
    if !read::exists(context, &trace)? {
        return Err(read::not_found(&trace));
    }
    let id = add(context, &trace, sent)?;
    answer(context, &trace, &id)
}

pub(super) fn get(context: &Context<'_>, mut input: Input) -> Answer {
    let (trace, id) = input.read::<Named>()?.ids()?;
    answer(context, &trace, &id)
}

/// What the mask names is changed; metadata is added to what there is.
pub(super) fn update(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Update {
        trace_id: Option<String>,
        assessment_id: Option<String>,
        assessment: Option<Sent>,
        update_mask: Option<String>,
    }
    let asked: Update = input.read()?;
    let named = Named { trace_id: asked.trace_id, assessment_id: asked.assessment_id };
    let (trace, id) = named.ids()?;
    let mut sent = asked.assessment.ok_or_else(|| ApiError::missing("assessment"))?;
    let mask = asked.update_mask.ok_or_else(|| ApiError::missing("update_mask"))?;
    let mut known = find(context, &trace, &id)?;
    for path in mask.split(',').map(str::trim) {
        match path {
            "assessmentName" | "assessment_name" => {
                known.assessment_name = required(sent.assessment_name.take(), "assessment_name")?;
            }
            "expectation" | "feedback" | "issue" => {
                let said = sent.judgement().ok_or_else(|| ApiError::missing(path))?;
                if said.kind() != known.judgement.kind() {
                    return Err(ApiError::invalid(format!(
                        "Cannot update {} value on an assessment that is of kind {}.",
                        said.kind(),
                        known.judgement.kind()
                    )));
                }
                known.judgement = said;
            }
            "rationale" => known.rationale = sent.rationale.take(),
            "metadata" => known.metadata.extend(sent.metadata.take().unwrap_or_default()),
            "valid" => {}
            path => return Err(validate::invalid_value("update_mask", path, "")),
        }
    }
    known.last_update_time = Timestamp(now_ms());
    write(context, &known)?;
    Ok(Reply::json(&json!({ "assessment": known })))
}

/// Whom it overrode is valid again. One that is not there needs no deleting.
pub(super) fn delete(context: &Context<'_>, mut input: Input) -> Answer {
    let (trace, id) = input.read::<Named>()?.ids()?;
    if !read::exists(context, &trace)? {
        return Err(read::not_found(&trace));
    }
    let overrode: Option<Option<String>> = context
        .connection
        .prepare_cached(
            "DELETE FROM mlflow_assessment WHERE trace = ?1 AND id = ?2 RETURNING overrides",
        )?
        .query_row(params![trace, id], |row| row.get(0))
        .optional()?;
    if let Some(Some(overrode)) = overrode {
        set_valid(context, &trace, &overrode, true)?;
    }
    Ok(Reply::done())
}

/// Adds one to a trace that is there; its id.
///
/// # Errors
///
/// When it says nothing, or overrides one that is not there.
pub(super) fn add(context: &Context<'_>, trace: &str, mut sent: Sent) -> Result<String, ApiError> {
    let judgement = sent.judgement().ok_or_else(|| {
        ApiError::invalid(
            "Exactly one of `expectation`, `feedback`, or `issue` should be specified.",
        )
    })?;
    let assessment_name = required(sent.assessment_name, "assessment_name")?;
    validate::length("assessment_name", MAX_NAME, &assessment_name)?;
    let source = sent.source.ok_or_else(|| ApiError::missing("source"))?;
    if !SOURCES.contains(&&*source.source_type) {
        return Err(ApiError::invalid(format!(
            "Invalid assessment source type: {}. Valid source types: {SOURCES:?}",
            source.source_type
        )));
    }
    let count: i64 = context
        .connection
        .prepare_cached("SELECT count(*) FROM mlflow_assessment WHERE trace = ?1")?
        .query_row([trace], |row| row.get(0))?;
    if count >= MAX_ASSESSMENTS {
        return Err(ApiError::invalid(format!(
            "the trace {trace} has {MAX_ASSESSMENTS} assessments, the most that one can have; \
             delete some first"
        )));
    }
    let overrides = sent.overrides.filter(|id| !id.is_empty());
    if let Some(overridden) = &overrides
        && !set_valid(context, trace, overridden, false)?
    {
        return Err(none(trace, overridden));
    }
    let now = Timestamp(now_ms());
    let assessment_id = sent
        .assessment_id
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| format!("a-{}", RunId::now()));
    let taken = context
        .connection
        .prepare_cached("SELECT 1 FROM mlflow_assessment WHERE id = ?1 AND trace <> ?2")?
        .query_row([&*assessment_id, trace], |_| Ok(()))
        .optional()?;
    if taken.is_some() {
        return Err(ApiError::exists(format!(
            "the assessment '{assessment_id}' is one of another trace"
        )));
    }
    let assessment = Assessment {
        assessment_id,
        assessment_name,
        trace_id: trace.to_owned(),
        span_id: sent.span_id.filter(|id| !id.is_empty()),
        source,
        create_time: sent.create_time.unwrap_or(now),
        last_update_time: sent.last_update_time.unwrap_or(now),
        judgement,
        rationale: sent.rationale.filter(|text| !text.is_empty()),
        metadata: sent.metadata.unwrap_or_default(),
        overrides,
        valid: true,
    };
    write(context, &assessment)?;
    Ok(assessment.assessment_id)
}

fn write(context: &Context<'_>, assessment: &Assessment) -> Result<(), ApiError> {
    let judgement = &assessment.judgement;
    context
        .connection
        .prepare_cached(
            "INSERT OR REPLACE INTO mlflow_assessment (id, trace, name, kind, content, value,
                 source_type, source_id, span_id, rationale, metadata, overrides, valid, created_ms,
                 updated_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            assessment.assessment_id,
            assessment.trace_id,
            assessment.assessment_name,
            judgement.kind(),
            judgement.content().to_string(),
            judgement.value()?,
            assessment.source.source_type,
            assessment.source.source_id,
            assessment.span_id,
            assessment.rationale,
            serde_json::to_string(&assessment.metadata).unwrap_or_default(),
            assessment.overrides,
            assessment.valid,
            assessment.create_time.0,
            assessment.last_update_time.0,
        ])?;
    Ok(())
}

/// Whether there is such an assessment.
fn set_valid(context: &Context<'_>, trace: &str, id: &str, valid: bool) -> Result<bool, ApiError> {
    let changed = context
        .connection
        .prepare_cached("UPDATE mlflow_assessment SET valid = ?3 WHERE trace = ?1 AND id = ?2")?
        .execute(params![trace, id, valid])?;
    Ok(changed > 0)
}

fn answer(context: &Context<'_>, trace: &str, id: &str) -> Answer {
    Ok(Reply::json(&json!({ "assessment": find(context, trace, id)? })))
}

const SELECT: &str = "SELECT id, name, trace, span_id, source_type, source_id, created_ms,
     updated_ms, kind, content, rationale, metadata, overrides, valid
     FROM mlflow_assessment WHERE trace = ?1";

fn find(context: &Context<'_>, trace: &str, id: &str) -> Result<Assessment, ApiError> {
    let found = context
        .connection
        .prepare_cached(&format!("{SELECT} AND id = ?2"))?
        .query_row([trace, id], assessment)
        .optional()?;
    match found {
        Some(found) => Ok(found),
        None if read::exists(context, trace)? => Err(none(trace, id)),
        None => Err(ApiError::none(format!("Trace with request_id '{trace}' not found"))),
    }
}

/// All that was said of a trace, in the order in which it was.
pub(super) fn of(context: &Context<'_>, trace: &str) -> Result<Vec<Assessment>, ApiError> {
    let found = context
        .connection
        .prepare_cached(&format!("{SELECT} ORDER BY created_ms, rowid"))?
        .query_map([trace], assessment)?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

fn assessment(row: &Row<'_>) -> rusqlite::Result<Assessment> {
    // It was JSON when it was written.
    let content = serde_json::from_str(row.get_ref(9)?.as_str()?).unwrap_or_default();
    Ok(Assessment {
        assessment_id: row.get(0)?,
        assessment_name: row.get(1)?,
        trace_id: row.get(2)?,
        span_id: row.get(3)?,
        source: Source { source_type: row.get(4)?, source_id: row.get(5)? },
        create_time: Timestamp(row.get(6)?),
        last_update_time: Timestamp(row.get(7)?),
        judgement: Judgement::new(row.get_ref(8)?.as_str()?, content),
        rationale: row.get(10)?,
        metadata: serde_json::from_str(row.get_ref(11)?.as_str()?).unwrap_or_default(),
        overrides: row.get(12)?,
        valid: row.get(13)?,
    })
}

fn none(trace: &str, id: &str) -> ApiError {
    ApiError::none(format!("Assessment with ID '{id}' not found for trace '{trace}'"))
}
