//! Configs: sources, merging, overrides, provenance.

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
