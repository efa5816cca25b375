//! Configs: sources, merging, overrides, provenance.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs, unreachable_pub)]

mod defaults;
mod hostile;
mod merging;
mod omegaconf;
mod overrides;
mod round_trip;
#[cfg(feature = "cli")]
mod show;
mod sources;
mod support;
