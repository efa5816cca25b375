//! What the tests share: one server, and a service whose branches go to it.

use crate::server::Server;
use serde_json::Value;
use std::{path::Path, sync::LazyLock, time::Duration};
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::{Failure, FailureKind},
    record::{LoggerBackend, RecorderStats},
    service_fn,
};

/// One server for the tests that leave it alone; each uses an experiment of its own.
pub(crate) fn shared() -> &'static Server {
    static SHARED: LazyLock<Server> = LazyLock::new(Server::start);
    &SHARED
}

/// What happens to a request: the response of that text, or a failure.
pub(crate) type Fate = Result<&'static str, FailureKind>;

/// Sends `fates` through a round robin over `pool` with a logging layer, recording to `backend`,
/// and waits until all is written or lost.
pub(crate) async fn serve(
    experiment: &str,
    pool: ConfigPool,
    backend: impl LoggerBackend,
    fates: &[Fate],
) -> RecorderStats {
    let (recorder, recording) = Recorder::pair(backend);
    tokio::spawn(recording);
    let logged = LogLayer::new(recorder.clone())
        .capture(|answer: &&'static str| Some(serde_json::from_str(answer).unwrap()))
        .layer(service_fn(|trial: Trial<Fate>| async move {
            (*trial.request()).map_err(|kind| {
                Failure::new(kind, "the model is gone")
                    .with_type("ModelError")
                    .with_trace("the model is gone\ncaused by: GPU 3 fell out")
            })
        }));
    let mut service = RoundRobinLayer::new(pool).experiment(experiment).layer(logged);
    for fate in fates {
        assert_eq!(service.call(*fate).await.is_ok(), fate.is_ok());
    }
    recorder.drain(Duration::from_secs(120)).await.unwrap();
    recorder.stats()
}

/// Every run of an experiment, by MLflow's own client, oldest first.
pub(crate) fn read_back(server: &Server, experiment: &str) -> Vec<Value> {
    let script = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mlflow/read_back.py"));
    let text = server.python(script, &[experiment]);
    let mut runs: Vec<Value> = serde_json::from_str(&text).expect("JSON from Python");
    runs.sort_by_key(|run| run["tags"]["spearmint.branch_id"].to_string());
    runs
}
