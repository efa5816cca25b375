//! Configs: sources, merging, overrides, provenance, references, expansion.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs, unreachable_pub)]

mod defaults;
#[cfg(feature = "cli")]
mod expand_command;
mod expansion;
mod expansion_errors;
#[cfg(feature = "proxy")]
mod expansion_served;
mod hostile;
mod interpolation;
mod merging;
mod missing;
mod omegaconf;
mod overrides;
#[cfg(feature = "proxy")]
mod references_served;
mod round_trip;
#[cfg(feature = "cli")]
mod show;
mod sources;
mod support;
