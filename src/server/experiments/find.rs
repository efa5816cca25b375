//! Which experiment an id means.

use super::super::{call::Context, error::ApiError, runs::RunId};
use rusqlite::OptionalExtension;

/// An experiment, and where its artifacts are.
pub(in crate::server) struct Place {
    pub(in crate::server) id: i64,
    /// `None`: where the server keeps them.
    pub(in crate::server) artifact_location: Option<String>,
}

impl Place {
    /// Where the artifacts of one of its runs are.
    pub(in crate::server) fn artifact_uri(&self, run: RunId) -> String {
        self.below(&format!("{run}/artifacts"))
    }

    /// Where the artifacts of one of its logged models are.
    pub(in crate::server) fn model_artifact_uri(&self, model_id: &str) -> String {
        self.below(&format!("models/{model_id}/artifacts"))
    }

    /// Where clients keep the spans of one of its traces that they send as a file.
    pub(in crate::server) fn trace_artifact_uri(&self, trace_id: &str) -> String {
        self.below(&format!("traces/{trace_id}/artifacts"))
    }

    fn below(&self, steps: &str) -> String {
        match self.artifact_location.as_deref() {
            None => format!("mlflow-artifacts:/{}/{steps}", self.id),
            // Credentials and the like may stand behind the path.
            Some(location) => {
                let (path, rest) =
                    location.split_at(location.find(['?', '#']).unwrap_or(location.len()));
                format!("{}/{steps}{rest}", path.trim_end_matches('/'))
            }
        }
    }
}

/// # Errors
///
/// When it is no number.
pub(in crate::server) fn parse_id(id: &str) -> Result<i64, ApiError> {
    id.trim().parse().map_err(|_| {
        ApiError::invalid(format!(
            "Invalid experiment ID '{id}'. Experiment ID must be a valid integer."
        ))
    })
}

/// An experiment that can be written to.
///
/// # Errors
///
/// When there is none, or it is deleted.
pub(in crate::server) fn active(context: &Context<'_>, id: i64) -> Result<Place, ApiError> {
    let (place, deleted) = any(context, id)?;
    if deleted {
        return Err(ApiError::invalid(format!(
            "The experiment {id} must be in the 'active' state. Current state is deleted."
        )));
    }
    Ok(place)
}

/// An experiment, deleted or not.
///
/// # Errors
///
/// When there is none.
pub(in crate::server) fn place(context: &Context<'_>, id: i64) -> Result<Place, ApiError> {
    any(context, id).map(|(place, _)| place)
}

/// An experiment, and whether it is deleted.
pub(super) fn any(context: &Context<'_>, id: i64) -> Result<(Place, bool), ApiError> {
    context
        .connection
        .prepare_cached("SELECT artifact_location, deleted FROM mlflow_experiment WHERE id = ?1")?
        .query_row([id], |row| Ok((Place { id, artifact_location: row.get(0)? }, row.get(1)?)))
        .optional()?
        .ok_or_else(|| none(id))
}

pub(super) fn none(id: i64) -> ApiError {
    ApiError::none(format!("No Experiment with id={id} exists"))
}
