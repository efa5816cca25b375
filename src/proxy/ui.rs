//! What a file says of the MLflow server beside the proxy.

use super::settings::address;
use crate::config::units;
use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The store as an MLflow server, beside the proxy: what
/// [`MlflowServer`](crate::server::MlflowServer) is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct UiSettings {
    /// Where to listen [default: 127.0.0.1:5000, or a free port if that one is taken].
    #[serde(deserialize_with = "address")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Listen"))]
    pub listen: Option<SocketAddr>,
    /// The tokens of those who may use it (`spearmint ui token new`), relative to this file.
    pub token_file: Option<PathBuf>,
    /// Names by which clients may ask for it, beside its address and `localhost`.
    pub allow_hosts: Vec<String>,
    /// Sites whose pages may use it, as in `http://localhost:3000`.
    pub allow_origins: Vec<String>,
    /// The directory of the artifacts, relative to this file [default: beside the store].
    pub artifacts: Option<PathBuf>,
    /// The largest artifact that is taken [default: 16GiB].
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    pub max_artifact_size: Option<usize>,
}

impl UiSettings {
    pub(super) fn with_paths(mut self, resolve: impl Fn(&Path) -> PathBuf) -> Self {
        for path in [&mut self.token_file, &mut self.artifacts].into_iter().flatten() {
            *path = resolve(path);
        }
        self
    }
}
