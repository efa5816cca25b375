//! The branches of a store, sent to a real `mlflow server`, over links good and bad: each is there
//! once, with its content, as a run or as a span.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(unreachable_pub, dead_code, reason = "shared test support")]

mod beside;
mod commands;
mod faults;
mod killed;
mod late;
mod link;
mod outage;
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../support/mlflow.rs"]
mod server;
mod summary;
mod support;
mod traces;
