//! The MLflow backend against a real `mlflow server`, read back by MLflow's own client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod faults;
mod limits;
mod outage;
#[path = "../support/mlflow.rs"]
mod server;
mod stub;
mod support;
mod written;
