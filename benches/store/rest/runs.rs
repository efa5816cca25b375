//! One run for each branch, as a recorder sends them to an MLflow server: created, logged in one
//! batch, ended.

use crate::client::{Client, Error};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) keeps: bool,
    pub(crate) clients: usize,
    pub(crate) length: Duration,
}

/// What came of it: how long each run took from its first call to its last answer.
pub(crate) struct Outcome {
    pub(crate) took: Duration,
    pub(crate) runs: Vec<Duration>,
}

impl Load {
    /// # Errors
    ///
    /// When any call is answered with an error: a server that refuses some is not measured.
    pub(crate) async fn run(&self) -> Result<Outcome, Error> {
        let name = format!("bench-{}-{}", now_ms(), self.clients);
        let mut first = Client::new(self.address, self.keeps);
        let created = first.post("experiments/create", &json!({ "name": name })).await?;
        let experiment = text(&created["experiment_id"])?;
        let started = Instant::now();
        let until = started + self.length;
        let clients = (0..self.clients).map(|number| {
            let client = Client::new(self.address, self.keeps);
            tokio::spawn(caller(client, experiment.clone(), number, until))
        });
        let mut runs = Vec::new();
        for client in clients.collect::<Vec<_>>() {
            runs.extend(client.await??);
        }
        runs.sort_unstable();
        Ok(Outcome { took: started.elapsed(), runs })
    }
}

async fn caller(
    mut client: Client,
    experiment: String,
    number: usize,
    until: Instant,
) -> Result<Vec<Duration>, Error> {
    let mut took = Vec::new();
    for run in 0_u64.. {
        let started = Instant::now();
        if started >= until {
            break;
        }
        one(&mut client, &experiment, &format!("candidate primary {number}-{run}")).await?;
        took.push(started.elapsed());
    }
    Ok(took)
}

async fn one(client: &mut Client, experiment: &str, name: &str) -> Result<(), Error> {
    let now = now_ms();
    let create = json!({
        "experiment_id": experiment,
        "run_name": name,
        "start_time": now,
        "tags": [
            pair("mlflow.source.name", "tower-spearmint"),
            pair("spearmint.config_id", "candidate"),
            pair("spearmint.experiment", "ranker"),
            pair("spearmint.role", "primary"),
            pair("spearmint.status", "success"),
            pair("spearmint.strategy", "shadow"),
        ],
    });
    let created = client.post("runs/create", &create).await?;
    let id = text(&created["run"]["info"]["run_id"])?;
    let metric =
        |key, value: f64| json!({ "key": key, "value": value, "timestamp": now, "step": 0 });
    let batch = json!({
        "run_id": id,
        "metrics": [
            metric("duration_ms", 12.5),
            metric("first_byte_ms", 11.25),
            metric("bytes_out", 1_024.0),
        ],
        "params": [
            pair("llm.model", "small-v2"),
            pair("llm.temperature", "0.7"),
            pair("llm.max_tokens", "512"),
            pair("retrieval.k", "20"),
        ],
        "tags": [],
    });
    client.post("runs/log-batch", &batch).await?;
    let update = json!({ "run_id": id, "status": "FINISHED", "end_time": now + 12 });
    client.post("runs/update", &update).await?;
    Ok(())
}

fn pair(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": value })
}

fn text(value: &Value) -> Result<String, Error> {
    value.as_str().map(str::to_owned).ok_or_else(|| "an answer without an id".into())
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
