//! Registered models and versions as MLflow writes them.

use super::{
    super::{call::Context, error::ApiError, experiments::KeyValue},
    find::VersionKey,
    stages,
};
use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct RegisteredModel {
    name: String,
    creation_timestamp: i64,
    last_updated_timestamp: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    /// The highest of each stage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    latest_versions: Vec<ModelVersion>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<Alias>,
}

#[derive(Serialize)]
struct Alias {
    alias: String,
    version: String,
}

#[derive(Serialize)]
pub(super) struct ModelVersion {
    name: String,
    version: String,
    creation_timestamp: i64,
    last_updated_timestamp: i64,
    current_stage: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    source: String,
    run_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<KeyValue>,
    run_link: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(skip)]
    key: VersionKey,
}

/// What [`ModelVersion::read`] reads of versions `v` and their models `m`.
pub(super) const VERSION_COLUMNS: &str = "m.name, v.version, v.created_ms, v.updated_ms, v.stage, \
     v.description, v.source, v.run_id, v.run_link, v.model";
/// How many columns these are.
pub(super) const VERSION_COLUMN_COUNT: usize = 10;

impl RegisteredModel {
    /// With all that belongs to it.
    pub(super) fn find(context: &Context<'_>, model: i64) -> Result<Self, ApiError> {
        let connection = context.connection;
        let mut found = connection
            .prepare_cached(
                "SELECT name, created_ms, updated_ms, description
                 FROM mlflow_registered_model WHERE key = ?1",
            )?
            .query_row([model], |row| {
                Ok(Self {
                    name: row.get(0)?,
                    creation_timestamp: row.get(1)?,
                    last_updated_timestamp: row.get(2)?,
                    description: row.get(3)?,
                    latest_versions: Vec::new(),
                    tags: Vec::new(),
                    aliases: Vec::new(),
                })
            })?;
        found.latest_versions = stages::latest_of(context, model, &stages::ALL)?;
        found.tags = connection
            .prepare_cached(
                "SELECT key, value FROM mlflow_registered_model_tag WHERE model = ?1 ORDER BY key",
            )?
            .query_map([model], read_tag)?
            .collect::<Result<_, _>>()?;
        found.aliases = connection
            .prepare_cached(
                "SELECT alias, version FROM mlflow_registered_model_alias
                 WHERE model = ?1 ORDER BY alias",
            )?
            .query_map([model], |row| {
                let version: i64 = row.get(1)?;
                Ok(Alias { alias: row.get(0)?, version: version.to_string() })
            })?
            .collect::<Result<_, _>>()?;
        Ok(found)
    }
}

impl ModelVersion {
    /// With all that belongs to it.
    ///
    /// # Errors
    ///
    /// When there is no such version.
    pub(super) fn find(context: &Context<'_>, key: VersionKey) -> Result<Self, ApiError> {
        let found = context
            .connection
            .prepare_cached(&format!(
                "SELECT {VERSION_COLUMNS} FROM mlflow_model_version v
                 JOIN mlflow_registered_model m ON m.key = v.model
                 WHERE v.model = ?1 AND v.version = ?2 AND v.stage IS NOT NULL"
            ))?
            .query_row([key.model, key.version], Self::read)
            .optional()?;
        let none = || ApiError::none(format!("Model Version (version={}) not found", key.version));
        found.ok_or_else(none)?.with_tags(context)?.with_aliases(context)
    }

    /// A row of [`VERSION_COLUMNS`].
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let version: i64 = row.get(1)?;
        Ok(Self {
            name: row.get(0)?,
            version: version.to_string(),
            creation_timestamp: row.get(2)?,
            last_updated_timestamp: row.get(3)?,
            current_stage: row.get(4)?,
            description: row.get(5)?,
            source: row.get(6)?,
            run_id: row.get(7)?,
            status: "READY",
            tags: Vec::new(),
            run_link: row.get(8)?,
            aliases: Vec::new(),
            key: VersionKey { model: row.get(9)?, version },
        })
    }

    pub(super) fn with_tags(mut self, context: &Context<'_>) -> Result<Self, ApiError> {
        self.tags = context
            .connection
            .prepare_cached(
                "SELECT key, value FROM mlflow_model_version_tag
                 WHERE model = ?1 AND version = ?2 ORDER BY key",
            )?
            .query_map([self.key.model, self.key.version], read_tag)?
            .collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Lists of versions do not say them, as MLflow's do not.
    pub(super) fn with_aliases(mut self, context: &Context<'_>) -> Result<Self, ApiError> {
        self.aliases = context
            .connection
            .prepare_cached(
                "SELECT alias FROM mlflow_registered_model_alias
                 WHERE model = ?1 AND version = ?2 ORDER BY alias",
            )?
            .query_map(params![self.key.model, self.key.version], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(self)
    }
}

fn read_tag(row: &Row<'_>) -> rusqlite::Result<KeyValue> {
    Ok(KeyValue { key: row.get(0)?, value: row.get(1)? })
}
