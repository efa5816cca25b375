//! A server over a store of its own, and a client that sends what it is told.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{
    error::Error,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use tower_spearmint::{server::MlflowServer, store::SqliteStore};

pub struct Server {
    pub address: SocketAddr,
    pub store: PathBuf,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Where MLflow's calls are.
pub const API: &str = "/api/2.0/mlflow";

/// Over an empty store.
pub async fn started() -> (TempDir, Server) {
    let directory = TempDir::new().unwrap();
    let server = Server::start(&directory).await;
    (directory, server)
}

/// One of MLflow's calls.
pub async fn call(server: &Server, method: &str, call: &str, body: Value) -> Answer {
    server.call(method, &format!("{API}/{call}"), body.to_string()).await
}

/// One that succeeds.
pub async fn done(server: &Server, method: &str, path: &str, body: Value) -> Value {
    let answer = call(server, method, path, body).await;
    assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
    answer.json()
}

impl Server {
    /// Over the store in this directory, made if there is none.
    pub async fn start(directory: &TempDir) -> Self {
        Self::start_with(directory, |server| server).await
    }

    pub async fn start_with(
        directory: &TempDir,
        set: impl FnOnce(MlflowServer) -> MlflowServer,
    ) -> Self {
        let path = directory.path().join("spearmint.db");
        let store = SqliteStore::open(&path).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = set(MlflowServer::new(store).unwrap());
        let serving = tokio::spawn(async move {
            let stop = async {
                let _ = stopped.await;
            };
            server.serve(listener, stop).await.unwrap();
        });
        Self { address, store: path, stop, serving }
    }

    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "").await
    }

    pub async fn call(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        self.try_call(method, path, Full::new(body.into())).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, body.to_string()).await
    }

    pub async fn try_call<B>(
        &self,
        method: &str,
        path: &str,
        body: B,
    ) -> Result<Answer, Box<dyn Error + Send + Sync>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        self.try_call_with(method, path, &[], body).await
    }

    pub async fn try_call_with<B>(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: B,
    ) -> Result<Answer, Box<dyn Error + Send + Sync>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let stream = TcpStream::connect(self.address).await?;
        let (mut client, connection) = hyper::client::conn::http1::handshake::<
            _,
            http_body_util::combinators::UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>,
        >(TokioIo::new(stream))
        .await?;
        tokio::spawn(connection);
        let mut request =
            Request::builder().method(method).uri(path).header("host", self.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.map_err(Into::into).boxed_unsync())?;
        let (head, body) = client.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status, MLflow's code and its message.
    pub fn error(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        (self.status.as_u16(), text("error_code"), text("message"))
    }
}

/// Waits for what happens in the background.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what} did not come true");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// All files below a directory.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
