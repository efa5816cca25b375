//! Calls of servers that get what was recorded: how they are reached, and when they are asked again.

mod address;
mod client;
mod pause;

#[cfg(feature = "otlp")]
pub(crate) use address::percent_decoded;
pub(crate) use address::{Address, Secret};
pub(crate) use client::client;
pub(crate) use pause::Pauses;
#[cfg(all(feature = "mlflow", feature = "store"))]
pub(crate) use pause::chance;
