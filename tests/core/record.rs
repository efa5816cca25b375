//! Every branch recorded, once, without delaying it.

use crate::support::{behaving, echo, end, eventually, poll_once, pool, records};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    thread,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use tower::{BoxError, Layer, Service, retry::Policy};
use tower_spearmint::{
    Branch, Config, LogLayer, Recorder, RoundRobinLayer, SingleLayer, Trial,
    branch::{Failure, Role, Status},
    record::{BatchError, LoggerBackend, Loss, LossReason, MemoryBackend, RunId, TracingBackend},
};

const SECOND: Duration = Duration::from_secs(1);

fn single(
    recorder: &Recorder,
) -> impl Service<(), Response = String, Error = BoxError> + Clone + use<> {
    SingleLayer::new(pool(&["a"])[0].clone()).layer(LogLayer::new(recorder.clone()).layer(echo()))
}

/// Calls without a runtime; the service answers at once.
fn call(service: &mut impl Service<(), Response = String, Error = BoxError>) {
    assert!(matches!(poll_once(service.call(())), Poll::Ready(Ok(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_threads_with_ten_thousand_branches_each_are_recorded_exactly_once() {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::with_capacity(memory.clone(), 100_000);
    tokio::spawn(recording);
    let service = single(&recorder);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let mut service = service.clone();
            thread::spawn(move || (0..10_000).for_each(|_| call(&mut service)))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    recorder.drain(10 * SECOND).await.unwrap();
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.written), (80_000, 80_000));
    assert_eq!((stats.dropped, stats.lost, stats.waiting()), (0, 0, 0));
    let mut ids: Vec<_> = memory.branches().iter().map(|branch| branch.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 80_000);
}

/// Waits for permission before each batch.
struct Held {
    memory: MemoryBackend,
    permits: Arc<Semaphore>,
}

impl LoggerBackend for Held {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        self.memory.start_run(branch).await
    }
    async fn log_status(&self, _: &RunId, _: &Branch) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_exception(&self, _: &RunId, _: &Failure) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_params(&self, _: &RunId, _: &Value) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_batch(&self, batch: &[Branch]) -> Result<(), BatchError> {
        self.permits.acquire().await.unwrap().forget();
        self.memory.log_batch(batch).await
    }
}

#[tokio::test]
async fn a_full_queue_drops_and_counts_and_never_blocks() {
    let memory = MemoryBackend::new();
    let permits = Arc::new(Semaphore::new(0));
    let held = Held { memory: memory.clone(), permits: permits.clone() };
    let (recorder, recording) = Recorder::with_capacity(held, 100);
    let task = tokio::spawn(recording);
    let mut service = single(&recorder);
    let start = Instant::now();
    for _ in 0..1_000 {
        call(&mut service);
    }
    assert!(start.elapsed() < SECOND);
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.dropped, stats.written), (100, 900, 0));
    permits.add_permits(1_000);
    recorder.drain(SECOND).await.unwrap();
    assert_eq!(memory.branches().len(), 100);
    // There is room again.
    call(&mut service);
    recorder.drain(SECOND).await.unwrap();
    assert_eq!(recorder.stats().written, 101);
    drop((service, recorder));
    task.await.unwrap();
}

/// Fails, or panics, while it is told to.
struct Flaky {
    memory: MemoryBackend,
    out: Arc<AtomicBool>,
    panics: bool,
}

impl LoggerBackend for Flaky {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        self.memory.start_run(branch).await
    }
    async fn log_status(&self, _: &RunId, _: &Branch) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_exception(&self, _: &RunId, _: &Failure) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_params(&self, _: &RunId, _: &Value) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_batch(&self, batch: &[Branch]) -> Result<(), BatchError> {
        if self.out.load(SeqCst) {
            assert!(!self.panics, "out of order");
            return Err(BatchError { lost: batch.len(), source: "out of order".into() });
        }
        self.memory.log_batch(batch).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_fails_or_panics_loses_exactly_its_batch_and_recovers() {
    for panics in [false, true] {
        let memory = MemoryBackend::new();
        let out = Arc::new(AtomicBool::new(true));
        let flaky = Flaky { memory: memory.clone(), out: out.clone(), panics };
        let (recorder, recording) = Recorder::pair(flaky);
        tokio::spawn(recording);
        let mut service = single(&recorder);
        (0..7).for_each(|_| call(&mut service));
        recorder.drain(SECOND).await.unwrap();
        assert_eq!((recorder.stats().written, recorder.stats().lost), (0, 7));
        out.store(false, SeqCst);
        (0..5).for_each(|_| call(&mut service));
        recorder.drain(SECOND).await.unwrap();
        assert_eq!((recorder.stats().written, recorder.stats().lost), (5, 7));
        assert_eq!(memory.branches().len(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn drain_gives_up_at_its_deadline_and_says_how_many_wait() {
    let permits = Arc::new(Semaphore::new(0));
    let held = Held { memory: MemoryBackend::new(), permits: permits.clone() };
    let (recorder, recording) = Recorder::pair(held);
    tokio::spawn(recording);
    let mut service = single(&recorder);
    (0..3).for_each(|_| call(&mut service));
    let start = tokio::time::Instant::now();
    let error = recorder.drain(2 * SECOND).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(error.to_string(), "3 branches and 0 comparisons were not written in time");
    permits.add_permits(1);
    recorder.drain(SECOND).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn drain_does_not_wait_for_what_comes_after_it() {
    let records = records();
    let mut service = single(&records.recorder);
    call(&mut service);
    let start = tokio::time::Instant::now();
    records.recorder.drain(SECOND).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO, "a drain does not wait for branches to gather");
    records.recorder.drain(SECOND).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_recording_ends_with_everything_written_when_the_last_recorder_is_gone() {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    let task = tokio::spawn(recording);
    let mut service = single(&recorder);
    (0..10).for_each(|_| call(&mut service));
    drop(recorder);
    tokio::time::sleep(SECOND).await;
    assert!(!task.is_finished(), "the service still has a recorder");
    call(&mut service);
    drop(service);
    task.await.unwrap();
    assert_eq!(memory.branches().len(), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorders_dropped_on_many_threads_at_once_end_the_recording() {
    for _ in 0..500 {
        let memory = MemoryBackend::new();
        let (recorder, recording) = Recorder::pair(memory.clone());
        let task = tokio::spawn(recording);
        let barrier = Arc::new(std::sync::Barrier::new(3));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (recorder, barrier) = (recorder.clone(), barrier.clone());
                thread::spawn(move || {
                    barrier.wait();
                    drop(recorder);
                })
            })
            .collect();
        drop(recorder);
        for thread in threads {
            thread.join().unwrap();
        }
        tokio::time::timeout(10 * SECOND, task).await.expect("the recording ends").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_recording_wakes_for_every_branch_however_they_come() {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let service = single(&recorder);
    for round in 1..=60 {
        let mut service = service.clone();
        tokio::task::spawn_blocking(move || call(&mut service)).await.unwrap();
        eventually("written without a drain", || recorder.stats().written == round).await;
    }
    assert_eq!(memory.branches().len(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_was_dropped_drops_and_counts() {
    let (recorder, recording) = Recorder::pair(MemoryBackend::new());
    let mut service = single(&recorder);
    (0..4).for_each(|_| call(&mut service));
    drop(recording);
    (0..3).for_each(|_| call(&mut service));
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.written, stats.lost, stats.dropped), (4, 0, 4, 3));
    assert_eq!(stats.waiting(), 0);
    let start = tokio::time::Instant::now();
    recorder.drain(SECOND).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_recording_aborted_in_the_middle_of_a_batch_counts_it_as_lost() {
    let held = Held { memory: MemoryBackend::new(), permits: Arc::new(Semaphore::new(0)) };
    let (recorder, recording) = Recorder::pair(held);
    let task = tokio::spawn(recording);
    let mut service = single(&recorder);
    (0..2).for_each(|_| call(&mut service));
    recorder.drain(SECOND).await.unwrap_err();
    (0..3).for_each(|_| call(&mut service));
    task.abort();
    let _ = task.await;
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.lost, stats.waiting()), (5, 5, 0));
}

#[tokio::test(start_paused = true)]
async fn two_backends_get_every_branch_and_one_that_fails_is_counted() {
    let (one, other) = (MemoryBackend::new(), MemoryBackend::new());
    let out = Arc::new(AtomicBool::new(false));
    let flaky = Flaky { memory: other.clone(), out: out.clone(), panics: false };
    let (recorder, recording) = Recorder::pair((one.clone(), flaky));
    tokio::spawn(recording);
    let mut service = single(&recorder);
    call(&mut service);
    recorder.drain(SECOND).await.unwrap();
    out.store(true, SeqCst);
    call(&mut service);
    recorder.drain(SECOND).await.unwrap();
    assert_eq!((one.branches().len(), other.branches().len()), (2, 1));
    assert_eq!((recorder.stats().written, recorder.stats().lost), (1, 1));
}

#[tokio::test]
async fn of_two_backends_losses_are_told_until_one_that_keeps_them_has() {
    let keeps = |is_out| Keeping { is_out, told: Arc::default() };
    let (config, full) = (pool(&["a"])[0].id().clone(), LossReason::QueueFull);
    let losses = [Loss::new("e", "single", config, Role::Primary, full, 3)];
    let (fine, forgets) = (keeps(false), MemoryBackend::new);
    (fine.clone(), keeps(true)).log_losses(&losses).await.unwrap();
    (keeps(true), fine.clone()).log_losses(&losses).await.unwrap();
    ((forgets(), keeps(true)), (None::<Keeping>, fine.clone())).log_losses(&losses).await.unwrap();
    assert_eq!(fine.told.load(SeqCst), 9);
    (keeps(true), keeps(true)).log_losses(&losses).await.unwrap_err();
    // Who forgets them cannot stand in for who keeps them.
    ((keeps(true), forgets()), (None::<Keeping>, forgets())).log_losses(&losses).await.unwrap_err();
    (forgets(), forgets()).log_losses(&losses).await.unwrap();
}

/// Adds up losses, or fails.
#[derive(Clone)]
struct Keeping {
    is_out: bool,
    told: Arc<AtomicU64>,
}

impl LoggerBackend for Keeping {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        MemoryBackend::new().start_run(branch).await
    }
    async fn log_status(&self, _: &RunId, _: &Branch) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_exception(&self, _: &RunId, _: &Failure) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_params(&self, _: &RunId, _: &Value) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_losses(&self, losses: &[Loss]) -> Result<(), BoxError> {
        if self.is_out {
            return Err("out of order".into());
        }
        self.told.fetch_add(losses.iter().map(|loss| loss.branches).sum(), SeqCst);
        Ok(())
    }
    fn keeps_losses(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn the_calls_of_a_pair_of_pairs_reach_each_backend_under_its_own_run() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let named = |name: &'static str| FourCalls { name, calls: calls.clone(), refuse: None };
    let backend = OneByOne(((named("a"), named("b")), named("c")));
    let (recorder, recording) = Recorder::pair(backend);
    tokio::spawn(recording);
    call(&mut single(&recorder));
    recorder.drain(SECOND).await.unwrap();
    let mut calls = calls.lock().unwrap().clone();
    calls.sort();
    let expected = ["a", "b", "c"].map(|name| {
        ["log_params", "log_status", "start_run"].map(|call| format!("{name}: {call} {name}-run"))
    });
    assert_eq!(calls, expected.concat());
}

/// Hides the batch call of another backend.
struct OneByOne<B>(B);

impl<B: LoggerBackend> LoggerBackend for OneByOne<B> {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        self.0.start_run(branch).await
    }
    async fn log_status(&self, run: &RunId, branch: &Branch) -> Result<(), BoxError> {
        self.0.log_status(run, branch).await
    }
    async fn log_exception(&self, run: &RunId, failure: &Failure) -> Result<(), BoxError> {
        self.0.log_exception(run, failure).await
    }
    async fn log_params(&self, run: &RunId, params: &Value) -> Result<(), BoxError> {
        self.0.log_params(run, params).await
    }
}

/// Only the four calls, written down.
struct FourCalls {
    name: &'static str,
    calls: Arc<Mutex<Vec<String>>>,
    refuse: Option<&'static str>,
}

impl FourCalls {
    fn called(&self, call: &str, run: &str) -> Result<(), BoxError> {
        self.calls.lock().unwrap().push(format!("{}: {call} {run}", self.name));
        if self.refuse == Some(run) { Err("refused".into()) } else { Ok(()) }
    }
}

impl LoggerBackend for FourCalls {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        let run = format!("{}-run", self.name);
        self.called("start_run", &run)?;
        assert!(branch.end_ns >= branch.start_ns);
        Ok(RunId(run))
    }
    async fn log_status(&self, run: &RunId, branch: &Branch) -> Result<(), BoxError> {
        let _ = branch.status;
        self.called("log_status", &run.0)
    }
    async fn log_exception(&self, run: &RunId, failure: &Failure) -> Result<(), BoxError> {
        self.called(&format!("log_exception ({failure})"), &run.0)
    }
    async fn log_params(&self, run: &RunId, params: &Value) -> Result<(), BoxError> {
        assert!(!params.to_string().contains("hunter2"), "a secret reached a backend");
        self.called("log_params", &run.0)
    }
}

#[tokio::test(start_paused = true)]
async fn a_backend_of_the_four_calls_alone_sees_the_life_of_a_run() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let backend = FourCalls { name: "x", calls: calls.clone(), refuse: None };
    let (recorder, recording) = Recorder::pair(backend);
    tokio::spawn(recording);
    let config = Config::new(json!({ "config_id": "a", "password": "hunter2" })).unwrap();
    let service = behaving(|_| async { Err("it fails".into()) });
    let log = LogLayer::new(recorder.clone());
    SingleLayer::new(config).layer(log.layer(service)).call(()).await.unwrap_err();
    recorder.drain(SECOND).await.unwrap();
    let calls = calls.lock().unwrap().clone();
    assert_eq!(
        calls,
        [
            "x: start_run x-run",
            "x: log_params x-run",
            "x: log_exception (error: it fails) x-run",
            "x: log_status x-run",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn in_a_batch_of_single_calls_only_the_refused_ones_are_lost() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let backend = FourCalls { name: "x", calls: calls.clone(), refuse: Some("x-run") };
    let (recorder, recording) = Recorder::pair(backend);
    tokio::spawn(recording);
    let mut service = single(&recorder);
    (0..3).for_each(|_| call(&mut service));
    recorder.drain(SECOND).await.unwrap();
    assert_eq!((recorder.stats().lost, recorder.stats().written), (3, 0));
    assert_eq!(calls.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_recorder_behind_a_recorder_keeps_a_slow_backend_from_holding_up_a_quick_one() {
    let (quick, slow) = (MemoryBackend::new(), MemoryBackend::new());
    let permits = Arc::new(Semaphore::new(0));
    let held = Held { memory: slow.clone(), permits: permits.clone() };
    let (behind, behind_recording) = Recorder::with_capacity(held, 2);
    let behind_task = tokio::spawn(behind_recording);
    let (recorder, recording) = Recorder::pair((quick.clone(), behind.clone()));
    let task = tokio::spawn(recording);
    let mut service = single(&recorder);
    (0..5).for_each(|_| call(&mut service));
    recorder.drain(SECOND).await.unwrap();
    assert_eq!(quick.branches().len(), 5);
    // What has no room behind is counted on both sides.
    assert_eq!((behind.stats().accepted, behind.stats().dropped), (2, 3));
    assert_eq!((recorder.stats().lost, recorder.stats().written), (3, 2));
    permits.add_permits(10);
    behind.drain(SECOND).await.unwrap();
    assert_eq!(slow.branches().len(), 2);
    assert_eq!(end(&slow.branches()[0]), "a primary success");
    drop((service, recorder, behind));
    task.await.unwrap();
    behind_task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_hook_sees_each_branch_as_it_ends() {
    let records = records();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let log = records.layer.clone().on_branch(move |branch| sink.lock().unwrap().push(end(branch)));
    let service = behaving(|id| async move { if id == "b" { Err("no".into()) } else { Ok(()) } });
    let mut service = RoundRobinLayer::new(pool(&["a", "b"])).layer(log.layer(service));
    service.call(()).await.unwrap();
    service.call(()).await.unwrap_err();
    drop(service.call(()));
    assert_eq!(
        *seen.lock().unwrap(),
        ["a primary success", "b primary failed/error", "a primary cancelled"]
    );
    assert_eq!(records.all().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn capture_keeps_the_output_without_its_secrets() {
    let records = records();
    let log = records
        .layer
        .clone()
        .capture(|answer: &String| Some(json!({ "answer": answer, "access_token": "hunter2" })));
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(log.layer(echo()));
    service.call(()).await.unwrap();
    assert_eq!(
        records.all().await[0].output,
        Some(json!({ "answer": "a", "access_token": "[redacted]" }))
    );
}

#[tokio::test(start_paused = true)]
async fn which_keys_of_an_output_are_secret_can_be_said() {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    let keys = tower_spearmint::config::SecretKeys::none().and(["pin"]);
    tokio::spawn(recording.secret_keys(keys));
    let log = LogLayer::new(recorder.clone())
        .capture(|_: &String| Some(json!([{ "pin": 1234, "token": 3 }])));
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(log.layer(echo()));
    service.call(()).await.unwrap();
    recorder.drain(SECOND).await.unwrap();
    assert_eq!(memory.branches()[0].output, Some(json!([{ "pin": "[redacted]", "token": 3 }])));
}

/// Tries three times.
#[derive(Clone)]
struct ThreeTimes(u32);

impl Policy<Trial<()>, String, BoxError> for ThreeTimes {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        trial: &mut Trial<()>,
        result: &mut Result<String, BoxError>,
    ) -> Option<Self::Future> {
        self.0 -= 1;
        (result.is_err() && self.0 > 0).then(|| {
            trial.place().count_retry();
            std::future::ready(())
        })
    }

    fn clone_request(&mut self, trial: &Trial<()>) -> Option<Trial<()>> {
        Some(trial.clone())
    }
}

#[tokio::test(start_paused = true)]
async fn retries_under_the_logging_layer_are_one_branch() {
    let records = records();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let service = behaving(move |_| {
        let try_number = counted.fetch_add(1, SeqCst);
        async move { if try_number < 2 { Err("not yet".into()) } else { Ok(()) } }
    });
    let service = tower::retry::Retry::new(ThreeTimes(3), service);
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(records.layer.layer(service));
    service.call(()).await.unwrap();
    assert_eq!(tries.load(SeqCst), 3);
    assert_eq!(records.ends().await, ["a primary success"]);
    assert_eq!(records.all().await[0].retry_count, 2);
}

#[tokio::test(start_paused = true)]
async fn two_logging_layers_record_a_branch_once() {
    let (outside, inside) = (records(), records());
    let service = outside.layer.layer(inside.layer.layer(echo()));
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(service);
    service.call(()).await.unwrap();
    drop(service.call(()));
    assert_eq!(outside.ends().await, ["a primary cancelled", "a primary success"]);
    assert!(inside.ends().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_error_keeps_its_type_its_text_and_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot rank")]
    struct CannotRank(#[source] std::io::Error);

    let records = records();
    let typed = tower_spearmint::service_fn(|_: Trial<()>| async {
        Err::<(), _>(CannotRank(std::io::Error::other("disk full")))
    });
    let boxed = behaving(|_| async { Err(CannotRank(std::io::Error::other("disk full")).into()) });
    let layer = RoundRobinLayer::new(pool(&["a"]));
    layer.layer(records.layer.layer(typed)).call(()).await.unwrap_err();
    layer.layer(records.layer.layer(boxed)).call(()).await.unwrap_err();
    let all = records.all().await;
    let failures: Vec<_> = all.iter().map(|branch| branch.failure.as_ref().unwrap()).collect();
    assert!(failures[0].type_name.ends_with("CannotRank"));
    assert_eq!(failures[0].message, "cannot rank");
    assert!(failures[0].trace.contains("disk full"));
    assert_eq!(failures[1].message, "cannot rank");
    assert_eq!(failures[1].trace, "cannot rank\ncaused by: disk full");
}

#[tokio::test(start_paused = true)]
async fn the_tracing_backend_takes_every_branch() {
    let (recorder, recording) = Recorder::pair(TracingBackend::new());
    tokio::spawn(recording);
    call(&mut single(&recorder));
    recorder.drain(SECOND).await.unwrap();
    assert_eq!(recorder.stats().written, 1);
}

#[tokio::test(start_paused = true)]
async fn memory_keeps_the_last_ones() {
    let memory = MemoryBackend::with_capacity(3);
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let mut service = single(&recorder);
    (0..10).for_each(|_| call(&mut service));
    recorder.drain(SECOND).await.unwrap();
    assert_eq!(memory.branches().len(), 3);
    assert_eq!(memory.take().len(), 3);
    assert!(memory.branches().is_empty());
}

#[tokio::test(start_paused = true)]
async fn times_are_in_nanoseconds_since_the_epoch_and_agree() {
    let before = std::time::SystemTime::now();
    let records = records();
    call(&mut single(&records.recorder));
    let branch = &records.all().await[0];
    let start = std::time::UNIX_EPOCH + Duration::from_nanos(branch.start_ns);
    assert!(start + SECOND > before && start < std::time::SystemTime::now() + SECOND);
    assert_eq!(branch.end_ns, branch.start_ns + branch.duration_ns);
    assert_eq!(branch.status, Status::Success);
}

#[tokio::test(start_paused = true)]
async fn a_branch_serialises_to_the_documented_names() {
    let records = records();
    let config = Config::new(json!({ "config_id": "a", "api_key": "hunter2", "top": 3 })).unwrap();
    let failing = behaving(|_| async { Err("it fails".into()) });
    let layer = SingleLayer::new(config).experiment("ranker");
    layer.layer(records.layer.layer(failing)).call(()).await.unwrap_err();
    let branch = records.all().await.remove(0);
    let mut value = serde_json::to_value(&branch).unwrap();
    assert_eq!(value["id"], value["request_id"]);
    for replaced in ["id", "request_id", "start_ns", "end_ns", "duration_ns"] {
        assert!(!value[replaced].is_null());
        value[replaced] = json!(format!("<{replaced}>"));
    }
    assert_eq!(
        serde_json::to_string_pretty(&value).unwrap(),
        r#"{
  "bytes_in": null,
  "bytes_out": null,
  "config": {
    "api_key": "[redacted]",
    "config_id": "a",
    "top": 3
  },
  "config_id": "a",
  "duration_ns": "<duration_ns>",
  "end_ns": "<end_ns>",
  "epoch": {
    "fingerprint": "a5eb7d4cc25462bc",
    "number": 1
  },
  "experiment": "ranker",
  "failure": {
    "kind": "error",
    "message": "it fails",
    "trace": "it fails",
    "type": "Error"
  },
  "first_byte_ns": null,
  "id": "<id>",
  "output": null,
  "parent": null,
  "parent_config_id": null,
  "probability": 1.0,
  "reason": "primary",
  "request_id": "<request_id>",
  "retry_count": 0,
  "role": "primary",
  "skip": null,
  "start_ns": "<start_ns>",
  "status": "failed",
  "strategy": "single",
  "trace": null,
  "unit": null
}"#
    );
}
