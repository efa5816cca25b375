//! What a test looks at of the spans that arrived.

use crate::server::Server;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use tower_spearmint::otlp::OtlpBackend;

/// The header by which MLflow, and this crate's server, are told where spans belong.
pub const EXPERIMENT: &str = "x-mlflow-experiment-id";
pub const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub const CALLER: &str = "00f067aa0ba902b7";

pub fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{flags}")
}

/// A backend that sends to this crate's own server.
pub fn sending_to(server: &Server) -> OtlpBackend {
    let endpoint = format!("http://{}", server.address);
    OtlpBackend::new(&endpoint).unwrap().header(EXPERIMENT, "0").unwrap()
}

/// The spans of a trace, by their names; none if there is no such trace.
pub async fn spans(server: &Server, trace: &str) -> Vec<Span> {
    let path = format!("/api/3.0/mlflow/traces/get?trace_id=tr-{trace}");
    let answer = server.get(&path).await;
    if answer.status == 404 {
        return Vec::new();
    }
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let trace = answer.json();
    let spans = trace["trace"]["spans"].as_array().unwrap().iter();
    let mut spans: Vec<_> = spans.cloned().map(Span).collect();
    spans.sort_by(|a, b| a.name().cmp(b.name()));
    spans
}

/// A span as the server answers it.
#[derive(Debug)]
pub struct Span(pub Value);

impl Span {
    pub fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    pub fn id(&self) -> String {
        self.digits("span_id")
    }

    /// Empty if it has none.
    pub fn parent(&self) -> String {
        self.digits("parent_span_id")
    }

    pub fn status(&self) -> &str {
        self.0["status"]["code"].as_str().unwrap()
    }

    /// The plain value of an attribute.
    pub fn attribute(&self, key: &str) -> Value {
        attribute(&self.0, key)
    }

    fn digits(&self, key: &str) -> String {
        let bytes = STANDARD.decode(self.0[key].as_str().unwrap_or_default()).unwrap();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

pub fn attribute(of: &Value, key: &str) -> Value {
    let pairs = of["attributes"].as_array().unwrap();
    let pair = pairs.iter().find(|pair| pair["key"] == key);
    let value = pair.and_then(|pair| pair["value"].as_object()?.values().next());
    value.cloned().unwrap_or_default()
}
