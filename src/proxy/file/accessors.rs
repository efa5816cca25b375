//! What a file says; where it says nothing, what holds then.

use super::ExperimentFile;
use crate::{
    config::{Config, ConfigPool, REDACTED},
    proxy::{OtlpSettings, UiSettings, limits::Limits, switch::Switch, target::REWRITE_LIMIT},
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// What a file says of sending what is in the store.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SyncFile<'a> {
    /// The address of the MLflow server.
    pub to: &'a str,
    /// What is sent: `runs`, `summary`.
    pub modes: Vec<&'static str>,
    /// The share of requests whose branches are sent as runs.
    pub sample: f64,
    /// At most so many runs a second.
    pub rate: Option<f64>,
}

impl ExperimentFile {
    pub(in super::super) fn resolve(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// The name of the experiment.
    pub fn experiment(&self) -> &str {
        &self.settings.experiment
    }

    /// The name of the strategy.
    pub fn strategy(&self) -> &str {
        &self.settings.strategy
    }

    /// The configs.
    pub fn pool(&self) -> &ConfigPool {
        &self.pool
    }

    /// The upstream of each config, in the order of the pool; `[redacted]` for one that was made of a
    /// secret.
    pub fn upstreams(&self) -> impl Iterator<Item = (&crate::ConfigId, String)> {
        self.targets.iter().map(|(id, target)| {
            let is_shown = |config: &Config| {
                config.redacted().get("upstream") == config.value().get("upstream")
            };
            let is_shown = self.pool.get(id.as_str()).is_ok_and(is_shown);
            (id, if is_shown { target.to_string() } else { REDACTED.to_owned() })
        })
    }

    /// Where to listen, if the file says.
    pub fn listen(&self) -> Option<SocketAddr> {
        self.settings.listen
    }

    /// Whether the listener speaks TLS.
    pub const fn has_tls(&self) -> bool {
        self.settings.tls.is_some()
    }

    /// Where to listen for the operator, if the file says.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.settings.admin
    }

    /// The store, if the file says; relative to the file.
    pub fn store(&self) -> Option<PathBuf> {
        self.settings.store.as_deref().map(|path| self.resolve(path))
    }

    /// Whether what counts as written to the store has reached the disk.
    pub const fn durable(&self) -> bool {
        self.settings.durable
    }

    /// How long branches are kept in the store: an age, and a size in bytes; for ever where the file
    /// does not say.
    pub fn retention(&self) -> (Option<Duration>, Option<u64>) {
        let retention = &self.settings.retention;
        (retention.age, retention.size.map(|bytes| bytes as u64))
    }

    /// How long outcomes are kept in the store after they happened; for ever where the file does not say.
    pub fn keep_outcomes(&self) -> Option<Duration> {
        self.settings.retention.outcomes
    }

    /// The store as an MLflow server beside the proxy, with paths that are relative to the file; none
    /// if the file switches it off.
    pub fn ui(&self) -> Option<UiSettings> {
        let settings = match &self.settings.ui {
            Switch::Off => return None,
            Switch::Unset => UiSettings::default(),
            Switch::On(settings) => settings.clone(),
        };
        Some(settings.with_paths(|path| self.resolve(path)))
    }

    /// The MLflow server, if the file says.
    pub fn mlflow(&self) -> Option<&str> {
        self.settings.mlflow.as_deref()
    }

    /// What is sent to a team's MLflow meanwhile, if the file says.
    pub fn sync(&self) -> Option<SyncFile<'_>> {
        let sync = self.settings.sync.as_ref()?;
        Some(SyncFile {
            to: &sync.to,
            modes: sync.mode.iter().map(|mode| mode.as_str()).collect(),
            sample: sync.sample.unwrap_or(1.0),
            rate: sync.rate,
        })
    }

    /// The OpenTelemetry collector that gets the branches, if the file switches it on.
    pub fn otlp(&self) -> Option<OtlpSettings> {
        match &self.settings.otlp {
            Switch::Off | Switch::Unset => None,
            Switch::On(settings) => Some(settings.clone()),
        }
    }

    /// How many threads serve, if the file says.
    pub fn threads(&self) -> Option<usize> {
        self.settings.threads
    }

    /// How long requests, shadows and records may take to end when the process stops; 10 s if the
    /// file does not say.
    pub fn drain_timeout(&self) -> Duration {
        self.settings.drain_timeout.unwrap_or(Duration::from_secs(10))
    }

    /// How many bytes of a body are read at most, to look into it or to change it.
    pub(in super::super) fn rewrite_limit(&self) -> usize {
        self.settings.rewrite_limit.unwrap_or(REWRITE_LIMIT)
    }

    pub(in super::super) const fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// Whether it is followed while it is served; true if the file does not say.
    pub const fn watch(&self) -> bool {
        self.settings.watch
    }

    /// Certificate and key of the listener.
    pub(in super::super) fn tls(&self) -> Option<(PathBuf, PathBuf)> {
        let tls = self.settings.tls.as_ref()?;
        Some((self.resolve(&tls.certificate), self.resolve(&tls.key)))
    }

    pub(in super::super) fn ca_file(&self) -> Option<PathBuf> {
        self.settings.upstreams.ca_file.as_deref().map(|path| self.resolve(path))
    }
}
