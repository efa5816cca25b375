//! A span of a trace.

use super::{id, value, value::Attributes};
use crate::otlp::Status;
use serde_json::{Value, json};

/// The attributes in which MLflow's clients keep what a span is, was given and gave back.
pub(crate) const SPAN_TYPE: &str = "mlflow.spanType";
pub(crate) const INPUTS: &str = "mlflow.spanInputs";
pub(crate) const OUTPUTS: &str = "mlflow.spanOutputs";
/// The id of the trace; said by the server, whatever a client says.
const REQUEST_ID: &str = "mlflow.traceRequestId";

/// A span of a trace.
#[derive(Debug, Default)]
pub(crate) struct Span {
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: [u8; 8],
    pub(crate) parent: Option<[u8; 8]>,
    pub(crate) name: String,
    pub(crate) start_ns: u64,
    /// 0 as long as it runs.
    pub(crate) end_ns: u64,
    pub(crate) attributes: Attributes,
    pub(crate) events: Vec<Value>,
    #[cfg_attr(
        not(feature = "server"),
        expect(dead_code, reason = "only clients' spans have some")
    )]
    pub(crate) links: Vec<Value>,
    pub(crate) status: Status,
    pub(crate) status_message: String,
}

impl Span {
    /// The id of its trace at MLflow.
    pub(crate) fn trace(&self) -> String {
        id::of_bytes(self.trace_id)
    }

    pub(crate) fn set(&mut self, key: &str, value: &Value) {
        self.attributes.push(json!({ "key": key, "value": value::of_json(value) }));
    }

    /// Adds an event with texts as its attributes.
    pub(crate) fn event(&mut self, name: &str, at_ns: u64, attributes: &[(&str, &str)]) {
        let pair =
            |(key, value): &(&str, &str)| json!({ "key": key, "value": { "string_value": value } });
        let attributes: Vec<_> = attributes.iter().map(pair).collect();
        self.events
            .push(json!({ "time_unix_nano": at_ns, "name": name, "attributes": attributes }));
    }

    /// With the id of its trace among its attributes, whatever was sent.
    pub(crate) fn named_here(mut self) -> Self {
        self.attributes.retain(|pair| pair["key"] != REQUEST_ID);
        let trace = self.trace();
        self.attributes.insert(0, json!({ "key": REQUEST_ID, "value": { "string_value": trace } }));
        self
    }
}
