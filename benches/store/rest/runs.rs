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

/// What came of it: how long each run took from its first call to its last answer. Those of which a call
/// failed do not count as runs.
pub(crate) struct Outcome {
    pub(crate) took: Duration,
    pub(crate) runs: Vec<Duration>,
    pub(crate) failed: u64,
}

impl Load {
    /// # Errors
    ///
    /// When there is no experiment to be made, and when a client failed ten times in a row.
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
        let (mut runs, mut failed) = (Vec::new(), 0);
        for client in clients.collect::<Vec<_>>() {
            let (took, of_client) = client.await??;
            runs.extend(took);
            failed += of_client;
        }
        runs.sort_unstable();
        Ok(Outcome { took: started.elapsed(), runs, failed })
    }
}

async fn caller(
    mut client: Client,
    experiment: String,
    number: usize,
    until: Instant,
) -> Result<(Vec<Duration>, u64), Error> {
    let (mut took, mut failed, mut in_a_row) = (Vec::new(), 0, 0);
    for run in 0_u64.. {
        let started = Instant::now();
        if started >= until {
            break;
        }
        match one(&mut client, &experiment, &format!("candidate primary {number}-{run}")).await {
            Ok(()) => {
                took.push(started.elapsed());
                in_a_row = 0;
            }
            Err(error) if in_a_row >= 10 => return Err(error),
            Err(_) => {
                failed += 1;
                in_a_row += 1;
            }
        }
    }
    Ok((took, failed))
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
