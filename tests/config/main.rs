//! The configuration system.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs, unreachable_pub)]

mod interpolation;
mod missing;
