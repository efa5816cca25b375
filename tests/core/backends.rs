//! What stands behind a recorder: one backend, or several.

use crate::support::{Before, SECOND, behaving, call, end, pool, single};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};
use tokio::sync::Semaphore;
use tower::{BoxError, Layer, Service};
use tower_spearmint::{
    Branch, Config, LogLayer, Recorder, SingleLayer,
    branch::{Failure, Role},
    record::{LoggerBackend, Loss, LossReason, MemoryBackend, RunId, TracingBackend},
};

#[tokio::test(start_paused = true)]
async fn two_backends_get_every_branch_and_one_that_fails_is_counted() {
    let (one, other) = (MemoryBackend::new(), MemoryBackend::new());
    let out = Arc::new(AtomicBool::new(false));
    let flaky = Before::failing(&other, &out, false);
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
    let held = Before::permission(&slow, &permits);
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
