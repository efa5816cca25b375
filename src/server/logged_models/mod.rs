//! Models that runs log: `logged-models/…`.
//!
//! A logged model has artifacts, params and tags of its own. Runs say which they read and which
//! they made, and what they measured on one (`metrics` with a `model_id`); that stands in the
//! tables of the runs.
//!
//! | room | what it does |
//! |---|---|
//! | [`create`], [`change`] | a model's own row, its params and tags |
//! | [`read`], [`wire`] | a model as it is answered |
//! | [`search`] | which there are |

mod change;
mod create;
mod read;
mod search;
mod wire;

pub(super) use change::note_version;
pub(super) use read::find;

use super::call::{Call, Route};

pub(super) const ROUTES: &[Route] = &[
    ("POST", "2.0/mlflow/logged-models", Call::Write(create::create)),
    ("POST", "2.0/mlflow/logged-models/search", Call::Read(search::search)),
    ("GET", "2.0/mlflow/logged-models/{model_id}", Call::Read(read::get)),
    ("PATCH", "2.0/mlflow/logged-models/{model_id}", Call::Write(change::finalize)),
    ("DELETE", "2.0/mlflow/logged-models/{model_id}", Call::Write(change::delete)),
    ("POST", "2.0/mlflow/logged-models/{model_id}/params", Call::Write(change::log_params)),
    ("PATCH", "2.0/mlflow/logged-models/{model_id}/tags", Call::Write(change::set_tags)),
    ("DELETE", "2.0/mlflow/logged-models/{model_id}/tags/{key}", Call::Write(change::delete_tag)),
];
