//! The traces that clients sent.

use super::{
    super::{call::Context, error::ApiError},
    assessment_rows,
    labels::Labels,
    wire::{Location, TraceInfo},
};
use crate::as_trace::time::{Duration, Timestamp};
use rusqlite::OptionalExtension;

/// What is known of a trace that a client sent; `None` if none did.
pub(super) fn info(context: &Context<'_>, id: &str) -> Result<Option<TraceInfo>, ApiError> {
    let found = context
        .connection
        .prepare_cached(
            "SELECT experiment, start_ms, duration_ms, state, client_request_id, request_preview,
                 response_preview
             FROM mlflow_trace WHERE id = ?1",
        )?
        .query_row([id], |row| {
            Ok(TraceInfo {
                trace_id: id.to_owned(),
                trace_location: Location::of(row.get(0)?),
                request_time: Timestamp(row.get(1)?),
                execution_duration: row.get::<_, Option<_>>(2)?.map(Duration),
                state: row.get(3)?,
                client_request_id: row.get(4)?,
                request_preview: row.get(5)?,
                response_preview: row.get(6)?,
                trace_metadata: Default::default(),
                assessments: Vec::new(),
                tags: Default::default(),
            })
        })
        .optional()?;
    let Some(mut info) = found else { return Ok(None) };
    info.trace_metadata = Labels::Metadata.of(context, id)?;
    info.tags = Labels::Tags.of(context, id)?;
    info.assessments = assessment_rows::of(context, id)?;
    Ok(Some(info))
}
