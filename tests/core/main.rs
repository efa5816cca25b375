//! The core library: configs, strategies, records.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs, unreachable_pub)]

mod assign;
mod auto_traits;
mod backends;
mod cancel;
mod compare;
mod comparing;
mod comparisons;
mod config;
mod evaluate;
mod evaluate_bounds;
mod evaluate_pairs;
mod functions;
mod metrics;
mod multi_branch;
mod nested;
mod panics;
mod readiness;
mod record;
mod recorded;
mod round_robin;
mod shadow;
mod shadow_switches;
mod spans;
mod support;
#[cfg(feature = "yaml")]
mod yaml;
