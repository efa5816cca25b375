//! Which run an id means.

use super::{
    super::{call::Context, error::ApiError, experiments, input},
    RunId, branch, wire,
};
use rusqlite::OptionalExtension;

/// The run that a call is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) id: RunId,
    pub(super) experiment: i64,
    /// It is a branch, whose own record stays as it is.
    pub(super) is_branch: bool,
    deleted: bool,
}

/// Finds a run by the id that a client sent.
///
/// # Errors
///
/// When none was sent, and when there is no such run.
pub(super) fn find(context: &Context<'_>, sent: Option<String>) -> Result<Subject, ApiError> {
    let sent = input::required(sent, "run_id")?;
    let none = || ApiError::none(format!("Run with id={sent} not found"));
    let id = RunId::parse(&sent).ok_or_else(none)?;
    let of = |is_branch| {
        move |row: &rusqlite::Row<'_>| {
            Ok(Subject { id, experiment: row.get(0)?, is_branch, deleted: row.get(1)? })
        }
    };
    let run = context
        .connection
        .prepare_cached("SELECT experiment, deleted_ms IS NOT NULL FROM mlflow_run WHERE id = ?1")?
        .query_row([id], of(false))
        .optional()?;
    if let Some(run) = run {
        return Ok(run);
    }
    context
        .connection
        .prepare_cached(
            "SELECT m.id, c.deleted_ms IS NOT NULL
             FROM branch b
             JOIN experiment e ON e.key = b.experiment
             JOIN mlflow_experiment m ON m.branches = e.name
             LEFT JOIN mlflow_branch_change c ON c.id = b.id
             WHERE b.id = ?1",
        )?
        .query_row([id], of(true))
        .optional()?
        .ok_or_else(none)
}

/// Finds a run that is not deleted, to change it or to log to it. A branch is marked as one that was
/// changed: searches look at those by themselves.
///
/// # Errors
///
/// As [`find`], and when it is.
pub(super) fn find_to_change(
    context: &Context<'_>,
    sent: Option<String>,
) -> Result<Subject, ApiError> {
    let subject = find(context, sent)?;
    if subject.deleted {
        return Err(ApiError::invalid(format!(
            "The run {} must be in the 'active' state. Current state is {}.",
            subject.id,
            wire::lifecycle_stage(true)
        )));
    }
    if subject.is_branch {
        branch::mark_changed(context, subject.id)?;
    }
    Ok(subject)
}

/// Where the artifacts of a run are.
///
/// # Errors
///
/// When there is no such run.
pub(in crate::server) fn artifact_uri(
    context: &Context<'_>,
    run_id: &str,
) -> Result<String, ApiError> {
    let run = find(context, Some(run_id.to_owned()))?;
    Ok(experiments::place(context, run.experiment)?.artifact_uri(run.id))
}
