//! The multi-branch strategy, as a file describes it.

use super::ExperimentFile;
use crate::{
    config::units,
    http::{Combine, MultiBranchLayer},
};
use serde::Deserialize;
use std::time::Duration;

#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct MultiBranchSettings {
    /// What becomes of the answers.
    combine: CombineName,
    /// How many branches run at once.
    max_concurrent: Option<usize>,
    /// How long a branch may take.
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    timeout: Option<Duration>,
    /// How much of a response is kept; the rest is cut off.
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    max_response_bytes: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum CombineName {
    #[default]
    Json,
    Ndjson,
    Sse,
    FirstSuccess,
}

pub(super) fn layer(file: &ExperimentFile) -> MultiBranchLayer {
    let settings = &file.settings.multi_branch;
    let mut layer = MultiBranchLayer::new(file.pool().clone())
        .experiment(file.experiment())
        .combine(match settings.combine {
            CombineName::Json => Combine::Json,
            CombineName::Ndjson => Combine::Ndjson,
            CombineName::Sse => Combine::Sse,
            CombineName::FirstSuccess => Combine::FirstSuccess,
        });
    if let Some(count) = settings.max_concurrent {
        layer = layer.max_concurrent(count);
    }
    if let Some(timeout) = settings.timeout {
        layer = layer.timeout(timeout);
    }
    if let Some(bytes) = settings.max_response_bytes {
        layer = layer.max_response_bytes(bytes);
    }
    layer
}
