//! The single strategy, as a file describes it.

use super::ExperimentFile;
use crate::{
    config::{Config, ConfigError},
    http::SingleLayer,
};
use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct SingleSettings {
    /// The config that answers [default: the first].
    pub(super) config: Option<String>,
}

/// The config that answers.
pub(super) fn config(file: &ExperimentFile) -> Result<Config, ConfigError> {
    match &file.settings.single.config {
        Some(id) => file.pool().get(id).cloned(),
        None => Ok(file.pool()[0].clone()),
    }
}

pub(super) fn layer(file: &ExperimentFile) -> Result<SingleLayer, ConfigError> {
    Ok(SingleLayer::new(config(file)?).experiment(file.experiment()))
}
