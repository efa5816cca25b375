//! A client that costs as little as one can: hyper, without a pool and without retries.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, StatusCode,
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// One caller. Some servers answer sooner on a connection of each request's own: what they send in
/// two pieces waits for an acknowledgement on one that stays.
pub(crate) struct Client {
    address: SocketAddr,
    token: Option<String>,
    keeps: bool,
    kept: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, keeps: bool) -> Self {
        let token = std::env::var("MLFLOW_TRACKING_TOKEN").ok();
        Self { address, token, keeps, kept: None }
    }

    /// The answer to a call of MLflow's API, whose path begins after `/api/2.0/mlflow/`.
    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Result<Value, Error> {
        let mut sender = match self.kept.take().filter(|kept| !kept.is_closed()) {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("/api/2.0/mlflow/{path}"))
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "application/json");
        if !self.keeps {
            request = request.header(header::CONNECTION, "close");
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(serde_json::to_vec(body)?)))?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        if status != StatusCode::OK {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            return Err(format!("{path}: {status}: {text}").into());
        }
        if self.keeps {
            self.kept = Some(sender);
        }
        Ok(serde_json::from_slice(&bytes)?)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Error> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}
