//! The layer on the client's side: a hyper client whose requests are split between two servers,
//! with a fallback when the new one cannot be reached.
//!
//! ```sh
//! cargo run --features axum --example hyper_client
//! ```

#![allow(clippy::print_stdout)]

use axum::{Router, routing::get};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::json;
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_spearmint::{
    BoxError, ConfigPool, FallbackLayer, LogLayer, Recorder,
    branch::{Failure, FailureKind},
    http::{RoundRobinLayer, place},
    record::MemoryBackend,
};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let stable = listener.local_addr()?;
    let app = Router::new().route("/", get(|| async { "stable answers" }));
    tokio::spawn(async { axum::serve(listener, app).await });
    // Nobody listens here.
    let candidate: SocketAddr = {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        listener.local_addr()?
    };

    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable", "server": stable.to_string() }),
        json!({ "config_id": "candidate", "server": candidate.to_string() }),
    ])?;
    let fallback = FallbackLayer::new(pool.get("stable")?.clone());
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);

    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut client = ServiceBuilder::new()
        .layer(RoundRobinLayer::new(pool).experiment("server"))
        .layer(fallback)
        .layer(LogLayer::new(recorder.clone()))
        // The config says which server; the error says whether it was reached.
        .map_request(|mut request: Request<_>| {
            let server: Option<String> =
                place(request.extensions()).and_then(|place| place.config().get("server").ok());
            let address = server.and_then(|server| format!("http://{server}/").parse().ok());
            if let Some(address) = address {
                *request.uri_mut() = address;
            }
            request
        })
        .map_err(|error: hyper_util::client::legacy::Error| -> BoxError {
            let kind = if error.is_connect() { FailureKind::Connect } else { FailureKind::Error };
            Failure::new(kind, error.to_string()).into()
        })
        .service(client);

    for _ in 0..4 {
        let request = Request::get("/").body(Empty::<Bytes>::new())?;
        let response = client.ready().await?.call(request).await?;
        println!("{}", String::from_utf8_lossy(&response.into_body().collect().await?.to_bytes()));
    }

    recorder.drain(Duration::from_secs(5)).await?;
    println!("\nrecorded:");
    for branch in memory.branches() {
        let why = branch.failure.map(|failure| failure.to_string()).unwrap_or_default();
        println!("  {:9} {:8} {:7} {why}", branch.config_id.as_str(), branch.role, branch.status);
    }
    Ok(())
}
