//! What a file says of the MLflow server beside the proxy.

use super::settings::{TlsSettings, address};
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
    /// It speaks TLS.
    pub tls: Option<TlsSettings>,
}

impl UiSettings {
    pub(super) fn with_paths(mut self, resolve: impl Fn(&Path) -> PathBuf) -> Self {
        let Self { token_file, artifacts, tls, .. } = &mut self;
        let (certificate, key) =
            tls.as_mut().map(|tls| (&mut tls.certificate, &mut tls.key)).unzip();
        let paths = [token_file.as_mut(), artifacts.as_mut(), certificate, key];
        for path in paths.into_iter().flatten() {
            *path = resolve(path);
        }
        self
    }
}

/// What is wrong with the files that it names.
#[cfg(feature = "server")]
pub(super) fn mistakes(file: &super::ExperimentFile, wrong: &mut Vec<crate::config::ConfigError>) {
    use crate::{server::Tokens, tls};

    let Some(ui) = file.ui() else { return };
    if let Some(path) = &ui.token_file {
        wrong.extend(Tokens::from_file(path).err().map(|error| {
            let place = format!("{}: ", path.display());
            let why = error.to_string();
            file.error("ui.token_file", place.clone() + why.strip_prefix(&place).unwrap_or(&why))
        }));
    }
    if let Some(pair) = &ui.tls {
        let made = tls::acceptor(&pair.certificate, &pair.key, &[]);
        wrong.extend(made.err().map(|error| super::tls::wrong(file, "ui.tls", &error)));
    }
}
