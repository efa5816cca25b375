//! The `spearmint` command, in front of real upstreams on real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

mod assigned;
mod bodies;
mod branches;
mod comparing;
mod config_diff;
mod connect;
mod connections;
mod demo;
mod diff;
mod evaluate;
mod expect;
mod frames;
mod headers;
mod limits;
mod listener_tls;
mod live;
mod load;
mod looks;
mod measures;
mod metrics;
mod mistakes;
mod outcomes;
#[path = "../support/python.rs"]
mod python;
mod reload;
mod shadows;
mod signals;
mod smuggling;
mod smuggling_h2;
mod store;
#[path = "../support/proxy.rs"]
mod support;
mod tls;
mod trace;
mod trouble;
mod tunnel;
mod ui;
mod ui_beside;
mod upgrades;
mod variants;
mod who_is_shadowed;
