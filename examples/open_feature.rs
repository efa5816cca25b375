//! One experiment, asked in two ways: requests run with its configs, and flags are answered from
//! them. A user gets the same variant either way.
//!
//! ```sh
//! cargo run --features open-feature --example open_feature
//! ```

#![allow(clippy::print_stdout)]

use open_feature::{EvaluationContext, OpenFeature};
use serde_json::json;
use std::time::Duration;
use tower::{Layer, Service};
use tower_spearmint::{
    BoxError, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    open_feature::SpearmintProvider, record::MemoryBackend, service_fn,
};

struct Query {
    user: String,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable", "model": "small-v1", "page": { "columns": 2 } }),
        json!({ "config_id": "candidate", "model": "small-v2", "page": { "columns": 3 } }),
    ])?;
    let layer = RoundRobinLayer::new(pool)
        .experiment("ranker")
        .weighted([("stable", 3.0), ("candidate", 1.0)])?
        .sticky("ranker-2026", |query: &Query| Some(query.user.clone()));

    // Behind the layer: the ranking itself, of which each run is recorded.
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let rank = service_fn(|trial: Trial<Query>| async move {
        let model: String = trial.config().get("model")?;
        Ok::<_, BoxError>(format!("ranked by {model}"))
    });
    let mut service = layer.layer(LogLayer::new(recorder.clone()).layer(rank));

    // Anywhere else in the program: flags.
    let provider = SpearmintProvider::new().experiment(layer.for_flags())?;
    let mut api = OpenFeature::singleton_mut().await;
    api.set_provider(provider).await;
    let flags = api.create_client();
    drop(api);

    for user in 0..8 {
        let user = format!("user-{user}");
        let context = EvaluationContext::default().with_targeting_key(&user);
        let columns = flags.get_int_details("ranker.page.columns", Some(&context), None).await;
        let columns = columns.map_err(|error| error.message.unwrap_or_default())?;
        let ranking = service.call(Query { user: user.clone() }).await?;
        let variant = columns.variant.unwrap_or_default();
        println!("{user}: {ranking}, shown in {} columns ({variant})", columns.value);
    }

    recorder.drain(Duration::from_secs(5)).await?;
    println!("\nrecorded:");
    for branch in memory.branches() {
        println!("  {} {} ({})", branch.config_id, branch.status, branch.reason);
    }
    Ok(())
}
