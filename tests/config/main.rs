//! Configs from files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

#[cfg(feature = "watch")]
mod watch;
