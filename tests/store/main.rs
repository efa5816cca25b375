//! The embedded store, from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod comparisons;
mod crash;
mod killed;
mod log;
mod losses;
mod metrics;
mod opening;
mod outcomes;
mod outcomes_before;
mod paired;
mod reading;
mod retention;
mod rollups;
mod round_trip;
mod set_aside;
mod snapshots;
mod support;
mod traffic;
mod trouble;
