//! Configs: sources, merging, overrides, provenance, references, expansion, schemas.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs, unreachable_pub)]

mod defaults;
#[cfg(all(feature = "cli", feature = "schema"))]
mod documented;
#[cfg(feature = "cli")]
mod expand_command;
mod expansion;
mod expansion_errors;
#[cfg(feature = "proxy")]
mod expansion_served;
#[cfg(all(feature = "proxy", feature = "schema"))]
mod experiment;
mod fuzz;
mod hostile;
mod hostile_files;
mod interpolation;
mod interpolation_bounds;
mod interpolation_choices;
mod interpolation_mistakes;
mod interpolation_secrets;
mod merging;
mod missing;
mod omegaconf;
mod overrides;
#[cfg(feature = "proxy")]
mod references_served;
mod round_trip;
#[cfg(feature = "schema")]
mod schema;
#[cfg(feature = "cli")]
mod show;
mod sources;
mod support;
#[cfg(all(feature = "cli", feature = "schema"))]
mod validate;
#[cfg(feature = "watch")]
mod watch;
