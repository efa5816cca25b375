//! An experiment inside a variant of another: two rankers, each trying two models, both as
//! shadows. One call gives one answer and three more results, each with both config ids.
//!
//! ```sh
//! cargo run --example nested
//! ```

#![allow(clippy::print_stdout)]

use serde_json::json;
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    BoxError, ConfigPool, LogLayer, Recorder, ShadowLayer, Trial, record::MemoryBackend, service_fn,
};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let rankers = ConfigPool::from_values([
        json!({ "config_id": "ranker-a", "boost": 1 }),
        json!({ "config_id": "ranker-b", "boost": 10 }),
    ])?;
    let models = ConfigPool::from_values([
        json!({ "config_id": "model-1", "base": 2 }),
        json!({ "config_id": "model-2", "base": 3 }),
    ])?;
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);

    // The service sees one trial: its own config, and the outer one as its parent.
    let score = service_fn(|trial: Trial<u32>| async move {
        let base: u32 = trial.config().get("base")?;
        let outer = trial.place().parent().ok_or("not nested")?;
        let boost: u32 = outer.config().get("boost")?;
        Ok::<_, BoxError>(trial.request() * base * boost)
    });

    let inner = ShadowLayer::new(models.primary("model-1")?).experiment("model").nested();
    let outer = ShadowLayer::new(rankers.primary("ranker-a")?).experiment("ranker");
    let logged = LogLayer::new(recorder.clone()).capture(|score: &u32| Some(json!(score)));
    let mut service = outer.layer(inner.layer(logged.layer(score)));

    println!("the answer: {}", service.call(7).await?);

    outer.drain(Duration::from_secs(5)).await;
    inner.drain(Duration::from_secs(5)).await;
    recorder.drain(Duration::from_secs(5)).await?;
    println!("\nrecorded:");
    for branch in memory.branches() {
        let outer = branch.parent_config_id.as_ref().map_or("", |id| id.as_str());
        let score = branch.output.unwrap_or_default();
        println!("  {outer} / {} ({}): {score}", branch.config_id, branch.role);
    }
    Ok(())
}
