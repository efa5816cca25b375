//! What the environment says, by the names of OpenTelemetry's specification
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>).

use super::{OtlpBackend, OtlpError, client::Client};
use crate::outbound::percent_decoded;
use std::time::Duration;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// A backend as these variables say, at `endpoint` if there is one.
pub(super) fn backend(
    endpoint: Option<&str>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<OtlpBackend, OtlpError> {
    // What is said of traces alone goes first.
    let of = |what: &str| {
        let names = ["OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"];
        names.iter().find_map(|before| {
            let name = format!("{before}{what}");
            variable(&name).map(|value| (name, value))
        })
    };
    let timeout = match of("TIMEOUT") {
        None => OtlpBackend::REQUEST_TIMEOUT,
        Some((name, text)) => match text.trim().parse() {
            Ok(millis @ 1..) => Duration::from_millis(millis),
            _ => {
                let reason = format!("`{text}` is not a time; write milliseconds, as in 10000");
                return Err(OtlpError::Variable { name, reason });
            }
        },
    };
    let client = match (endpoint, of("ENDPOINT")) {
        (Some(endpoint), _) => Client::new(endpoint, false, timeout)?,
        (None, None) => Client::new(OtlpBackend::ENDPOINT, false, timeout)?,
        (None, Some((name, endpoint))) => {
            // Where gRPC is spoken, HTTP is not.
            if let Some((name, protocol)) = of("PROTOCOL")
                && protocol.trim() == "grpc"
            {
                let reason = "`grpc` is not spoken here; set it to http/protobuf, and name an \
                              endpoint that takes it (usually port 4318)";
                return Err(OtlpError::Variable { name, reason: reason.to_owned() });
            }
            // That of traces alone is where they are sent.
            Client::new(&endpoint, name != ENDPOINT, timeout)
                .map_err(|error| OtlpError::Variable { name, reason: error.to_string() })?
        }
    };
    let mut backend = OtlpBackend::with_client(client)?;
    if let Some((name, text)) = of("HEADERS") {
        for (key, value) in pairs(&name, &text)? {
            backend = backend.header(&key, &value)?;
        }
    }
    if let Some(text) = variable(RESOURCE_ATTRIBUTES) {
        for (key, value) in pairs(RESOURCE_ATTRIBUTES, &text)? {
            backend = backend.resource_attribute(&key, &value);
        }
    }
    if let Some(name) = variable(SERVICE_NAME) {
        backend = backend.service_name(&name);
    }
    Ok(backend)
}

/// `key=value,key=value`, in which values are percent-encoded. A value is not shown.
fn pairs(name: &str, text: &str) -> Result<Vec<(String, String)>, OtlpError> {
    let members = text.split(',').map(str::trim).filter(|member| !member.is_empty());
    members
        .map(|member| match member.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok((key.trim().to_owned(), percent_decoded(value.trim())))
            }
            _ => Err(OtlpError::Variable {
                name: name.to_owned(),
                reason: "not a list; write key=value,key=value, values percent-encoded".to_owned(),
            }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(endpoint: Option<&str>, variables: &[(&str, &str)]) -> Result<OtlpBackend, OtlpError> {
        backend(endpoint, |name| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn the_environment_says_it_as_to_opentelemetrys_own_exporters() {
        let backend = with(
            None,
            &[
                (ENDPOINT, "https://otel.example/base"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b%3D, x-other=c=d"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
                (SERVICE_NAME, "shop"),
                (RESOURCE_ATTRIBUTES, "service.name=other,deployment.environment.name=test"),
            ],
        )
        .unwrap();
        assert_eq!(backend.url(), "https://otel.example/base/v1/traces");
        assert_eq!(backend.client.headers["x-key"], "a b=");
        assert_eq!(backend.client.headers["x-other"], "c=d");
        assert_eq!(backend.client.timeout, Duration::from_millis(250));
        assert_eq!(backend.resource["service.name"], "shop");
        assert_eq!(backend.resource["deployment.environment.name"], "test");
    }

    #[test]
    fn what_is_said_of_traces_alone_goes_first_and_an_endpoint_before_both() {
        let of_traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/in");
        let of_all = (ENDPOINT, "http://127.0.0.1:8");
        assert_eq!(with(None, &[of_all, of_traces]).unwrap().url(), "http://127.0.0.1:9/in");
        let said = with(Some("http://127.0.0.1:7"), &[of_all, of_traces]).unwrap();
        assert_eq!(said.url(), "http://127.0.0.1:7/v1/traces");
        assert_eq!(with(None, &[]).unwrap().url(), "http://localhost:4318/v1/traces");
    }

    #[test]
    fn an_endpoint_of_grpc_is_refused() {
        let of_grpc = (ENDPOINT, "http://127.0.0.1:4317");
        let protocol = |name: &'static str| [of_grpc, ("OTEL_EXPORTER_OTLP_PROTOCOL", name)];
        assert_eq!(
            with(None, &protocol("grpc")).unwrap_err().to_string(),
            "OTEL_EXPORTER_OTLP_PROTOCOL: `grpc` is not spoken here; set it to http/protobuf, and \
             name an endpoint that takes it (usually port 4318)"
        );
        assert!(with(None, &protocol("http/protobuf")).is_ok());
        assert!(with(Some("http://127.0.0.1:4318"), &protocol("grpc")).is_ok());
    }

    #[test]
    fn a_variable_that_is_wrong_is_named_without_its_value() {
        for (name, value, says) in [
            (ENDPOINT, "grpc://host", "the scheme is `grpc`"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "`10s` is not a time; write milliseconds"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "hidden", "not a list; write key=value"),
        ] {
            let error = with(None, &[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(name) && error.contains(says), "{error}");
            assert!(!error.contains("hidden"), "{error}");
        }
    }
}
