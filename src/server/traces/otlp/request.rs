//! What is sent at once: `ExportTraceServiceRequest`
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>), in protocol buffers.

use super::value;
use crate::{
    as_trace::{Attributes, Span, plain},
    otlp::{
        number::{request, resource, resource_spans as fields, scope_spans},
        protobuf::{Field, Malformed, Reader},
    },
};

/// Spans of one source, and what is said of it.
#[derive(Debug, Default)]
pub(in crate::server::traces) struct ResourceSpans {
    pub(super) resource: Attributes,
    pub(in crate::server::traces) spans: Vec<Span>,
}

impl ResourceSpans {
    /// What is said of the source, each a text or JSON; without what names the exporter, and
    /// without names that are MLflow's.
    pub(in crate::server::traces) fn tags(&self) -> impl Iterator<Item = (&str, String)> {
        self.resource.iter().filter_map(|pair| {
            let key = pair["key"].as_str()?;
            if key.starts_with("telemetry.sdk.") || key.starts_with("mlflow.") {
                return None;
            }
            Some((
                key,
                match plain(&pair["value"]) {
                    serde_json::Value::String(text) => text,
                    other => other.to_string(),
                },
            ))
        })
    }
}

/// Reads a request.
pub(super) fn read(message: &[u8]) -> Result<Vec<ResourceSpans>, Malformed> {
    let (mut list, mut reader) = (Vec::new(), Reader::new(message));
    while let Some(field) = reader.next()? {
        if let (request::RESOURCE_SPANS, Field::Bytes(message)) = field {
            list.push(resource_spans(message)?);
        }
    }
    Ok(list)
}

fn resource_spans(message: &[u8]) -> Result<ResourceSpans, Malformed> {
    let (mut found, mut reader) = (ResourceSpans::default(), Reader::new(message));
    while let Some(field) = reader.next()? {
        match field {
            (fields::RESOURCE, Field::Bytes(message)) => {
                let mut reader = Reader::new(message);
                while let Some(field) = reader.next()? {
                    if let (resource::ATTRIBUTES, Field::Bytes(message)) = field {
                        found.resource.push(value::attribute(message)?);
                    }
                }
            }
            (fields::SCOPE_SPANS, Field::Bytes(scope)) => {
                let mut reader = Reader::new(scope);
                while let Some(field) = reader.next()? {
                    if let (scope_spans::SPANS, Field::Bytes(message)) = field {
                        found.spans.push(Span::read(message)?);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
