//! Runs: `runs/…` and `metrics/…`.
//!
//! A run of a client is a row of `mlflow_run`. What is logged to a run stands in tables beside
//! it, under the run's id, so that a branch can be given tags, params and metrics in the same way:
//! [`subject`] says which run an id means, and all that logs asks it first.
//!
//! | room | what it does |
//! |---|---|
//! | [`branch`], [`branch_runs`], [`branch_columns`] | a branch as a run, and finding it |
//! | [`create`], [`change`] | a run's own row |
//! | [`log`], [`metrics`], [`params`], [`tags`], [`inputs`] | what is logged to it |
//! | [`read`], [`wire`] | a run as it is answered |
//! | [`history`] | the values of a metric over time |
//! | [`search`], [`client_runs`] | which runs there are |

mod branch;
mod branch_columns;
mod branch_runs;
mod change;
mod client_runs;
mod create;
mod history;
mod id;
mod inputs;
mod log;
mod metrics;
mod params;
mod read;
mod search;
mod subject;
mod tags;
mod wire;

pub(super) use branch_columns::{metric as branch_metric, tag as branch_tag};
pub(super) use change::set_all_deleted;
pub(super) use id::RunId;
pub(super) use search::{View, page_size};
pub(super) use subject::artifact_uri;
pub(super) use wire::Pair;

use super::call::{Call, Route};

pub(super) const ROUTES: &[Route] = &[
    ("POST", "2.0/mlflow/runs/create", Call::Write(create::create)),
    ("GET", "2.0/mlflow/runs/get", Call::Read(read::get)),
    ("POST", "2.0/mlflow/runs/search", Call::Read(search::search)),
    ("POST", "2.0/mlflow/runs/update", Call::Write(change::update)),
    ("POST", "2.0/mlflow/runs/delete", Call::Write(change::delete)),
    ("POST", "2.0/mlflow/runs/restore", Call::Write(change::restore)),
    ("POST", "2.0/mlflow/runs/log-metric", Call::Write(log::log_metric)),
    ("POST", "2.0/mlflow/runs/log-parameter", Call::Write(log::log_param)),
    ("POST", "2.0/mlflow/runs/log-batch", Call::Write(log::log_batch)),
    ("POST", "2.0/mlflow/runs/set-tag", Call::Write(log::set_tag)),
    ("POST", "2.0/mlflow/runs/delete-tag", Call::Write(log::delete_tag)),
    ("POST", "2.0/mlflow/runs/log-model", Call::Write(log::log_model)),
    ("POST", "2.0/mlflow/runs/log-inputs", Call::Write(inputs::log_inputs)),
    ("POST", "2.0/mlflow/runs/outputs", Call::Write(inputs::log_outputs)),
    ("GET", "2.0/mlflow/metrics/get-history", Call::Read(history::get)),
    ("GET", "2.0/mlflow/metrics/get-history-bulk", Call::Read(history::get_bulk)),
    ("GET", "2.0/mlflow/metrics/get-history-bulk-interval", Call::Read(history::get_sampled)),
];
