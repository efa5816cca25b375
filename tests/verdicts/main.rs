//! From requests to verdicts: `spearmint serve` in front of services of which the truth is known, and what
//! `spearmint report` says of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

mod seen;
mod services;
mod shadows;
mod split;
#[path = "../support/proxy.rs"]
mod support;
mod traffic;
