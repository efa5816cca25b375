//! A branch as MLflow sees it: a run, its params, metrics and tags.
//!
//! Whoever shows branches to MLflow goes through here: the backend that writes them to a
//! server, and the store's own face. So a branch looks the same on both.

pub(crate) mod limits;
pub(crate) mod params;
mod recorded;
mod run;

pub(crate) use params::Params;
pub(crate) use recorded::Recorded;
#[cfg(feature = "store")]
pub(crate) use run::MEASURED;
#[cfg(feature = "server")]
pub(crate) use run::output_metrics;
#[cfg(feature = "otlp")]
pub(crate) use run::said;
#[cfg(feature = "mlflow")]
pub(crate) use run::{BRANCH_ID, end_tags, failure_tags};
pub(crate) use run::{metrics, run_name, status, tags};

/// Milliseconds, as MLflow counts.
pub(crate) const fn millis(ns: u64) -> u64 {
    ns / 1_000_000
}
