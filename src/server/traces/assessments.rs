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
    assessment_rows::{find, none, set_valid, write},
    read,
    wire::{Assessment, Judgement, Source},
};
use crate::as_trace::time::Timestamp;
use rusqlite::{OptionalExtension, params};
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

fn answer(context: &Context<'_>, trace: &str, id: &str) -> Answer {
    Ok(Reply::json(&json!({ "assessment": find(context, trace, id)? })))
}
