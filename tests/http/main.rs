//! The strategies around HTTP services.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

mod axum_routers;
#[cfg(feature = "compare")]
mod compare;
#[cfg(feature = "compare")]
mod compare_encoded;
#[cfg(feature = "compare")]
mod compare_events;
#[cfg(feature = "compare")]
mod comparing;
#[cfg(feature = "compare")]
mod evaluate;
mod fallback;
mod fork;
mod fork_sequences;
mod header_rules;
mod metric_header;
mod multi_branch;
mod nested;
mod over_the_wire;
mod record;
mod shadow;
mod strategy;
mod support;
mod trace;
mod variants;
