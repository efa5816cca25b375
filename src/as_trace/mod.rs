//! A request as MLflow sees it: a trace, whose spans are the branches of the request.
//!
//! Whoever shows requests to MLflow goes through here: the store's own face, and what is sent to
//! a server. So a request looks the same on both.

mod id;
mod preview;
mod request;
mod span;
pub(crate) mod time;
mod value;

#[cfg(feature = "server")]
pub(crate) use id::of_bytes;
pub(crate) use id::{of_request, request_of};
pub(crate) use preview::preview;
#[cfg(feature = "mlflow")]
pub(crate) use request::Info;
#[cfg(feature = "server")]
pub(crate) use request::{BRANCH_TYPE, METADATA, ROOT_TYPE};
pub(crate) use request::{NAME, Request};
pub(crate) use span::Span;
#[cfg(feature = "server")]
pub(crate) use span::{INPUTS, OUTPUTS, SPAN_TYPE};
pub(crate) use value::{Attributes, plain};
#[cfg(feature = "server")]
pub(crate) use value::{double, of_json};
