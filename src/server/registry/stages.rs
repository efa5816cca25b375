//! The stages of versions, and the highest version of each.

use super::{
    super::{
        call::{Answer, Context, now_ms},
        error::{ApiError, ErrorCode},
        input::{self, Input, required},
        reply::Reply,
    },
    find::{self, VersionKey},
    versions,
    wire::{ModelVersion, VERSION_COLUMNS},
};
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// The stages, as they are written.
pub(super) const ALL: [&str; 4] = [NONE, STAGING, PRODUCTION, ARCHIVED];
/// That of a new version.
pub(super) const NONE: &str = "None";
const STAGING: &str = "Staging";
const PRODUCTION: &str = "Production";
const ARCHIVED: &str = "Archived";

/// A stage as it is written, of one in any case.
///
/// # Errors
///
/// When it is none.
pub(super) fn canonical(stage: &str) -> Result<&'static str, ApiError> {
    ALL.into_iter().find(|known| known.eq_ignore_ascii_case(stage)).ok_or_else(|| {
        ApiError::invalid(format!(
            "Invalid Model Version stage: {stage}. Value must be one of {}.",
            ALL.join(", ")
        ))
    })
}

#[derive(Serialize)]
struct Latest {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_versions: Vec<ModelVersion>,
}

pub(super) fn latest(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Get {
        name: Option<String>,
        #[serde(default, deserialize_with = "input::list")]
        stages: Vec<String>,
    }
    let asked: Get = input.read()?;
    let model = find::model(context, &required(asked.name, "name")?)?;
    let mut stages = Vec::with_capacity(ALL.len());
    for stage in &asked.stages {
        let stage = canonical(stage)?;
        if !stages.contains(&stage) {
            stages.push(stage);
        }
    }
    let stages = if stages.is_empty() { &ALL } else { &*stages };
    let model_versions = latest_of(context, model, stages)?
        .into_iter()
        .map(|version| version.with_aliases(context))
        .collect::<Result<_, _>>()?;
    Ok(Reply::json(&Latest { model_versions }))
}

/// The highest version of each stage, in the order of their numbers.
pub(super) fn latest_of(
    context: &Context<'_>,
    model: i64,
    stages: &[&str],
) -> Result<Vec<ModelVersion>, ApiError> {
    let mut numbers = Vec::with_capacity(stages.len());
    for stage in stages {
        numbers.extend(highest_of(context, model, stage)?);
    }
    numbers.sort_unstable();
    let mut select = context.connection.prepare_cached(&format!(
        "SELECT {VERSION_COLUMNS} FROM mlflow_model_version v
         JOIN mlflow_registered_model m ON m.key = v.model WHERE v.model = ?1 AND v.version = ?2"
    ))?;
    numbers
        .into_iter()
        .map(|number| select.query_row([model, number], ModelVersion::read)?.with_tags(context))
        .collect()
}

/// The highest version of all these stages.
pub(super) fn highest(
    context: &Context<'_>,
    model: i64,
    stages: &[&str],
) -> Result<Option<VersionKey>, ApiError> {
    let mut highest = None;
    for stage in stages {
        highest = highest.max(highest_of(context, model, stage)?);
    }
    Ok(highest.map(|version| VersionKey { model, version }))
}

fn highest_of(context: &Context<'_>, model: i64, stage: &str) -> Result<Option<i64>, ApiError> {
    let version = context
        .connection
        .prepare_cached(
            "SELECT version FROM mlflow_model_version WHERE model = ?1 AND stage = ?2
             ORDER BY version DESC LIMIT 1",
        )?
        .query_row(params![model, stage], |row| row.get(0))
        .optional()?;
    Ok(version)
}

/// Moves a version to a stage; those that are there may be archived.
pub(super) fn transition(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Transition {
        name: Option<String>,
        version: Option<String>,
        stage: Option<String>,
        archive_existing_versions: Option<bool>,
    }
    let asked: Transition = input.read()?;
    let (name, version) = (required(asked.name, "name")?, required(asked.version, "version")?);
    let sent = required(asked.stage, "stage")?;
    let stage = canonical(&sent)?;
    let archive = asked.archive_existing_versions.unwrap_or_default();
    if archive && stage != STAGING && stage != PRODUCTION {
        return Err(ApiError::new(
            ErrorCode::InternalError,
            format!(
                "Model version transition cannot archive existing model versions because '{sent}' \
                 is not an Active stage. Valid stages are ['{STAGING}', '{PRODUCTION}']"
            ),
        ));
    }
    let key @ VersionKey { model, version } = find::version(context, &name, &version)?;
    let now = now_ms();
    if archive {
        context
            .connection
            .prepare_cached(
                "UPDATE mlflow_model_version SET stage = ?3, updated_ms = ?4
                 WHERE model = ?1 AND stage = ?2 AND version <> ?5",
            )?
            .execute(params![model, stage, ARCHIVED, now, version])?;
    }
    context
        .connection
        .prepare_cached(
            "UPDATE mlflow_model_version SET stage = ?3, updated_ms = ?4
             WHERE model = ?1 AND version = ?2",
        )?
        .execute(params![model, version, stage, now])?;
    find::touch(context, model, now)?;
    versions::answer(context, key)
}
