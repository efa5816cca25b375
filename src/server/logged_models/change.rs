//! How a logged model goes on. As on MLflow's server, also one that is deleted does.

use super::{
    super::{
        call::{Answer, Context, now_ms},
        error::{ApiError, ErrorCode},
        input::{Input, required},
        reply::Reply,
        runs::Pair,
    },
    read::{self, none},
};
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// The tag that lists the versions of registered models that a model is.
const MODEL_VERSIONS: &str = "mlflow.modelVersions";

/// Protocol buffers write an enum as its name or its number.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "serde_json::Value")]
enum Status {
    Unspecified,
    Pending,
    Ready,
    UploadFailed,
}

impl TryFrom<serde_json::Value> for Status {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        Ok(match (value.as_str(), value.as_i64()) {
            (Some("LOGGED_MODEL_STATUS_UNSPECIFIED"), _) | (_, Some(0)) => Self::Unspecified,
            (Some("LOGGED_MODEL_PENDING"), _) | (_, Some(1)) => Self::Pending,
            (Some("LOGGED_MODEL_READY"), _) | (_, Some(2)) => Self::Ready,
            (Some("LOGGED_MODEL_UPLOAD_FAILED"), _) | (_, Some(3)) => Self::UploadFailed,
            _ => {
                return Err(format!(
                    "{value} is no status; expected LOGGED_MODEL_PENDING, LOGGED_MODEL_READY or \
                     LOGGED_MODEL_UPLOAD_FAILED"
                ));
            }
        })
    }
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "STATUS_UNSPECIFIED",
            Self::Pending => "PENDING",
            Self::Ready => "READY",
            Self::UploadFailed => "UPLOAD_FAILED",
        }
    }
}

pub(super) fn finalize(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Finalize {
        model_id: Option<String>,
        status: Option<Status>,
    }
    let asked: Finalize = input.read()?;
    let id = required(asked.model_id, "model_id")?;
    let status = asked.status.ok_or_else(|| ApiError::missing("status"))?;
    let changed = context
        .connection
        .prepare_cached(
            "UPDATE mlflow_logged_model SET status = ?2, updated_ms = ?3 WHERE id = ?1",
        )?
        .execute(params![id, status.name(), now_ms()])?;
    if changed == 0 {
        return Err(none(&id));
    }
    read::answer(context, &id, true)
}

/// It can still be read by those who ask for what is deleted.
pub(super) fn delete(context: &Context<'_>, mut input: Input) -> Answer {
    let id = input.read::<Named>()?.id()?;
    let changed = context
        .connection
        .prepare_cached(
            "UPDATE mlflow_logged_model SET deleted = 1, updated_ms = ?2 WHERE id = ?1",
        )?
        .execute(params![id, now_ms()])?;
    if changed == 0 { Err(none(&id)) } else { Ok(Reply::done()) }
}

#[derive(Deserialize)]
struct Named {
    model_id: Option<String>,
}

impl Named {
    fn id(self) -> Result<String, ApiError> {
        required(self.model_id, "model_id")
    }
}

pub(super) fn log_params(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct LogParams {
        model_id: Option<String>,
        #[serde(default)]
        params: Vec<Pair>,
    }
    let asked: LogParams = input.read()?;
    let id = required(asked.model_id, "model_id")?;
    exists(context, &id)?;
    write_params(context, &id, asked.params)?;
    Ok(Reply::done())
}

pub(super) fn set_tags(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct SetTags {
        model_id: Option<String>,
        #[serde(default)]
        tags: Vec<Pair>,
    }
    let asked: SetTags = input.read()?;
    let id = required(asked.model_id, "model_id")?;
    exists(context, &id)?;
    write_tags(context, &id, asked.tags)?;
    Ok(Reply::done())
}

pub(super) fn delete_tag(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct DeleteTag {
        model_id: Option<String>,
        key: Option<String>,
    }
    let asked: DeleteTag = input.read()?;
    let (id, key) = (required(asked.model_id, "model_id")?, required(asked.key, "key")?);
    exists(context, &id)?;
    let deleted = context
        .connection
        .prepare_cached("DELETE FROM mlflow_logged_model_tag WHERE model_id = ?1 AND key = ?2")?
        .execute(params![id, key])?;
    if deleted == 0 {
        return Err(ApiError::none(format!(
            "No tag with key '{key}' found for model with ID '{id}'."
        )));
    }
    Ok(Reply::done())
}

fn exists(context: &Context<'_>, id: &str) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached("SELECT 1 FROM mlflow_logged_model WHERE id = ?1")?
        .query_row([id], |_| Ok(()))
        .optional()?
        .ok_or_else(|| none(id))
}

/// # Errors
///
/// When the model has such a param already, with another value.
pub(super) fn write_params(
    context: &Context<'_>,
    id: &str,
    sent: Vec<Pair>,
) -> Result<(), ApiError> {
    for Pair { key, value } in sent {
        let (key, value) = (key.unwrap_or_default(), value.unwrap_or_default());
        let there: String = context
            .connection
            .prepare_cached(
                "INSERT INTO mlflow_logged_model_param VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET value = value RETURNING value",
            )?
            .query_row(params![id, key, value], |row| row.get(0))?;
        if there != value {
            return Err(ApiError::new(
                ErrorCode::BadRequest,
                format!("param '{key}' of model '{id}' is '{there}' already; params do not change"),
            ));
        }
    }
    Ok(())
}

pub(super) fn write_tags(context: &Context<'_>, id: &str, sent: Vec<Pair>) -> Result<(), ApiError> {
    for Pair { key, value } in sent {
        context
            .connection
            .prepare_cached("INSERT OR REPLACE INTO mlflow_logged_model_tag VALUES (?1, ?2, ?3)")?
            .execute(params![id, key.unwrap_or_default(), value.unwrap_or_default()])?;
    }
    Ok(())
}

/// Notes which version of a registered model a model has become.
pub(in crate::server) fn note_version(
    context: &Context<'_>,
    id: &str,
    name: &str,
    version: i64,
) -> Result<(), ApiError> {
    #[derive(PartialEq, Eq, Deserialize, Serialize)]
    struct Version {
        name: String,
        version: i64,
    }
    let known: Option<String> = context
        .connection
        .prepare_cached(
            "SELECT value FROM mlflow_logged_model_tag WHERE model_id = ?1 AND key = ?2",
        )?
        .query_row([id, MODEL_VERSIONS], |row| row.get(0))
        .optional()?;
    // A client may have written anything there; what is no list is replaced.
    let mut versions: Vec<Version> =
        known.and_then(|known| serde_json::from_str(&known).ok()).unwrap_or_default();
    let new = Version { name: name.to_owned(), version };
    if !versions.contains(&new) {
        versions.push(new);
    }
    // Strings and numbers are always written.
    let value = serde_json::to_string(&versions).unwrap_or_default();
    write_tags(context, id, vec![Pair { key: Some(MODEL_VERSIONS.to_owned()), value: Some(value) }])
}
