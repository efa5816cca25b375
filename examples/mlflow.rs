//! Two variants take turns, and every call is a run in MLflow.
//!
//! ```text
//! cargo run --release --features mlflow --example mlflow -- http://127.0.0.1:5000
//! ```
//!
//! The address may also come from `MLFLOW_TRACKING_URI`; experiment and credentials come from
//! the other variables that MLflow's own client reads. Without an address the branches are kept
//! in memory. `--runs 500 --concurrency 1` measures how many runs a second the server takes.
#![allow(clippy::print_stdout, reason = "an example shows what it did")]

use serde_json::json;
use std::{env, error::Error, time::Duration, time::Instant};
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    mlflow::MlflowBackend,
    record::{MemoryBackend, RecorderStats},
    service_fn,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse()?;
    let memory = MemoryBackend::new();
    let (recorder, recording) = match &options.uri {
        Some(uri) => {
            let mlflow = MlflowBackend::new(uri)?.with_env().max_concurrency(options.concurrency);
            println!("recording to {mlflow:?}");
            // Memory beside it, to show below what was sent.
            Recorder::pair((memory.clone(), mlflow))
        }
        None => {
            println!("No MLflow address, so the branches are kept in memory. For MLflow:");
            println!(
                "  pip install mlflow && mlflow server --port 5000   # then give http://127.0.0.1:5000"
            );
            Recorder::pair(memory.clone())
        }
    };
    tokio::spawn(recording);

    let start = Instant::now();
    call_service(&recorder, options.runs).await?;
    // Time enough for the slowest server; what is not written by then is counted below.
    recorder.drain(Duration::from_secs(600)).await?;
    show(&memory.branches(), recorder.stats(), start.elapsed());
    Ok(())
}

/// The part that a program of your own would have: a service, wrapped in two layers.
async fn call_service(recorder: &Recorder, runs: usize) -> Result<(), Box<dyn Error>> {
    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable", "greeting": { "word": "Hello", "mark": "." } }),
        json!({ "config_id": "candidate", "greeting": { "word": "Hi", "mark": "!" } }),
    ])?;
    let greet = service_fn(|trial: Trial<String>| async move {
        let name = trial.request();
        if trial.config().id().as_str() == "candidate" && name.ends_with('7') {
            return Err(format!("{name} does not like to be greeted so"));
        }
        let word: String = trial.config().get("greeting.word").map_err(|e| e.to_string())?;
        let mark: String = trial.config().get("greeting.mark").map_err(|e| e.to_string())?;
        Ok(format!("{word}, {name}{mark}"))
    });
    let logged = LogLayer::new(recorder.clone())
        .capture(|answer: &String| Some(json!({ "text": answer, "length": answer.len() })))
        .layer(greet);
    let mut service = RoundRobinLayer::new(pool).experiment("greeting").layer(logged);

    for n in 0..runs {
        if let Err(error) = service.call(format!("guest {n}")).await {
            println!("failed, as candidates do: {error}");
        }
    }
    Ok(())
}

fn show(branches: &[Branch], stats: RecorderStats, took: Duration) {
    for branch in branches.iter().take(8) {
        let Branch { config_id, status, duration_ns, .. } = branch;
        println!("{} {config_id:9} {status:9} {duration_ns:>7} ns", branch.id);
    }
    println!(
        "{} branches recorded, {} lost, {} dropped, in {:.2} s: {:.1} a second",
        stats.written,
        stats.lost,
        stats.dropped,
        took.as_secs_f64(),
        stats.written as f64 / took.as_secs_f64(),
    );
}

struct Options {
    uri: Option<String>,
    runs: usize,
    concurrency: usize,
}

impl Options {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            uri: env::var("MLFLOW_TRACKING_URI").ok().filter(|uri| !uri.is_empty()),
            runs: 20,
            concurrency: MlflowBackend::MAX_CONCURRENCY,
        };
        let mut words = env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = || words.next().unwrap_or_default().parse::<usize>();
            match word.as_str() {
                "--runs" => options.runs = number()?,
                "--concurrency" => options.concurrency = number()?,
                _ => options.uri = Some(word),
            }
        }
        Ok(options)
    }
}
