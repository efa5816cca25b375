//! What an experiment file may hold.

use super::{
    evaluate::{EvaluationSettings, EvaluatorSettings, Measures, PriceSettings},
    limits::Limits,
    multi_branch::MultiBranchSettings,
    otlp::OtlpSettings,
    round_robin::RoundRobinSettings,
    shadow::ShadowSettings,
    single::SingleSettings,
    switch::Switch,
    ui::UiSettings,
};
use crate::{config::units, record::Failures};
use serde::{Deserialize, Deserializer, de};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

/// What `spearmint serve` runs: an experiment in front of HTTP services.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The name of the experiment, in records and in MLflow.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Name"))]
    pub(super) experiment: String,
    /// `single`, `round_robin`, `shadow`, `multi_branch`, or the name of a strategy of your own.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Strategy"))]
    pub(super) strategy: String,
    /// The config that answers; required for `shadow`.
    #[serde(default)]
    pub(super) primary: Option<String>,
    /// The config that answers when the chosen one cannot be reached (`single`, `round_robin`).
    #[serde(default)]
    pub(super) fallback: Option<String>,
    /// The settings of the strategy `single`.
    #[serde(default)]
    pub(super) single: SingleSettings,
    /// The settings of the strategy `round_robin`.
    #[serde(default)]
    pub(super) round_robin: RoundRobinSettings,
    /// The settings of the strategy `shadow`.
    #[serde(default)]
    pub(super) shadow: ShadowSettings,
    /// The settings of the strategy `multi_branch`.
    #[serde(default)]
    pub(super) multi_branch: MultiBranchSettings,
    /// What is tried: each a service, and what is changed in its requests.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<ConfigSettings>"))]
    pub(super) configs: Vec<serde::de::IgnoredAny>,
    /// A JSON Schema (a JSON or YAML file, relative to this one) of the part of each config that is
    /// your own.
    #[serde(default)]
    pub(super) schema: Option<PathBuf>,
    /// Which responses are failures.
    #[serde(default)]
    pub(super) failures: Failures,
    /// How all upstreams are reached.
    #[serde(default)]
    pub(super) upstreams: UpstreamSettings,
    /// What a caller may take up.
    #[serde(default)]
    pub(super) limits: Limits,
    /// The listener speaks TLS.
    #[serde(default)]
    pub(super) tls: Option<TlsSettings>,
    /// Send `traceparent` and `baggage` with each branch.
    #[serde(default = "yes")]
    pub(super) trace: bool,
    /// Follow this file, and what it is composed of, while it is served.
    #[serde(default = "yes")]
    pub(super) watch: bool,
    /// A response header that names the config.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::config::schema::written::HeaderName>")
    )]
    pub(super) variant_header: Option<String>,
    /// The largest request body that is held to rewrite it [default: 1MiB].
    #[serde(default, deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    pub(super) rewrite_limit: Option<usize>,
    /// Values of your own that others refer to, as in `${vars.team}`.
    #[serde(default, rename = "vars")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")
    )]
    pub(super) _vars: serde::de::IgnoredAny,
    /// Further keys whose values are kept out of records.
    #[serde(default)]
    pub(super) secrets: Vec<String>,
    /// Where to listen [default: 127.0.0.1:8080].
    #[serde(default, deserialize_with = "address")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Listen"))]
    pub(super) listen: Option<SocketAddr>,
    /// Where to serve health, counters and switches [default: nowhere].
    #[serde(default, deserialize_with = "address")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Listen"))]
    pub(super) admin: Option<SocketAddr>,
    /// The store for the branches, relative to this file [default: spearmint.db].
    #[serde(default)]
    pub(super) store: Option<PathBuf>,
    /// Whether what counts as written to the store has reached the disk, so that it outlives a
    /// loss of power [default: false].
    #[serde(default)]
    pub(super) durable: bool,
    /// What reports hold the other configs against [default: the primary, or the first].
    #[cfg(feature = "report")]
    #[serde(default)]
    pub(super) baseline: Option<String>,
    /// What reports decide by, by name [default: errors, latency and agreement].
    #[cfg(feature = "report")]
    #[serde(default)]
    pub(super) metrics: BTreeMap<String, crate::report::MetricSettings>,
    /// Numbers that stand in responses: the name of a metric, and a JSON pointer.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, crate::config::schema::written::Pointer>")
    )]
    pub(super) measure: Measures,
    /// What a million tokens cost, by model: the metric `cost` is what a response comes to.
    #[serde(default)]
    pub(super) prices: BTreeMap<String, PriceSettings>,
    /// What judges answers: the name of a metric, and how.
    #[serde(default)]
    pub(super) evaluate: BTreeMap<String, EvaluatorSettings>,
    /// How answers are measured and judged.
    #[serde(default)]
    pub(super) evaluation: EvaluationSettings,
    /// What units do later, as it is reported.
    #[cfg(feature = "store")]
    #[serde(default)]
    pub(super) outcomes: super::outcomes::OutcomeSettings,
    /// How long branches and outcomes are kept in the store [default: for ever].
    #[serde(default)]
    pub(super) retention: RetentionSettings,
    /// The store as an MLflow server, beside the proxy: off, on, or on with settings
    /// [default: on, at 127.0.0.1:5000].
    #[serde(default)]
    pub(super) ui: Switch<UiSettings>,
    /// A tracking server that gets the branches, too.
    #[serde(default)]
    pub(super) mlflow: Option<String>,
    /// A tracking server that gets what is in the store, all of it in the end, each branch once.
    #[serde(default)]
    pub(super) sync: Option<SyncSettings>,
    /// An OpenTelemetry collector that gets each branch as a span: off, on as the environment says, or
    /// on with settings [default: off].
    #[serde(default)]
    pub(super) otlp: Switch<OtlpSettings>,
    /// How many threads serve [default: one per core].
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::config::schema::written::Count>")
    )]
    pub(super) threads: Option<usize>,
    /// How long requests, shadows and records may take to end when the process stops [default: 10s].
    #[serde(default, deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    pub(super) drain_timeout: Option<Duration>,
}

/// How long branches and outcomes are kept; what they come to stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RetentionSettings {
    /// Branches that were dispatched longer ago are removed.
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    pub(super) age: Option<Duration>,
    /// The oldest branches are removed while all of this experiment take more than this.
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    pub(super) size: Option<usize>,
    /// Outcomes that happened longer ago are removed, of whichever experiment: the store has one such time.
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    pub(super) outcomes: Option<Duration>,
}

/// What of the store is sent to a team's MLflow, while it is served.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct SyncSettings {
    /// The address of the MLflow server.
    pub(super) to: String,
    /// What is sent.
    #[serde(default = "only_runs")]
    pub(super) mode: Vec<SyncModeSetting>,
    /// The share of requests whose branches are sent as runs or traces, from 0 to 1 [default: 1].
    #[serde(default, deserialize_with = "units::share")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Share"))]
    pub(super) sample: Option<f64>,
    /// At most so many runs and traces a second [default: as many as MLflow takes without trouble].
    #[serde(default)]
    pub(super) rate: Option<f64>,
}

/// What is sent to MLflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum SyncModeSetting {
    /// Each branch, as a run.
    Runs,
    /// Each request, as a trace whose spans are its branches.
    Traces,
    /// What they come to by the minute, as one run for each config, role and epoch.
    Summary,
}

impl SyncModeSetting {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Traces => "traces",
            Self::Summary => "summary",
        }
    }
}

fn only_runs() -> Vec<SyncModeSetting> {
    vec![SyncModeSetting::Runs]
}

/// TLS on the listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The chain of certificates (PEM), relative to this file.
    pub certificate: PathBuf,
    /// The private key (PEM), relative to this file.
    pub key: PathBuf,
}

/// How the upstreams are reached.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct UpstreamSettings {
    /// How long a connection may take to be opened.
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    pub(super) connect_timeout: Option<Duration>,
    /// From the start of the request to the head of the response; then 504. `0s`: no bound.
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    pub(super) timeout: Option<Duration>,
    /// How long a pooled connection may be idle.
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    pub(super) idle_timeout: Option<Duration>,
    /// How many connections are kept open, per upstream.
    pub(super) max_idle: usize,
    /// How many callers may wait for a connection, per upstream; then 503.
    pub(super) max_waiting: usize,
    /// How often names are looked up again; `0s`: only for new connections.
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    pub(super) dns_refresh: Option<Duration>,
    /// Speak HTTP/2 to the upstreams.
    pub(super) http2: bool,
    /// Send the caller's `host` instead of the upstream's.
    pub(super) preserve_host: bool,
    /// Pass CONNECT on to the upstream.
    pub(super) connect: bool,
    /// Further certificates to trust (PEM), relative to this file.
    pub(super) ca_file: Option<PathBuf>,
    /// Trust the system's certificates.
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

/// A config as a schema describes it: what is read of it one by one.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
#[expect(dead_code, reason = "only its schema is used")]
struct ConfigSettings {
    /// Its name, in records and wherever a config is named [default: a hash of its content].
    #[schemars(with = "Option<crate::config::schema::written::Name>")]
    config_id: Option<String>,
    /// The address of its service, as in `http://127.0.0.1:9001`.
    #[schemars(with = "crate::config::schema::written::Upstream")]
    upstream: String,
    /// What this config changes in the request.
    #[serde(default)]
    request: RequestSettings,
}

/// What a config says of its service. Everything else in it is the user's own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct VariantSettings {
    /// What this config changes in the request.
    pub(super) request: RequestSettings,
}

/// What a variant changes in the request.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RequestSettings {
    /// Headers to set.
    pub(super) headers: BTreeMap<String, String>,
    /// Headers to take out.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::config::schema::written::HeaderName>")
    )]
    pub(super) remove_headers: Vec<String>,
    /// JSON pointer (RFC 6901) → the value that is put there.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Pointers"))]
    pub(super) json: BTreeMap<String, serde_json::Value>,
    /// JSON pointers to what is taken out.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::config::schema::written::Pointer>")
    )]
    pub(super) remove_json: Vec<String>,
    /// What is changed in the path.
    pub(super) path: PathSettings,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct PathSettings {
    /// Taken off the path, if it begins with it.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::config::schema::written::Prefix>")
    )]
    pub(super) strip_prefix: Option<String>,
    /// Put in front of the path.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::config::schema::written::Prefix>")
    )]
    pub(super) add_prefix: Option<String>,
}

const fn yes() -> bool {
    true
}

/// Where to listen.
pub(super) fn address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let found = serde_json::Value::deserialize(deserializer)?;
    let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    text.parse().map(Some).map_err(|_| {
        de::Error::custom(format!(
            "`{text}` is not an address to listen on; write an IP address and a port, as in \
             127.0.0.1:8080"
        ))
    })
}
