//! Comparisons recorded beside the branches.

use crate::support::pool;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use tower::{Layer, Service};
use tower_spearmint::{
    Branch, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::Failure,
    compare::{Comparison, DifferenceKind, Differences},
    record::{BatchError, LoggerBackend, MemoryBackend, RunId, TracingBackend},
    service_fn,
};

const SECOND: Duration = Duration::from_secs(1);

/// Two branches with their configs, as a strategy makes them.
async fn branches() -> [Branch; 2] {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let answer = service_fn(|_: Trial<()>| async { Ok::<_, String>(()) });
    let log = LogLayer::new(recorder.clone());
    let mut service = RoundRobinLayer::new(pool(&["a", "b"])).layer(log.layer(answer));
    for _ in 0..2 {
        service.call(()).await.unwrap();
    }
    recorder.drain(SECOND).await.unwrap();
    memory.take().try_into().unwrap()
}

async fn comparison(differences: Differences) -> Comparison {
    let [primary, other] = branches().await;
    Comparison::new(&primary, &other, differences)
}

fn different(sample: &str) -> Differences {
    let mut differences = Differences::default();
    for n in 0..32 {
        let (primary, shadow) = (Some(sample), Some(sample));
        differences.push(format!("/{n}"), DifferenceKind::Changed, primary, shadow);
    }
    differences
}

/// Keeps comparisons when it may, and branches always.
struct Held {
    memory: MemoryBackend,
    permits: Arc<Semaphore>,
    fails: bool,
}

impl LoggerBackend for Held {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, tower::BoxError> {
        self.memory.start_run(branch).await
    }
    async fn log_status(&self, run: &RunId, branch: &Branch) -> Result<(), tower::BoxError> {
        self.memory.log_status(run, branch).await
    }
    async fn log_exception(&self, _: &RunId, _: &Failure) -> Result<(), tower::BoxError> {
        Ok(())
    }
    async fn log_params(&self, _: &RunId, _: &serde_json::Value) -> Result<(), tower::BoxError> {
        Ok(())
    }
    async fn log_comparisons(&self, batch: &[Comparison]) -> Result<(), BatchError> {
        self.permits.acquire().await.unwrap().forget();
        if self.fails {
            return Err(BatchError { lost: batch.len(), source: "no".into() });
        }
        self.memory.log_comparisons(batch).await
    }
}

fn held(fails: bool) -> (Held, MemoryBackend, Arc<Semaphore>) {
    let (memory, permits) = (MemoryBackend::new(), Arc::new(Semaphore::new(0)));
    (Held { memory: memory.clone(), permits: permits.clone(), fails }, memory, permits)
}

#[tokio::test(start_paused = true)]
async fn a_comparison_reaches_both_backends_of_a_pair_and_is_counted_beside_the_branches() {
    let (one, other) = (MemoryBackend::new(), MemoryBackend::new());
    let (behind, recording) = Recorder::pair(other.clone());
    tokio::spawn(recording);
    let (recorder, recording) =
        Recorder::pair((one.clone(), (TracingBackend::new(), behind.clone())));
    tokio::spawn(recording);
    let batch = [comparison(Differences::default()).await, comparison(different("sample")).await];
    recorder.log_comparisons(&batch).await.unwrap();
    recorder.drain(SECOND).await.unwrap();
    behind.drain(SECOND).await.unwrap();
    for memory in [one, other] {
        let kept = memory.comparisons();
        assert_eq!((kept.len(), kept[0].is_equal(), kept[1].is_equal()), (2, true, false));
        assert_eq!(kept[1].differences, batch[1].differences);
        assert_eq!((kept[0].branch, kept[0].config_id.as_str()), (batch[0].branch, "b"));
    }
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.written), (0, 0));
    assert_eq!((stats.comparisons.accepted, stats.comparisons.written), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn comparisons_that_find_no_room_are_dropped_and_counted_and_leave_branches_theirs() {
    let (backend, memory, permits) = held(false);
    let (recorder, recording) = Recorder::with_capacity(backend, 4);
    let one = comparison(Differences::default()).await;
    let batch = vec![one; 6];
    assert_eq!(recorder.log_comparisons(&batch).await.unwrap_err().lost, 2);
    recorder.log_batch(&branches().await).await.unwrap();
    tokio::spawn(recording);
    let error = recorder.drain(SECOND).await.unwrap_err();
    assert_eq!((error.waiting, error.comparisons), (0, 4));
    permits.add_permits(1);
    recorder.drain(SECOND).await.unwrap();
    let stats = recorder.stats();
    assert_eq!((stats.written, stats.dropped), (2, 0));
    assert_eq!((stats.comparisons.written, stats.comparisons.dropped), (4, 2));
    assert_eq!((memory.branches().len(), memory.comparisons().len()), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn what_waiting_comparisons_hold_is_bounded_in_bytes_and_the_room_comes_back() {
    let (backend, _, permits) = held(false);
    let (recorder, recording) = Recorder::pair(backend);
    tokio::spawn(recording);
    // Each holds more than 16 KiB, so that 16 MiB hold fewer than 1,024.
    let batch = vec![comparison(different(&"s".repeat(256))).await; 2_048];
    let lost = recorder.log_comparisons(&batch).await.unwrap_err().lost;
    assert!(lost > 1_024, "{lost} of 2048");
    let equal = comparison(Differences::default()).await;
    recorder.log_comparisons(&[equal]).await.unwrap();
    permits.add_permits(100);
    recorder.drain(SECOND).await.unwrap();
    recorder.log_comparisons(&batch[..800]).await.unwrap();
    recorder.drain(SECOND).await.unwrap();
    let stats = recorder.stats().comparisons;
    assert_eq!((stats.written, stats.dropped), ((2_049 - lost + 800) as u64, lost as u64));
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_fails_to_keep_comparisons_keeps_the_branches() {
    let (backend, memory, permits) = held(true);
    permits.add_permits(1);
    let (recorder, recording) = Recorder::pair(backend);
    let task = tokio::spawn(recording);
    recorder.log_batch(&branches().await).await.unwrap();
    let one = comparison(Differences::default()).await;
    recorder.log_comparisons(&[one.clone(), one.clone()]).await.unwrap();
    recorder.drain(SECOND).await.unwrap();
    // And those it is busy with when it is stopped are lost.
    recorder.log_comparisons(&[one]).await.unwrap();
    recorder.drain(SECOND).await.unwrap_err();
    task.abort();
    let _ = task.await;
    let stats = recorder.stats();
    assert_eq!((stats.written, stats.lost, memory.branches().len()), (2, 0, 2));
    assert_eq!((stats.comparisons.lost, stats.comparisons.waiting()), (3, 0));
}
