//! A/B, shadow and multi-branch runs on real traffic, as Tower layers.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod config;

pub use config::{Config, ConfigId, ConfigPool};
