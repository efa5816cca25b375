//! The statistics against tables that other programs computed (`tests/oracles`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

mod fixed;
mod sequential;
