//! A judge in the background: how much of a text does each config's summary keep?
//!
//! ```sh
//! cargo run --example evaluate
//! ```

#![allow(clippy::print_stdout)]

use serde_json::{Value, json};
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    BoxError, ConfigPool, LogLayer, Recorder, ShadowLayer, Trial,
    evaluate::{Evaluation, Evaluator, Evaluators, Expected, Length, Similarity, Unit},
    record::MemoryBackend,
    service_fn,
};

/// Judges by asking somebody else, who takes a while: a model, in earnest.
struct Judge;

impl Evaluator for Judge {
    fn name(&self) -> &str {
        "kept"
    }

    async fn evaluate(&self, evaluation: &Evaluation) -> Result<Option<f64>, BoxError> {
        let Some((text, summary)) = evaluation.request().zip(evaluation.response()) else {
            return Ok(None);
        };
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(Some(words(summary).len() as f64 / words(text).len().max(1) as f64))
    }
}

fn words(text: &Value) -> Vec<&str> {
    text.as_str().unwrap_or_default().split_whitespace().collect()
}

/// Words that a summary has from the other.
fn overlap(summary: &Value, other: &Value) -> f64 {
    let (own, other) = (words(summary), words(other));
    own.iter().filter(|word| other.contains(word)).count() as f64 / own.len().max(1) as f64
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable", "words": 4 }),
        json!({ "config_id": "candidate", "words": 6 }),
    ])?;
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);

    let evaluation = Evaluators::new()
        .with(Judge)
        .with(Length::new("words").unit(Unit::Words))
        .with(Similarity::new("overlap", overlap))
        .expected(Expected::Primary)
        .timeout(Duration::from_secs(1))
        .build()?;
    let summarise = service_fn(|trial: Trial<&'static str>| async move {
        trial.place().note_request(json!(trial.request()));
        let most: usize = trial.config().get("words")?;
        Ok::<_, BoxError>(trial.request().split(' ').take(most).collect::<Vec<_>>().join(" "))
    });
    let log = LogLayer::new(recorder.clone())
        .evaluate(evaluation.clone())
        .capture(|summary: &String| Some(json!(summary)));
    let shadow = ShadowLayer::new(pool.primary("stable")?);
    let mut service = shadow.layer(log.layer(summarise));

    let text = "the quick brown fox jumps over the lazy dog";
    println!("{}", service.call(text).await?);

    shadow.drain(Duration::from_secs(5)).await;
    evaluation.drain(Duration::from_secs(5)).await?;
    recorder.drain(Duration::from_secs(5)).await?;
    println!("recorded:");
    for branch in memory.branches() {
        println!("  {} ({}): {:?}", branch.config_id, branch.role, branch.metrics);
    }
    Ok(())
}
