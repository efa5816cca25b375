//! Artifacts: files that clients log to runs.
//!
//! A path names a content by its hash; both stand in the store ([`tree`]). The contents
//! themselves are files in a directory beside it, each once ([`Objects`]). No path of a client
//! ever becomes a path of the file system, so that none can lead out of it; [`names`] refuses what
//! would be dangerous to those who download.
//!
//! An upload streams into a file without a name ([`upload`]), and becomes visible as a whole, in
//! the transaction that adds its path. What no path names any more is removed in the background
//! ([`collect`]).
//!
//! MLflow's client reaches them in two ways: by their place, after `mlflow-artifacts:`, and through
//! the run whose they are ([`root`]).

mod collect;
mod delete;
mod disposition;
mod download;
mod list;
mod media_type;
mod names;
mod root;
mod tree;
mod unsupported;
mod upload;

use super::{
    call::{Call, Route},
    error::{ApiError, ErrorCode},
    metrics::Counters,
};
use crate::store::{Objects, Owner, SqliteStore, StoreError};
use std::{io, path::PathBuf, sync::Arc};
use tokio::sync::Notify;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "2.0/mlflow-artifacts/artifacts", Call::Read(list::by_place)),
    ("GET", "2.0/mlflow-artifacts/artifacts/{*path}", Call::Raw(download::by_place)),
    ("PUT", "2.0/mlflow-artifacts/artifacts/{*path}", Call::Raw(upload::by_place)),
    ("DELETE", "2.0/mlflow-artifacts/artifacts/{*path}", Call::Raw(delete::by_place)),
    ("GET", "2.0/mlflow/artifacts/list", Call::Read(list::of_run)),
    ("GET", "/get-artifact", Call::Raw(download::of_run)),
    ("GET", "/model-versions/get-artifact", Call::Raw(download::of_model_version)),
    (
        "GET",
        "2.0/mlflow/logged-models/{model_id}/artifacts/directories",
        Call::Read(list::of_logged_model),
    ),
    (
        "GET",
        "2.0/mlflow/logged-models/{model_id}/artifacts/files",
        Call::Raw(download::of_logged_model),
    ),
    ("POST", "2.0/mlflow/upload-artifact", Call::Raw(upload::of_run)),
    ("POST", "2.0/mlflow-artifacts/mpu/create/{*path}", Call::Read(unsupported::multipart_upload)),
    (
        "POST",
        "2.0/mlflow-artifacts/mpu/complete/{*path}",
        Call::Read(unsupported::multipart_upload),
    ),
    ("POST", "2.0/mlflow-artifacts/mpu/abort/{*path}", Call::Read(unsupported::multipart_upload)),
    ("GET", "2.0/mlflow-artifacts/presigned/{*path}", Call::Read(unsupported::multipart_download)),
    (
        "POST",
        "2.0/mlflow/artifacts/presigned-upload-url",
        Call::Read(unsupported::presigned_upload),
    ),
    (
        "POST",
        "2.0/mlflow/artifacts/presigned-download-url",
        Call::Read(unsupported::presigned_download),
    ),
];

/// The largest artifact, unless told otherwise. MLflow has no limit but the disk's.
const MAX_SIZE: u64 = 16 * 1024 * 1024 * 1024;

/// Where artifacts are kept, and how large they may be.
#[derive(Clone)]
pub(super) struct Artifacts {
    store: SqliteStore,
    owner: Owner,
    objects: Objects,
    max_size: u64,
    counters: Arc<Counters>,
    /// Some content may have lost its last path.
    freed: Arc<Notify>,
}

impl Artifacts {
    /// In a directory beside the store's file. Blocks.
    pub(super) fn beside(store: SqliteStore, counters: Arc<Counters>) -> Result<Self, StoreError> {
        let owner = store.artifacts_owner()?;
        let mut directory = store.path().as_os_str().to_owned();
        directory.push(".artifacts");
        let objects = Objects::new(PathBuf::from(directory), owner.clone());
        let max_size = MAX_SIZE;
        Ok(Self { store, owner, objects, max_size, counters, freed: Arc::default() })
    }

    pub(super) fn in_directory(self, directory: PathBuf) -> Self {
        Self { objects: Objects::new(directory, self.owner.clone()), ..self }
    }

    pub(super) fn max_size(self, bytes: u64) -> Self {
        Self { max_size: bytes, ..self }
    }
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// What to tell of a file that could not be written or read.
fn failed(objects: &Objects, error: &io::Error) -> ApiError {
    let directory = objects.root().display();
    tracing::warn!(%error, directory = %directory, "an artifact could not be kept or read");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            ApiError::new(
                ErrorCode::StorageFull,
                "there is no room left for artifacts on the server, and nothing of this one was kept; \
             free some space, or keep artifacts elsewhere",
            )
        }
        kind => ApiError::new(
            ErrorCode::InternalError,
            format!(
                "the server could not use its directory of artifacts: {kind}; its log says more"
            ),
        ),
    }
}
