//! A shadow in an axum service: the stable config answers, the candidate runs in the background
//! on the same requests, and nothing it does reaches the caller.
//!
//! ```sh
//! cargo run --features axum,compare,store,yaml --example axum_shadow
//! ```

#![allow(clippy::print_stdout)]

use axum::{Json, Router, body::Body, routing::post};
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use std::time::{Duration, Instant};
use tower::ServiceExt;
use tower_spearmint::{
    BoxError, ConfigPool, LogLayer, Recorder,
    http::{CompareRules, ShadowLayer, Variant},
    store::{Filter, SqliteStore},
};

#[derive(Deserialize)]
struct Ranker {
    model: String,
    delay_ms: u64,
}

async fn rank(
    Variant(ranker): Variant<Ranker>,
    Json(query): Json<String>,
) -> Result<String, StatusCode> {
    tokio::time::sleep(Duration::from_millis(ranker.delay_ms)).await;
    // The new model has a bug. Only the records will know.
    if ranker.model == "v2" && query.len() > 8 {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Ok(format!("{query} by {}", ranker.model))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let pool = ConfigPool::from_yaml_str(
        "
        - { config_id: stable, model: v1, delay_ms: 1 }
        - { config_id: candidate, model: v2, delay_ms: 40 }
        ",
    )?;
    let directory = tempfile::tempdir()?;
    let store = SqliteStore::open(directory.path().join("spearmint.db"))?;
    let (recorder, recording) = Recorder::pair(store.clone());
    tokio::spawn(recording);

    let shadow = ShadowLayer::new(pool.primary("stable")?)
        .experiment("ranker")
        // This handler changes nothing, so it may run twice for a POST.
        .methods([Method::POST])
        .timeout(Duration::from_secs(2))
        .compare(CompareRules::default());
    let app: Router = Router::new().route("/rank", post(rank)).layer(
        tower::ServiceBuilder::new().layer(shadow.clone()).layer(LogLayer::new(recorder.clone())),
    );

    for query in ["short", "a longer one", "tower"] {
        let request = Request::post("/rank")
            .header("content-type", "application/json")
            .body(Body::from(serde_json::to_string(query)?))?;
        let began = Instant::now();
        let response = app.clone().oneshot(request).await?;
        let body = axum::body::to_bytes(response.into_body(), 1 << 16).await?;
        println!("{} in {:?}", String::from_utf8_lossy(&body), began.elapsed());
    }

    // At the end of a process: first the shadows, then the records.
    shadow.drain(Duration::from_secs(5)).await;
    recorder.drain(Duration::from_secs(5)).await?;
    println!("\nrecorded:");
    for row in store.branches(&Filter::new())? {
        let row = row?;
        let why = row.failure.map(|failure| failure.to_string()).unwrap_or_default();
        println!(
            "  {:9} {:7} {:7} {:>9} ns {why}",
            row.config_id.as_str(),
            row.role,
            row.status,
            row.duration_ns
        );
    }
    for comparison in shadow.comparisons() {
        for difference in comparison.differences.list() {
            println!(
                "{} differs at {}: {:?}, {:?}",
                comparison.config_id, difference.path, difference.primary, difference.shadow
            );
        }
    }
    for stats in shadow.stats() {
        println!(
            "shadow {}: {} dispatched, {} skipped, {} compared, {} different",
            stats.config_id, stats.dispatched, stats.skipped, stats.compared, stats.different
        );
    }
    Ok(())
}
