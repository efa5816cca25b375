//! Configuration: where configs come from.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

mod expansion;
mod expansion_errors;
#[cfg(feature = "proxy")]
mod expansion_served;
