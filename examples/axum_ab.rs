//! An A/B test in an axum service: two configs take turns, the handler gets its own, typed.
//!
//! ```sh
//! cargo run --features axum,yaml --example axum_ab
//! ```

#![allow(clippy::print_stdout)]

use axum::{Json, Router, body::Body, routing::post};
use http::Request;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tower::ServiceExt;
use tower_spearmint::{
    BoxError, ConfigPool, LogLayer, Recorder,
    http::{RoundRobinLayer, Variant},
    record::MemoryBackend,
};

#[derive(Deserialize)]
struct RankerConfig {
    boost: f64,
}

#[derive(Deserialize)]
struct Query {
    words: Vec<String>,
}

#[derive(Serialize)]
struct Ranking {
    scores: Vec<f64>,
}

/// A handler that knows nothing of the experiment but its config.
async fn rank(Variant(ranker): Variant<RankerConfig>, Json(query): Json<Query>) -> Json<Ranking> {
    let scores = query.words.iter().map(|word| word.len() as f64 * ranker.boost).collect();
    Json(Ranking { scores })
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let pool = ConfigPool::from_yaml_str(
        "
        - { config_id: stable, boost: 1.0 }
        - { config_id: candidate, boost: 1.5 }
        ",
    )?;
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);

    let app: Router = Router::new().route("/rank", post(rank)).layer(
        tower::ServiceBuilder::new()
            .layer(
                RoundRobinLayer::new(pool)
                    .experiment("ranker")
                    .weighted([("stable", 3.0), ("candidate", 1.0)])?
                    // A user keeps the variant they got.
                    .sticky("ranker-2026", |request: &Request<Body>| {
                        Some(request.headers().get("x-user")?.to_str().ok()?.to_owned())
                    }),
            )
            .layer(LogLayer::new(recorder.clone())),
    );

    for user in 0..20 {
        let request = Request::post("/rank")
            .header("content-type", "application/json")
            .header("x-user", format!("user-{user}"))
            .body(Body::from(r#"{ "words": ["tower", "spearmint"] }"#))?;
        let response = app.clone().oneshot(request).await?;
        let body = axum::body::to_bytes(response.into_body(), 1 << 16).await?;
        println!("user-{user}: {}", String::from_utf8_lossy(&body));
    }

    recorder.drain(Duration::from_secs(5)).await?;
    println!("\nrecorded:");
    for branch in memory.branches() {
        println!("  {} {} {} ns", branch.config_id, branch.status, branch.duration_ns);
    }
    Ok(())
}
