//! Runs: `runs/…` and `metrics/…`.
//!
//! A run of a client is a row of `mlflow_run`. What is logged to a run stands in tables beside
//! it, under the run's id, so that a branch can be given tags, params and metrics in the same way:
//! [`subject`] says which run an id means, and all that logs asks it first.
//!
//! | room | what it does |
//! |---|---|
//! | [`branch`] | a branch as a run |
//! | [`branch_runs`], [`recorded_runs`], [`changed_runs`] | finding branches: as they were recorded, and those that clients changed |
//! | [`branch_columns`], [`branch_order`], [`branch_span`], [`recorded_question`], [`stretches`] | how they are asked for: columns, order, time, conditions, and a walk past what cannot be it |
//! | [`create`], [`change`] | a run's own row |
//! | [`log`], [`metrics`], [`params`], [`tags`], [`inputs`] | what is logged to it |
//! | [`read`], [`wire`] | a run as it is answered |
//! | [`history`] | the values of a metric over time |
//! | [`search`], [`client_runs`] | which runs there are |
//! | [`newest`] | the newest branches, for pages |

mod branch;
mod branch_columns;
mod branch_order;
mod branch_runs;
mod branch_span;
mod change;
mod changed_runs;
mod client_runs;
mod create;
mod history;
mod id;
mod inputs;
mod log;
mod metrics;
mod minutes;
mod newest;
mod params;
mod read;
mod recorded_question;
mod recorded_runs;
mod search;
mod stretches;
mod subject;
mod tags;
mod wire;

pub(super) use branch_columns::{metric as branch_metric, recorded_tag as branch_tag};
pub(super) use change::set_all_deleted;
pub(super) use id::RunId;
pub(super) use newest::{Narrowed, newest};
pub(super) use search::{View, page_size};
pub(super) use subject::artifact_uri;
pub(super) use wire::Pair;

use super::call::{Call, Route};

pub(super) const ROUTES: &[Route] = &[
    ("POST", "2.0/mlflow/runs/create", Call::Checked(create::create)),
    ("GET", "2.0/mlflow/runs/get", Call::Read(read::get)),
    ("POST", "2.0/mlflow/runs/search", Call::Read(search::search)),
    ("POST", "2.0/mlflow/runs/update", Call::Checked(change::update)),
    ("POST", "2.0/mlflow/runs/delete", Call::Write(change::delete)),
    ("POST", "2.0/mlflow/runs/restore", Call::Write(change::restore)),
    ("POST", "2.0/mlflow/runs/log-metric", Call::Checked(log::log_metric)),
    ("POST", "2.0/mlflow/runs/log-parameter", Call::Checked(log::log_param)),
    ("POST", "2.0/mlflow/runs/log-batch", Call::Checked(log::log_batch)),
    ("POST", "2.0/mlflow/runs/set-tag", Call::Checked(log::set_tag)),
    ("POST", "2.0/mlflow/runs/delete-tag", Call::Write(log::delete_tag)),
    ("POST", "2.0/mlflow/runs/log-model", Call::Write(log::log_model)),
    ("POST", "2.0/mlflow/runs/log-inputs", Call::Write(inputs::log_inputs)),
    ("POST", "2.0/mlflow/runs/outputs", Call::Write(inputs::log_outputs)),
    ("GET", "2.0/mlflow/metrics/get-history", Call::Read(history::get)),
    ("GET", "2.0/mlflow/metrics/get-history-bulk", Call::Read(history::get_bulk)),
    ("GET", "2.0/mlflow/metrics/get-history-bulk-interval", Call::Read(history::get_sampled)),
];
