//! Branches as spans, at collectors: this crate's own server, a real MLflow, and one that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

mod collected;
mod collector;
mod faults;
#[path = "../support/mlflow.rs"]
mod mlflow;
mod mlflow_server;
#[path = "../support/proxy.rs"]
mod proxy;
mod serve;
#[path = "../server/support.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod server;
mod settings;
