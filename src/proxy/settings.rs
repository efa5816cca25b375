//! What an experiment file may hold.

use super::{limits::Limits, round_robin::RoundRobinSettings, shadow::ShadowSettings};
use crate::{config::units, record::Failures};
use serde::{Deserialize, Deserializer, de};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

/// The whole file, but for the configs' free part.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) experiment: String,
    pub(super) strategy: String,
    #[serde(default)]
    pub(super) primary: Option<String>,
    #[serde(default)]
    pub(super) fallback: Option<String>,
    #[serde(default)]
    pub(super) single: SingleSettings,
    #[serde(default)]
    pub(super) round_robin: RoundRobinSettings,
    #[serde(default)]
    pub(super) shadow: ShadowSettings,
    #[serde(default)]
    pub(super) multi_branch: MultiBranchSettings,
    /// Read from the document, each with its place.
    pub(super) configs: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    pub(super) failures: Failures,
    #[serde(default)]
    pub(super) upstreams: UpstreamSettings,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) tls: Option<TlsSettings>,
    /// Whether trace and baggage go with each branch.
    #[serde(default = "yes")]
    pub(super) trace: bool,
    #[serde(default)]
    pub(super) variant_header: Option<String>,
    #[serde(default, deserialize_with = "units::size")]
    pub(super) rewrite_limit: Option<usize>,
    #[serde(default)]
    pub(super) secrets: Vec<String>,
    #[serde(default, deserialize_with = "address")]
    pub(super) listen: Option<SocketAddr>,
    #[serde(default, deserialize_with = "address")]
    pub(super) admin: Option<SocketAddr>,
    #[serde(default)]
    pub(super) store: Option<PathBuf>,
    #[serde(default)]
    pub(super) mlflow: Option<String>,
    #[serde(default)]
    pub(super) threads: Option<usize>,
    #[serde(default, deserialize_with = "units::duration")]
    pub(super) drain_timeout: Option<Duration>,
}

/// TLS on the listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsSettings {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SingleSettings {
    pub(super) config: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MultiBranchSettings {
    pub(super) combine: CombineName,
    pub(super) max_concurrent: Option<usize>,
    #[serde(deserialize_with = "units::duration")]
    pub(super) timeout: Option<Duration>,
    #[serde(deserialize_with = "units::size")]
    pub(super) max_response_bytes: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CombineName {
    #[default]
    Json,
    Ndjson,
    Sse,
    FirstSuccess,
}

/// How the upstreams are reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct UpstreamSettings {
    #[serde(deserialize_with = "units::duration")]
    pub(super) connect_timeout: Option<Duration>,
    /// To the head of the response.
    #[serde(deserialize_with = "units::duration")]
    pub(super) timeout: Option<Duration>,
    #[serde(deserialize_with = "units::duration")]
    pub(super) idle_timeout: Option<Duration>,
    pub(super) max_idle: usize,
    pub(super) max_waiting: usize,
    #[serde(deserialize_with = "units::duration")]
    pub(super) dns_refresh: Option<Duration>,
    pub(super) http2: bool,
    pub(super) preserve_host: bool,
    /// Whether a CONNECT is passed on.
    pub(super) connect: bool,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) system_roots: bool,
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Some(Duration::from_secs(5)),
            timeout: Some(Duration::from_secs(60)),
            idle_timeout: Some(Duration::from_secs(60)),
            max_idle: 256,
            max_waiting: 1024,
            dns_refresh: Some(Duration::from_secs(30)),
            http2: false,
            preserve_host: false,
            connect: false,
            ca_file: None,
            system_roots: true,
        }
    }
}

/// What a config says of its service. Everything else in it is the user's own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct VariantSettings {
    pub(super) request: RequestSettings,
}

/// What a variant changes in the request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RequestSettings {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) remove_headers: Vec<String>,
    /// JSON pointer (RFC 6901) → the value that is put there.
    pub(super) json: BTreeMap<String, serde_json::Value>,
    pub(super) remove_json: Vec<String>,
    pub(super) path: PathSettings,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PathSettings {
    pub(super) strip_prefix: Option<String>,
    pub(super) add_prefix: Option<String>,
}

const fn yes() -> bool {
    true
}

/// Where to listen.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let found = serde_json::Value::deserialize(deserializer)?;
    let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    text.parse().map(Some).map_err(|_| {
        de::Error::custom(format!(
            "`{text}` is not an address to listen on; write an IP address and a port, as in \
             127.0.0.1:8080"
        ))
    })
}
