//! Configs: sources, merging, overrides, provenance, references.

mod defaults;
mod hostile;
mod interpolation;
mod merging;
mod missing;
mod omegaconf;
mod overrides;
mod round_trip;
#[cfg(feature = "cli")]
mod show;
mod sources;
mod support;
