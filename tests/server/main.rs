//! The store's network face, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

mod artifacts;
mod branches;
mod connections;
mod doors;
mod experiments;
mod logged_models;
mod many_branches;
mod metrics;
mod outcomes;
mod pages;
mod registry;
mod runs;
mod search;
mod support;
mod traces;
mod writing;
