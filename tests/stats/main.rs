//! The statistics against tables that other programs computed (`tests/oracles`).

mod fixed;
mod sequential;
