//! Experiments: `experiments/…`.
//!
//! Those of the branches stand among those that clients made. What an experiment of branches is
//! called here can be changed; its branches still find it by their own name for it.

mod change;
mod create;
mod find;
mod read;
mod search;

pub(super) use find::{Place, active, parse_id, place};

use super::call::{Call, Route};
use serde::{Deserialize, Serialize};

pub(super) const ROUTES: &[Route] = &[
    ("POST", "2.0/mlflow/experiments/create", Call::Write(create::create)),
    ("GET", "2.0/mlflow/experiments/get", Call::Read(read::get)),
    ("GET", "2.0/mlflow/experiments/get-by-name", Call::Read(read::get_by_name)),
    ("GET", "2.0/mlflow/experiments/search", Call::Read(search::search)),
    ("POST", "2.0/mlflow/experiments/search", Call::Read(search::search)),
    ("POST", "2.0/mlflow/experiments/update", Call::Write(change::rename)),
    ("POST", "2.0/mlflow/experiments/delete", Call::Write(change::delete)),
    ("POST", "2.0/mlflow/experiments/restore", Call::Write(change::restore)),
    ("POST", "2.0/mlflow/experiments/set-experiment-tag", Call::Write(change::set_tag)),
    ("POST", "2.0/mlflow/experiments/delete-experiment-tag", Call::Write(change::delete_tag)),
];

/// A key and a value, as tags and params are sent.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct KeyValue {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}
