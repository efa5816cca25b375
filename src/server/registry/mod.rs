//! The model registry: `registered-models/…` and `model-versions/…`.
//!
//! A registered model is a name with versions, each of which says where its artifacts are. A
//! version has a stage, and may have aliases. A prompt is a registered model with a tag that says
//! so; its text is a tag of each version, and searches list it only where they ask for it.
//!
//! | room | what it does |
//! |---|---|
//! | [`models`], [`versions`], [`create_version`] | rows of their own |
//! | [`source`] | what may be the source of a version |
//! | [`aliases`], [`stages`], [`tags`] | what versions are known by |
//! | [`search`] | which there are |
//! | [`find`], [`names`], [`wire`] | names as they are sent, and entries as they are answered |

mod aliases;
mod create_version;
mod find;
mod models;
mod names;
mod search;
mod source;
mod stages;
mod tags;
mod versions;
mod wire;

pub(super) use versions::location_of;

use super::call::{Call, Route};

pub(super) const ROUTES: &[Route] = &[
    ("POST", "2.0/mlflow/registered-models/create", Call::Write(models::create)),
    ("GET", "2.0/mlflow/registered-models/get", Call::Read(models::get)),
    ("POST", "2.0/mlflow/registered-models/rename", Call::Write(models::rename)),
    ("PATCH", "2.0/mlflow/registered-models/update", Call::Write(models::update)),
    ("DELETE", "2.0/mlflow/registered-models/delete", Call::Write(models::delete)),
    ("GET", "2.0/mlflow/registered-models/search", Call::Read(search::models)),
    ("GET", "2.0/mlflow/registered-models/get-latest-versions", Call::Read(stages::latest)),
    ("POST", "2.0/mlflow/registered-models/get-latest-versions", Call::Read(stages::latest)),
    ("POST", "2.0/mlflow/registered-models/set-tag", Call::Write(tags::set_of_model)),
    ("DELETE", "2.0/mlflow/registered-models/delete-tag", Call::Write(tags::delete_of_model)),
    ("POST", "2.0/mlflow/registered-models/alias", Call::Write(aliases::set)),
    ("DELETE", "2.0/mlflow/registered-models/alias", Call::Write(aliases::delete)),
    ("GET", "2.0/mlflow/registered-models/alias", Call::Read(aliases::get)),
    ("POST", "2.0/mlflow/model-versions/create", Call::Write(create_version::create)),
    ("GET", "2.0/mlflow/model-versions/get", Call::Read(versions::get)),
    ("PATCH", "2.0/mlflow/model-versions/update", Call::Write(versions::update)),
    ("DELETE", "2.0/mlflow/model-versions/delete", Call::Write(versions::delete)),
    ("GET", "2.0/mlflow/model-versions/search", Call::Read(search::versions)),
    ("GET", "2.0/mlflow/model-versions/get-download-uri", Call::Read(versions::download_uri)),
    ("POST", "2.0/mlflow/model-versions/transition-stage", Call::Write(stages::transition)),
    ("POST", "2.0/mlflow/model-versions/set-tag", Call::Write(tags::set_of_version)),
    ("DELETE", "2.0/mlflow/model-versions/delete-tag", Call::Write(tags::delete_of_version)),
];
