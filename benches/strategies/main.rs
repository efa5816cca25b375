//! What a strategy adds to a call: against the bare service and against `tower::steer::Steer`, in
//! the same run.
//!
//! ```text
//! cargo bench --features http --bench strategies            # the tables
//! cargo bench --features http --bench strategies -- robin   # only the lines with that in their name
//! ```
//!
//! Every round measures every line once, so that what disturbs the machine disturbs all of them; a
//! line is the median, over the rounds, of its difference to the bare service in the same round.
//! Futures are polled by hand: no runtime is in the measure, except where a shadow is spawned.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[cfg(feature = "http")]
mod http;

use serde_json::{Value, json};
use std::{
    future::{Future, Ready, ready},
    hint::black_box,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use tower::{Layer, Service, steer::Steer};
use tower_spearmint::{
    BoxError, Branch, ConfigPool, LogLayer, MultiBranchLayer, Recorder, RoundRobinLayer,
    ShadowLayer, SingleLayer, Trial,
    assign::{Holdout, Namespace, Ramp},
    branch::Failure,
    record::{BatchError, LoggerBackend, RunId},
    shadow::ShadowHandle,
};

const ROUNDS: usize = 301;
const CALLS: u32 = 1_000;

/// One line of the table.
struct Line {
    name: &'static str,
    /// The most it may add, in ns.
    aim: Option<f64>,
    calls: u32,
    /// Makes that many calls; how long they took.
    run: Box<dyn FnMut(u32) -> Duration>,
    /// Waits until nothing is left running. Not measured.
    settle: Box<dyn FnMut()>,
    rounds: Vec<f64>,
}

impl Line {
    fn new<S, R>(name: &'static str, service: S, request: fn(u32) -> R) -> Self
    where
        S: Service<R> + 'static,
        R: 'static,
    {
        Self {
            name,
            aim: None,
            calls: CALLS,
            run: Box::new(calling(service, request)),
            settle: Box::new(|| {}),
            rounds: Vec::new(),
        }
    }

    fn run(mut self, run: impl FnMut(u32) -> Duration + 'static) -> Self {
        self.run = Box::new(run);
        self
    }

    fn aim(mut self, ns: f64) -> Self {
        self.aim = Some(ns);
        self
    }

    fn calls(mut self, calls: u32) -> Self {
        self.calls = calls;
        self
    }

    fn settle(mut self, settle: impl FnMut() + 'static) -> Self {
        self.settle = Box::new(settle);
        self
    }

    fn round(&mut self) {
        let time = (self.run)(self.calls);
        self.rounds.push(time.as_nanos() as f64 / f64::from(self.calls));
        (self.settle)();
    }
}

/// Ready, call, poll to the end.
fn calling<S: Service<R>, R>(
    mut service: S,
    request: fn(u32) -> R,
) -> impl FnMut(u32) -> Duration + use<S, R> {
    move |calls| {
        let start = Instant::now();
        let cx = &mut Context::from_waker(Waker::noop());
        for call in 0..calls {
            let Poll::Ready(Ok(())) = service.poll_ready(cx) else { panic!("not ready") };
            let mut future = pin!(service.call(black_box(request(call))));
            let Poll::Ready(result) = future.as_mut().poll(cx) else { panic!("not at once") };
            let _ = black_box(result);
        }
        start.elapsed()
    }
}

/// The same on a worker thread of a runtime, as in a server.
fn on_a_worker<F>(runtime: &Runtime, run: F) -> impl FnMut(u32) -> Duration + use<F>
where
    F: FnMut(u32) -> Duration + Send + 'static,
{
    let run = Arc::new(Mutex::new(run));
    let handle = runtime.handle().clone();
    move |calls| {
        let run = run.clone();
        let task = handle.spawn(async move { run.lock().unwrap()(calls) });
        handle.block_on(task).unwrap()
    }
}

/// The service under test: adds one.
#[derive(Clone)]
struct AddOne;

impl Service<u64> for AddOne {
    type Response = u64;
    type Error = BoxError;
    type Future = Ready<Result<u64, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, n: u64) -> Self::Future {
        ready(Ok(black_box(n) + 1))
    }
}

impl Service<Trial<u64>> for AddOne {
    type Response = u64;
    type Error = BoxError;
    type Future = Ready<Result<u64, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, trial: Trial<u64>) -> Self::Future {
        ready(Ok(black_box(*trial.request()) + 1))
    }
}

/// Keeps nothing.
struct Null;

impl LoggerBackend for Null {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        Ok(RunId(branch.id.to_string()))
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
        black_box(batch);
        Ok(())
    }
}

/// A recorder whose recording runs on a thread of its own.
fn recorder() -> Recorder {
    let (recorder, recording) = Recorder::pair(Null);
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.unwrap().block_on(recording);
    });
    recorder
}

/// Waits until everything is written; nothing may have been dropped.
fn written(recorder: &Recorder) -> impl Fn() + Clone + use<> {
    let recorder = recorder.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let runtime = Arc::new(runtime);
    move || {
        runtime.block_on(recorder.drain(Duration::from_secs(10))).unwrap();
        assert_eq!(recorder.stats().dropped, 0);
    }
}

/// Waits until no shadow runs and everything is written.
fn ending(shadows: ShadowHandle, records: &Recorder) -> impl Fn() + Clone + use<> {
    let written = written(records);
    move || {
        while shadows.stats()[0].in_flight > 0 {
            std::thread::yield_now();
        }
        written();
    }
}

fn pool() -> ConfigPool {
    ConfigPool::from_values(["a", "b", "c"].map(|id| json!({ "config_id": id, "k": 1 }))).unwrap()
}

fn pair() -> ConfigPool {
    ConfigPool::from_values(["a", "b"].map(|id| json!({ "config_id": id, "k": 1 }))).unwrap()
}

/// `Trial`: the strategies around a plain service.
fn in_trial(runtime: &Runtime) -> Vec<Line> {
    let n = |call: u32| u64::from(call);
    let steer = Steer::new(vec![AddOne, AddOne, AddOne], |n: &u64, _: &[AddOne]| *n as usize % 3);
    let weights = [("a", 5.0), ("b", 3.0), ("c", 2.0)];
    let weighted = || RoundRobinLayer::new(pool()).weighted(weights).unwrap();
    let key = |n: &u64| Some(n.to_string());
    let ramped = || weighted().sticky("salt", key).ramp(Ramp::share(1.0));
    let namespace = Namespace::new("search").range("ranker", 0.0, 1.0).unwrap();

    let logged = recorder();
    let log = LogLayer::new(logged.clone());
    let shadow_records = recorder();
    let shadow_log = LogLayer::new(shadow_records.clone());
    let shadow = || ShadowLayer::new(pair().primary("a").unwrap()).keep_results(0);
    let dispatched = shadow().max_in_flight(1 << 20).runtime(runtime.handle().clone());
    let multi_records = recorder();
    let multi_log = LogLayer::new(multi_records.clone());

    let compared = dispatched.clone().compare(|primary: &u64, shadow: &u64| primary == shadow);
    let ended = ending(dispatched.handle(), &shadow_records);
    let compared_ended = ending(compared.handle(), &shadow_records);
    vec![
        Line::new("bare service", AddOne, n),
        Line::new("tower::steer::Steer of 3", steer, n),
        Line::new("single", SingleLayer::new(pool()[0].clone()).layer(AddOne), n),
        Line::new("round robin", RoundRobinLayer::new(pool()).layer(AddOne), n).aim(60.0),
        Line::new(
            "round robin, recorded",
            RoundRobinLayer::new(pool()).layer(log.layer(AddOne)),
            n,
        )
        .aim(300.0)
        .settle(written(&logged)),
        Line::new("weighted", weighted().layer(AddOne), n),
        Line::new("sticky", weighted().sticky("salt", key).layer(AddOne), n).aim(150.0),
        Line::new("sticky, with a ramp", ramped().layer(AddOne), n),
        Line::new(
            "ramp, namespace and hold-out",
            ramped()
                .experiment("ranker")
                .namespace(&namespace)
                .unwrap()
                .holdout(Holdout::new("global", 0.0))
                .layer(AddOne),
            n,
        ),
        Line::new("shadow, sampled out", shadow().sample(0.0).layer(AddOne), n).aim(60.0),
        Line::new("shadow, dispatched", AddOne, n)
            .run(on_a_worker(runtime, calling(dispatched.layer(shadow_log.layer(AddOne)), n)))
            .aim(1_500.0)
            .calls(200)
            .settle(ended.clone()),
        Line::new("shadow, compared", AddOne, n)
            .run(on_a_worker(runtime, calling(compared.layer(shadow_log.layer(AddOne)), n)))
            .aim(1_500.0)
            .calls(200)
            .settle(compared_ended),
        Line::new("shadow, from a foreign thread", dispatched.layer(shadow_log.layer(AddOne)), n)
            .calls(200)
            .settle(ended),
        Line::new("multi-branch of 2", MultiBranchLayer::new(pair()).layer(AddOne), n),
        Line::new(
            "multi-branch of 2, recorded",
            MultiBranchLayer::new(pair()).layer(multi_log.layer(AddOne)),
            n,
        )
        .settle(written(&multi_records)),
    ]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Measures the lines in turn and prints what each adds to the first.
fn table(title: &str, mut lines: Vec<Line>, wanted: Option<&str>) {
    lines.retain(|line| {
        wanted.is_none_or(|text| line.name.contains(text)) || line.name.starts_with("bare")
    });
    for _ in 0..20 {
        lines.iter_mut().for_each(Line::round);
    }
    lines.iter_mut().for_each(|line| line.rounds.clear());
    for _ in 0..ROUNDS {
        lines.iter_mut().for_each(Line::round);
    }
    println!("\n{title:<32} {:>8} {:>12} {:>12} {:>8}", "ns/call", "added, ns", "quartiles", "aim");
    let bare = lines[0].rounds.clone();
    for line in lines {
        let mut added: Vec<f64> = line.rounds.iter().zip(&bare).map(|(a, b)| a - b).collect();
        added.sort_by(f64::total_cmp);
        let (low, high) = (added[added.len() / 4], added[added.len() * 3 / 4]);
        let aim = line.aim.map_or_else(String::new, |aim| format!("{aim:.0}"));
        let missed =
            if line.aim.is_some_and(|aim| median(added.clone()) > aim) { " missed" } else { "" };
        println!(
            "{:<32} {:>8.1} {:>12.1} {:>12} {:>8}{missed}",
            line.name,
            median(line.rounds),
            median(added),
            format!("{low:.0}–{high:.0}"),
            aim
        );
    }
}

fn main() {
    // Cargo passes `--bench`; anything else is what to look for.
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let start = Instant::now();
    for _ in 0..1_000_000 {
        black_box(Instant::now());
    }
    println!("a clock read: {:.1} ns", start.elapsed().as_nanos() as f64 / 1e6);
    table("in process, on Trial", in_trial(&runtime), wanted.as_deref());
    #[cfg(feature = "http")]
    table("in process, on http::Request", http::in_http(), wanted.as_deref());
    runtime.shutdown_background();
}
