//! A strategy of one's own, named in a file: a cascade that asks the cheap model first, and the
//! dear one only when the cheap one is not sure. What the cascade would have cost otherwise, and
//! how often each model was needed, can be read from the branches.
//!
//! ```sh
//! cargo run --features yaml --example custom_strategy
//! ```

#![allow(clippy::print_stdout)]

use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    BoxError, Config, ConfigPool, LogLayer, Recorder, Strategy, StrategyLayer, StrategyRegistry,
    Trial,
    branch::Role,
    record::MemoryBackend,
    service_fn,
    strategy::{BoxFuture, Dispatch},
};

#[derive(Debug, Clone)]
struct Answer {
    text: String,
    confidence: f64,
}

/// Asks the configs in order until one is confident enough; the last one has the last word.
struct Cascade {
    confident: f64,
}

impl Strategy<String, Answer> for Cascade {
    fn run(
        &self,
        question: String,
        dispatch: Dispatch<String, Answer>,
    ) -> BoxFuture<Result<Answer, BoxError>> {
        let confident = self.confident;
        Box::pin(async move {
            let last = dispatch.configs().len() - 1;
            for position in 0..last {
                match dispatch.call(position, Role::Branch, question.clone()).await {
                    Ok(answer) if answer.confidence >= confident => {
                        (position + 1..=last)
                            .for_each(|spared| dispatch.skip(spared, Role::Branch));
                        return Ok(answer);
                    }
                    // Not sure, or failed: that is what the next one is for.
                    Ok(_) | Err(_) => {}
                }
            }
            dispatch.call(last, Role::Branch, question).await
        })
    }
}

/// The models: short questions are easy for all, longer ones only for the large one.
async fn ask(trial: Trial<String>) -> Result<Answer, BoxError> {
    let skill: f64 = trial.config().get("skill")?;
    let difficulty = trial.request().len() as f64 / 40.0;
    let confidence = (skill - difficulty).clamp(0.0, 1.0);
    Ok(Answer { text: format!("answer of {}", trial.config().id()), confidence })
}

const FILE: &str = "
strategy: cascade
cascade: { confident: 0.3 }
configs:
  - { config_id: small, skill: 0.8 }
  - { config_id: large, skill: 1.6 }
";

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut registry = StrategyRegistry::new();
    registry.register("cascade", |settings: &Config, pool: &ConfigPool| {
        if pool.len() < 2 {
            return Err("a cascade needs at least two configs".into());
        }
        Ok(Cascade { confident: settings.get_or("confident", 0.5)? })
    })?;

    let document = tower_spearmint::config::yaml::parse(FILE, "cascade.yaml")?.remove(0);
    let pool = ConfigPool::from_values(document.bind::<Vec<serde_json::Value>>("configs")?)?;
    let name: String = document.bind("strategy")?;
    let settings = Config::new(document.bind(&name)?)?;
    let strategy = registry.build(&name, &settings, &pool)?;

    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let logged = LogLayer::new(recorder.clone()).layer(service_fn(ask));
    let mut service = StrategyLayer::new(&name, strategy, pool).experiment("support").layer(logged);

    for question in ["What is mint?", "How do spearmint and peppermint differ in menthol?"] {
        let answer = service.call(question.to_owned()).await?;
        println!("{question} -> {} ({:.2})", answer.text, answer.confidence);
    }
    recorder.drain(Duration::from_secs(5)).await?;
    println!("\nrecorded:");
    for branch in memory.branches() {
        println!(
            "  request {} {:5} {}",
            branch.request_id,
            branch.config_id.as_str(),
            branch.status
        );
    }
    Ok(())
}
