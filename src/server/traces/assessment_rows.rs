//! Assessments as rows.

use super::{
    super::{call::Context, error::ApiError},
    read,
    wire::{Assessment, Judgement, Source},
};
use crate::as_trace::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

impl Judgement {
    pub(super) const fn kind(&self) -> &'static str {
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

const SELECT: &str = "SELECT id, name, trace, span_id, source_type, source_id, created_ms,
     updated_ms, kind, content, rationale, metadata, overrides, valid
     FROM mlflow_assessment WHERE trace = ?1";

/// # Errors
///
/// When there is no such assessment, or no such trace.
pub(super) fn find(context: &Context<'_>, trace: &str, id: &str) -> Result<Assessment, ApiError> {
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

/// Writes one, over the one of that id.
pub(super) fn write(context: &Context<'_>, assessment: &Assessment) -> Result<(), ApiError> {
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

/// Says whether one is valid; whether there is such an assessment.
pub(super) fn set_valid(
    context: &Context<'_>,
    trace: &str,
    id: &str,
    valid: bool,
) -> Result<bool, ApiError> {
    let changed = context
        .connection
        .prepare_cached("UPDATE mlflow_assessment SET valid = ?3 WHERE trace = ?1 AND id = ?2")?
        .execute(params![trace, id, valid])?;
    Ok(changed > 0)
}

pub(super) fn none(trace: &str, id: &str) -> ApiError {
    ApiError::none(format!("Assessment with ID '{id}' not found for trace '{trace}'"))
}
