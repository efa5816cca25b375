//! Outcomes of units, as they are reported to the store.

use super::{
    body,
    call::{Call, Route},
    error::{ApiError, ErrorCode},
    raw::{Raw, RawAnswer},
    reply::Reply,
};
use crate::store::{OutcomeBatch, OutcomeError};

pub(super) const ROUTES: &[Route] = &[("POST", "/outcomes", Call::Raw(receive))];

/// Keeps the outcomes that are sent (a JSON map, a list of them, or a map in each line), all of them or none.
fn receive(raw: Raw) -> RawAnswer {
    Box::pin(async move {
        let (head, body) = raw.request.into_parts();
        let body = body::read(&head.headers, body).await?;
        // Reading them takes its time.
        let read = tokio::task::spawn_blocking(move || OutcomeBatch::from_json(&body));
        let batch = read.await.map_err(|error| {
            ApiError::new(ErrorCode::InternalError, format!("the call was not read: {error}"))
        })?;
        let batch = batch.map_err(|error| refused(&error))?;
        let recorded = raw.writer.run_patiently(move |context| {
            let recorded = batch.record(context.connection)?.map_err(|error| refused(&error))?;
            Ok(Reply::json(&recorded))
        });
        Ok(recorded.await?.into_response())
    })
}

fn refused(error: &OutcomeError) -> ApiError {
    let code = if error.is_conflict {
        ErrorCode::ResourceAlreadyExists
    } else if error.are_too_many {
        ErrorCode::TooLarge
    } else {
        ErrorCode::InvalidParameterValue
    };
    let place = if error.at > 0 { format!("line {}: ", error.at) } else { String::new() };
    ApiError::new(code, format!("{place}{}; none was kept", error.reason))
}
