//! An A/B test in an axum service whose configs follow a file: what changes in it is in use from
//! the next request on, a mistake leaves it as it was.
//!
//! ```sh
//! cargo run --features axum,watch --example axum_live
//! ```

#![allow(clippy::print_stdout)]

use axum::{Router, body::Body, routing::get};
use http::Request;
use serde::Deserialize;
use std::{path::Path, time::Duration};
use tower::{Service, ServiceBuilder};
use tower_spearmint::{
    BoxError, ConfigPool, LogLayer, Recorder,
    http::{RoundRobinLayer, Variant},
    live::Live,
    record::MemoryBackend,
};

#[derive(Deserialize)]
struct Greeting {
    hello: String,
}

async fn greet(Variant(greeting): Variant<Greeting>) -> String {
    format!("{}, Ann!", greeting.hello)
}

/// The service for one pool; made anew for each.
fn service(pool: &ConfigPool, recorder: &Recorder) -> Router {
    Router::new().route("/", get(greet)).layer(
        ServiceBuilder::new()
            .layer(RoundRobinLayer::new(pool.clone()).experiment("greetings"))
            .layer(LogLayer::new(recorder.clone())),
    )
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("greetings.yaml");
    std::fs::write(&file, "- { config_id: en, hello: Hello }")?;

    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let (watched, watching) = ConfigPool::watch(&file).await?;
    tokio::spawn(watching);

    // In this order, no change is missed.
    let mut changes = watched.subscribe();
    let first = watched.current();
    let (live, handle) = Live::pair(service(&first.pool, &recorder));
    let records = recorder.clone();
    tokio::spawn(async move {
        let mut epoch = first.epoch;
        while changes.changed().await.is_ok() {
            let now = changes.borrow_and_update().clone();
            // It is told of mistakes, too, which change nothing.
            if now.epoch != epoch {
                epoch = now.epoch;
                handle.replace(service(&now.pool, &records));
            }
        }
    });
    // What is served: `axum::serve(listener, app)`.
    let mut app = Router::new().fallback_service(live);

    println!("{}", ask(&mut app).await?);
    change(&file, "[{ config_id: en, hello: Hello }, { config_id: de, hello: Hallo }]")?;
    until(&mut app, "Hallo, Ann!").await?;

    change(&file, "- { config_id: en, hello: Hi, hello: Ho }")?;
    let mut changes = watched.subscribe();
    while watched.current().rejected == 0 {
        changes.changed().await?;
    }
    println!("not taken: {}", watched.current().last_error.as_deref().unwrap_or_default());
    println!("{}", ask(&mut app).await?);

    recorder.drain(Duration::from_secs(5)).await?;
    println!("\nepoch {}; recorded: {} branches", watched.epoch(), memory.branches().len());
    Ok(())
}

/// As an editor does it.
fn change(file: &Path, text: &str) -> std::io::Result<()> {
    let new = file.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, file)
}

async fn ask(app: &mut Router) -> Result<String, BoxError> {
    let response = app.call(Request::get("/").body(Body::empty())?).await?;
    let body = axum::body::to_bytes(response.into_body(), 1 << 16).await?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

async fn until(app: &mut Router, answer: &str) -> Result<(), BoxError> {
    while ask(app).await? != answer {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("{answer}");
    Ok(())
}
