//! Artifacts: what is put comes back, and nothing else is left.

mod in_and_out;
mod kept;
mod of_runs;
mod refused;

use crate::support::{Answer, Server, files, until};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};
use tempfile::{TempDir, tempdir};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::{Layer, ServiceExt};
use tower_spearmint::{
    ConfigPool, LogLayer, Recorder, SingleLayer, Trial, service_fn, store::SqliteStore,
};

const ARTIFACTS: &str = "/api/2.0/mlflow-artifacts/artifacts";

impl Server {
    async fn put(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.call("PUT", &format!("{ARTIFACTS}/{path}"), body).await
    }

    async fn artifact(&self, path: &str) -> Answer {
        self.get(&format!("{ARTIFACTS}/{path}")).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", &format!("{ARTIFACTS}/{path}"), "").await
    }

    async fn list(&self, path: &str) -> Value {
        self.get(&format!("{ARTIFACTS}?path={path}")).await.json()
    }

    fn directory(&self) -> PathBuf {
        self.store.with_extension("db.artifacts")
    }

    fn objects(&self) -> Vec<PathBuf> {
        files(&self.directory().join("objects"))
    }

    fn uploads(&self) -> Vec<PathBuf> {
        files(&self.directory().join("uploads"))
    }
}

/// Bytes that look like no others at another place.
fn content(size: usize) -> Bytes {
    (0_u64..).flat_map(|n| (n ^ 0x5eed).to_le_bytes()).take(size).collect::<Vec<_>>().into()
}

/// A branch in a store, which is a run to MLflow: its id.
async fn branch(directory: &TempDir) -> String {
    let store = SqliteStore::open(directory.path().join("spearmint.db")).unwrap();
    let (recorder, recording) = Recorder::pair(store);
    tokio::spawn(recording);
    let pool = ConfigPool::from_values([json!({ "config_id": "a" })]).unwrap();
    let service = service_fn(|trial: Trial<()>| async move {
        Ok::<_, Infallible>(trial.place().branch_id().to_string())
    });
    let layer = SingleLayer::new(pool.get("a").unwrap().clone());
    let service = layer.layer(LogLayer::new(recorder.clone()).layer(service));
    let id = service.oneshot(()).await.unwrap();
    recorder.drain(Duration::from_secs(5)).await.unwrap();
    id.replace('-', "")
}
