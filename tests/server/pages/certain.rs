//! How far what pages say can be trusted.

use super::{PATIENCE, page, record, store};
use crate::support::Server;
use serde_json::json;
use tempfile::{TempDir, tempdir};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::Role,
    record::{LoggerBackend, Loss, LossReason},
    report::{Plan, Report, Verdict},
    service_fn,
};

#[tokio::test]
async fn what_was_not_recorded_of_an_experiment_stands_on_its_page() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 12, "x").await;
    let store = store(&directory);
    let report = Report::read(&store, &Plan::new()).unwrap().remove(0);
    let id = report.baseline.config_id.clone();
    let strategy = report.strategy.clone();
    let loss = Loss::new("ranker", strategy, id, Role::Primary, LossReason::QueueFull, 3);
    store.log_losses(&[loss]).await.unwrap();
    let server = Server::start(&directory).await;
    let experiment = page(&server, "/experiments/ranker").await;
    for part in ["<div id=\"missing-0\"><h3>Not recorded: too many</h3>", "<td>queue_full 3</td>"] {
        assert!(experiment.contains(part), "{part}: {experiment}");
    }
    server.stop().await;
}

/// One request to each of two configs, of which one always fails.
async fn fail(directory: &TempDir) {
    let (recorder, recording) = Recorder::pair(store(directory));
    tokio::spawn(recording);
    let configs = ["stable", "new"].map(|id| json!({ "config_id": id }));
    let service =
        service_fn(
            async |trial: Trial<()>| {
                if trial.config().id().as_str() == "new" { Err("no") } else { Ok(()) }
            },
        );
    let mut service = RoundRobinLayer::new(ConfigPool::from_values(configs).unwrap())
        .experiment("barely")
        .layer(LogLayer::new(recorder.clone()).layer(service));
    for _ in 0..2 {
        let _ = service.ready().await.unwrap().call(()).await;
    }
    recorder.drain(PATIENCE).await.unwrap();
}

/// Until a report says which to keep.
async fn fail_until_barely_decided(directory: &TempDir) {
    let plan = Plan::new().experiment("barely").baseline("stable");
    for _ in 0..500 {
        fail(directory).await;
        let report = Report::read(&store(directory), &plan).unwrap().remove(0);
        if report.candidates[0].verdict == Verdict::Keep {
            return;
        }
    }
    panic!("what always fails is not found out");
}

#[tokio::test]
async fn of_many_experiments_the_list_says_which_verdict_is_not_sure_enough_among_them() {
    const NOT_SURE: &str = "Not sure enough to be taken out of so many experiments";
    let directory = tempdir().unwrap();
    fail_until_barely_decided(&directory).await;
    let server = Server::start(&directory).await;
    let alone = page(&server, "/").await;
    assert!(alone.contains("<strong>keep</strong>") && !alone.contains(NOT_SURE), "{alone}");
    for n in 0..9 {
        record(&directory, &format!("other-{n}"), 4, "x").await;
    }
    let among = page(&server, "/").await;
    assert_eq!(among.matches(NOT_SURE).count(), 1, "{among}");
    server.stop().await;
}
