//! OpenTelemetry's protocol: `POST /v1/traces`, by which MLflow's clients send their spans, as
//! does whatever else speaks it.

mod body;
mod json;
mod receive;
mod request;
mod span;
mod value;

pub(super) use receive::receive;
pub(super) use request::ResourceSpans;
