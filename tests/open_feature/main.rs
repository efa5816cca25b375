//! Flags answered from experiments, asked through OpenFeature's own client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

mod assignment;
#[cfg(feature = "proxy")]
mod file;
mod live;
mod support;
mod values;
