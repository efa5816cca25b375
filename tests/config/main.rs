//! Configuration: where configs come from.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

#[cfg(feature = "cli")]
mod expand_command;
mod expansion;
mod expansion_errors;
#[cfg(feature = "proxy")]
mod expansion_served;
