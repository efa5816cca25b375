//! Several language models behind an OpenAI-compatible API, asked at once: the caller gets all
//! their answers, or the first good one.
//!
//! ```sh
//! cargo run --features proxy --example multi_branch_llm
//! ```
//!
//! The API is a local fake, so that the example needs no network and no key. Point `upstream` at
//! a real one, and put its key into `request.headers` of the config, to ask real models.

#![allow(clippy::print_stdout)]

use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tower_spearmint::{
    BoxError, Recorder,
    proxy::{ExperimentFile, Proxy},
    record::MemoryBackend,
};

/// A fake of `POST /v1/chat/completions`: each model has its own speed, and one is broken.
async fn chat(Json(request): Json<Value>) -> Result<Json<Value>, http::StatusCode> {
    let model = request["model"].as_str().unwrap_or("unknown").to_owned();
    let (delay, answer) = match model.as_str() {
        "small" => (5, "Peppermint, I think."),
        "large" => (30, "Spearmint, Mentha spicata."),
        _ => return Err(http::StatusCode::SERVICE_UNAVAILABLE),
    };
    tokio::time::sleep(Duration::from_millis(delay)).await;
    let message = json!({ "role": "assistant", "content": answer });
    let usage = json!({ "total_tokens": answer.len() / 4 });
    Ok(Json(json!({ "model": model, "choices": [{ "message": message }], "usage": usage })))
}

async fn listen() -> Result<(TcpListener, SocketAddr), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Runs the experiment, asks one question through it, and shows what was recorded.
async fn ask(models: SocketAddr, combine: &str) -> Result<(), BoxError> {
    let file = ExperimentFile::from_yaml_str(&format!(
        "
        experiment: mint
        strategy: multi_branch
        multi_branch: {{ combine: {combine}, timeout: 2s }}
        configs:
          - {{ config_id: small, upstream: 'http://{models}', request: {{ json: {{ /model: small }} }} }}
          - {{ config_id: large, upstream: 'http://{models}', request: {{ json: {{ /model: large }} }} }}
          - {{ config_id: beta, upstream: 'http://{models}', request: {{ json: {{ /model: beta }} }} }}
        "
    ))?;
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let proxy = Proxy::new(&file, recorder)?;
    let (listener, address) = listen().await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(proxy.serve(listener, async {
        let _ = stopped.await;
    }));

    let question =
        json!({ "model": "any", "messages": [{ "role": "user", "content": "Which mint?" }] });
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http();
    let request = http::Request::post(format!("http://{address}/v1/chat/completions"))
        .header("content-type", "application/json")
        .body(http_body_util::Full::<bytes::Bytes>::from(question.to_string()))?;
    let response = client.request(request).await?;
    let body = http_body_util::BodyExt::collect(response.into_body()).await?.to_bytes();
    println!("--- {combine}\n{}", String::from_utf8_lossy(&body));

    let _ = stop.send(());
    serving.await?;
    println!("recorded:");
    for branch in memory.branches() {
        let why = branch.failure.map(|failure| failure.to_string()).unwrap_or_default();
        println!(
            "  {:5} {:9} {:>9} ns {why}",
            branch.config_id.as_str(),
            branch.status,
            branch.duration_ns
        );
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let (listener, models) = listen().await?;
    let api = Router::new().route("/v1/chat/completions", post(chat));
    tokio::spawn(async { axum::serve(listener, api).await });
    for combine in ["json", "ndjson", "first_success"] {
        ask(models, combine).await?;
    }
    Ok(())
}
