//! Behind a real strategy, logging layer and recorder.

use super::support::{Dir, pool};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::{FailureKind, Status},
    service_fn,
    store::{Filter, SqliteStore},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_holds_as_many_as_were_sent() {
    const TASKS: u64 = 8;
    const EACH: u64 = 3_000;
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    let (recorder, recording) = Recorder::pair(store.clone());
    let recording = tokio::spawn(recording);
    let log = LogLayer::new(recorder.clone()).capture(|n: &u64| Some(json!({ "n": n })));
    let service = RoundRobinLayer::new(pool()).experiment("load").layer(log.layer(service_fn(
        |trial: Trial<u64>| async move {
            tokio::task::yield_now().await;
            let n = *trial.request();
            if n % 10 == 9 { Err(format!("{n} is refused")) } else { Ok(n) }
        },
    )));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let mut service = service.clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    let answer = service.ready().await.unwrap().call(task * EACH + n).await;
                    assert_eq!(answer.is_err(), n % 10 == 9);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    recorder.drain(Duration::from_secs(60)).await.unwrap();
    let stats = recorder.stats();
    assert_eq!((stats.dropped, stats.lost, stats.written), (0, 0, TASKS * EACH));

    let summary = store.summary(&Filter::new()).unwrap();
    let total = |count: fn(&tower_spearmint::store::ConfigSummary) -> u64| -> u64 {
        summary.iter().map(count).sum()
    };
    assert_eq!(summary.len(), 3);
    assert!(summary.iter().all(|config| config.requests == TASKS * EACH / 3));
    assert_eq!(total(|config| config.success), TASKS * EACH * 9 / 10);
    assert_eq!(total(|config| config.failed), TASKS * EACH / 10);
    assert_eq!(total(|config| config.failures[&FailureKind::Error]), TASKS * EACH / 10);

    // Each number once, as output or in a failure's message.
    let mut numbers: Vec<u64> = store
        .branches(&Filter::new())
        .unwrap()
        .map(|row| {
            let row = row.unwrap();
            assert_eq!(row.request_id, row.id);
            match (row.status, row.output, row.failure) {
                (Status::Success, Some(output), None) => output["n"].as_u64().unwrap(),
                (Status::Failed, None, Some(failure)) => {
                    failure.message.split(' ').next().unwrap().parse().unwrap()
                }
                other => panic!("{other:?}"),
            }
        })
        .collect();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..TASKS * EACH));

    // Nobody is left to record: the task ends, and with it the store's last user.
    drop((recorder, log, service));
    recording.await.unwrap();
    let file = Arc::new(store.path().to_owned());
    drop(store);
    assert!(!file.with_extension("db-wal").exists());
}
