//! The ids of experiments, by name.

use super::{
    MlflowError,
    client::{Call, Client},
    retry::{Patience, Retry},
};
use crate::as_run::limits;
use serde_json::{Value, json};
use std::collections::HashMap;
use tokio::sync::Mutex;

/// The longest name of one.
const MAX_NAME: usize = 500;
/// More experiments than one process has; beyond it, ids are asked for again.
const MAX_CACHED: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Experiments {
    /// Held while asking, so that a name is asked for once.
    ids: Mutex<HashMap<String, String>>,
}

impl Experiments {
    /// The id of the experiment, which is created if there is none of this name.
    pub(super) async fn id(
        &self,
        client: &Client,
        patience: &Patience,
        name: &str,
    ) -> Result<String, MlflowError> {
        let name = match limits::cut(name, MAX_NAME) {
            name if name.trim().is_empty() => "default".to_owned(),
            name => name.into_owned(),
        };
        let mut ids = self.ids.lock().await;
        if let Some(id) = ids.get(&name) {
            return Ok(id.clone());
        }
        let mut retry = Retry::new(patience);
        let id = loop {
            retry.check(|| "/api/2.0/mlflow/experiments/get-by-name".to_owned())?;
            match find_or_create(client, &name).await {
                Ok(id) => break id,
                // Somebody else created it just now: this time it is found.
                Err(error) if error.has_code("RESOURCE_ALREADY_EXISTS") => {
                    break find(client, &name).await?.ok_or(error)?;
                }
                Err(error) => retry.pause_after(error).await?,
            }
        };
        if ids.len() == MAX_CACHED {
            ids.clear();
        }
        ids.insert(name, id.clone());
        Ok(id)
    }

    /// The server no longer knows this id.
    pub(super) async fn forget(&self, id: &str) {
        self.ids.lock().await.retain(|_, known| known != id);
    }
}

async fn find_or_create(client: &Client, name: &str) -> Result<String, MlflowError> {
    if let Some(id) = find(client, name).await? {
        return Ok(id);
    }
    let call = Call::post("experiments/create", &json!({ "name": name }));
    text(&client.send(&call).await?, "experiment_id")
        .ok_or_else(|| MlflowError::Unexpected { path: call.path(), missing: "experiment_id" })
}

async fn find(client: &Client, name: &str) -> Result<Option<String>, MlflowError> {
    let call = Call::get("experiments/get-by-name", "experiment_name", name);
    let answer = match client.send(&call).await {
        Ok(answer) => answer,
        Err(error) if error.has_code("RESOURCE_DOES_NOT_EXIST") => return Ok(None),
        Err(error) => return Err(error),
    };
    let experiment = &answer["experiment"];
    if experiment["lifecycle_stage"] == "deleted" {
        return Err(MlflowError::ExperimentDeleted { name: name.to_owned() });
    }
    text(experiment, "experiment_id")
        .map(Some)
        .ok_or_else(|| MlflowError::Unexpected { path: call.path(), missing: "experiment_id" })
}

fn text(value: &Value, field: &str) -> Option<String> {
    Some(value[field].as_str()?.to_owned())
}
