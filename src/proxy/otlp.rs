//! What a file says of the OpenTelemetry collector that gets the branches.

use serde::Deserialize;
use std::{collections::BTreeMap, fmt};

/// An OpenTelemetry collector that gets each branch as a span. What is not said here is as the
/// environment says by OpenTelemetry's names (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`, …).
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct OtlpSettings {
    /// The address below which it takes `/v1/traces` [default: http://localhost:4318].
    pub endpoint: Option<String>,
    /// Headers that are sent with the spans, such as who we are. Their values are secrets.
    pub headers: BTreeMap<String, String>,
    /// The name of the service that the spans are of [default: tower-spearmint].
    pub service_name: Option<String>,
}

impl fmt::Debug for OtlpSettings {
    /// Without the values of the headers, and without what may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpSettings")
            .field("headers", &self.headers.keys())
            .field("service_name", &self.service_name)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "otlp")]
impl super::ExperimentFile {
    /// The collector that gets the branches, if the file says; nothing is connected to.
    ///
    /// # Errors
    ///
    /// When the file or the environment says something of it that is wrong.
    pub fn otlp_backend(
        &self,
    ) -> Result<Option<crate::otlp::OtlpBackend>, crate::config::ConfigError> {
        use crate::otlp::{OtlpBackend, SpanKind};

        let Some(settings) = self.otlp() else { return Ok(None) };
        let backend = match &settings.endpoint {
            Some(endpoint) => OtlpBackend::with_env(endpoint),
            None => OtlpBackend::from_env(),
        };
        let path = if settings.endpoint.is_some() { "otlp.endpoint" } else { "otlp" };
        let mut backend = backend.map_err(|error| self.error(path, error))?;
        for (name, value) in &settings.headers {
            let path = format!("otlp.headers.{name}");
            backend = backend.header(name, value).map_err(|error| self.error(&path, error))?;
        }
        if let Some(name) = &settings.service_name {
            backend = backend.service_name(name);
        }
        // The upstream's own span stands below that of its branch.
        Ok(Some(backend.kind(SpanKind::Client)))
    }
}
