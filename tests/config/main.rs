//! The configuration system.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs, unreachable_pub)]

#[cfg(feature = "proxy")]
mod experiment;
mod interpolation;
mod missing;
