//! What was not recorded is known to the store.

use super::support::{Dir, assert_whole, block_on, branches, pool, write};
use rusqlite::Connection;
use std::time::Duration;
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::Role,
    record::{LoggerBackend, Loss, LossReason},
    service_fn,
    store::{RollupFilter, SqliteStore, StoreOptions},
};

/// By config, with the reason.
fn losses(store: &SqliteStore) -> Vec<(String, LossReason, u64)> {
    let found = store.losses(&RollupFilter::new()).unwrap();
    assert!(
        found.iter().all(|loss| loss.role == Role::Primary && &*loss.strategy == "round_robin")
    );
    found.into_iter().map(|loss| (loss.config_id.to_string(), loss.reason, loss.branches)).collect()
}

fn lost(config: &str, reason: LossReason, branches: u64) -> (String, LossReason, u64) {
    (config.to_owned(), reason, branches)
}

#[test]
fn what_the_queue_had_no_room_for_is_told_arm_by_arm_before_a_drain_ends() {
    let dir = Dir::new();
    let store = SqliteStore::open(dir.file("s.db")).unwrap();
    block_on(async {
        let (recorder, recording) = Recorder::with_capacity(store.clone(), 4);
        let service = service_fn(|_: Trial<()>| async { Ok::<_, String>(()) });
        let log = LogLayer::new(recorder.clone());
        let mut service = RoundRobinLayer::new(pool()).experiment("full").layer(log.layer(service));
        // Nobody takes anything out yet.
        for _ in 0..12 {
            service.ready().await.unwrap().call(()).await.unwrap();
        }
        assert_eq!(recorder.stats().dropped, 8);
        let recording = tokio::spawn(recording);
        recorder.drain(Duration::from_secs(30)).await.unwrap();
        let full = LossReason::QueueFull;
        assert_eq!(
            losses(&store),
            [lost("candidate", full, 3), lost("stable", full, 2), lost("stage", full, 3)]
        );
        drop((service, log, recorder));
        recording.await.unwrap();
    });
    assert_eq!(store.counts().unwrap().branches, 4);
    let other = RollupFilter::new().experiment("other");
    assert!(store.losses(&other).unwrap().is_empty());
    let stable = RollupFilter::new().experiment("full").config("stable");
    assert_eq!(store.losses(&stable).unwrap()[0].branches, 2);
    assert_whole(&store);
}

#[test]
fn a_batch_that_could_not_be_written_is_noted_with_the_next_that_can() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = StoreOptions::new().busy_timeout(Duration::from_millis(1)).open(&file).unwrap();
    let before = store.snapshot().unwrap();
    let all = branches("busy", 12);
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    write(&store, &all[..3]).unwrap_err();
    write(&store, &all[3..6]).unwrap_err();
    // Nor can it be told now.
    let more = Loss::new(
        "busy",
        "round_robin",
        all[0].config_id.clone(),
        Role::Primary,
        LossReason::QueueFull,
        5,
    );
    block_on(store.log_losses(&[more])).unwrap_err();
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(losses(&store), []);
    write(&store, &all[6..]).unwrap();
    let not_written = LossReason::NotWritten;
    let expected = ["candidate", "stable", "stage"].map(|config| lost(config, not_written, 2));
    assert_eq!(losses(&store), expected);
    write(&store, &all[6..]).unwrap();
    assert_eq!(losses(&store), expected);
    assert!(store.snapshot().unwrap().sequence() > before.sequence());
}

#[test]
fn a_recorder_tells_again_what_its_backend_could_not_note() {
    let dir = Dir::new();
    let file = dir.file("s.db");
    let store = StoreOptions::new().busy_timeout(Duration::from_millis(1)).open(&file).unwrap();
    let all = branches("busy", 12);
    block_on(async {
        let (recorder, recording) = Recorder::with_capacity(store.clone(), 6);
        assert_eq!(recorder.log_batch(&all).await.unwrap_err().lost, 6);
        let other = Connection::open(&file).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let recording = tokio::spawn(recording);
        recorder.drain(Duration::from_secs(30)).await.unwrap();
        other.execute_batch("COMMIT").unwrap();
        // At the end at the latest.
        drop(recorder);
        recording.await.unwrap();
    });
    let (full, not_written) = (LossReason::QueueFull, LossReason::NotWritten);
    let mut expected = Vec::new();
    for config in ["candidate", "stable", "stage"] {
        expected.extend([lost(config, not_written, 2), lost(config, full, 2)]);
    }
    assert_eq!(losses(&store), expected);
}
