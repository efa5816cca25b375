//! Looking at an experiment once a minute.

use super::{Plan, Report};
use crate::store::{SqliteStore, StoreChanges, StoreError};
use futures_util::future::{self, Either};
use std::{
    io,
    pin::pin,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, MissedTickBehavior},
};

/// How long a look that is under way is waited for at the end.
const PATIENCE: Duration = Duration::from_secs(1);

/// Looks at an experiment in a store from time to time, and keeps the looks ([`Report::look`]); and the plan, so that a
/// report needs no file ([`Plan::keep`]).
///
/// ```
/// use tokio::sync::watch;
/// use tower_spearmint::{report::{Looker, Measure, Metric, Plan}, store::SqliteStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let file = std::env::temp_dir().join(format!("spearmint-doc-looker-{}.db", std::process::id()));
/// # let _ = std::fs::remove_file(&file);
/// let store = SqliteStore::open(&file)?;
/// let plan = Plan::new().experiment("ranker").metrics([Metric::guardrail(Measure::ErrorRate, 0.001)]);
/// // Another plan that is sent is kept in its place.
/// let (_sender, plans) = watch::channel(plan);
/// let looks = Looker::new(store.clone(), plans).spawn_thread()?;
/// // …serve…
/// drop(looks);
/// # drop(store);
/// # std::fs::remove_file(&file)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Looker {
    store: SqliteStore,
    plans: watch::Receiver<Plan>,
    every: Duration,
}

/// What [`Looker::spawn_thread`] started. Dropped, it stops; a look that is under way is waited for, for a
/// second at most.
#[derive(Debug)]
pub struct LookThread {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
    /// Says nothing, and is closed when the thread ends.
    ended: mpsc::Receiver<()>,
}

impl Looker {
    /// Once a minute, at the experiment and by the plan that `plans` says.
    pub const fn new(store: SqliteStore, plans: watch::Receiver<Plan>) -> Self {
        Self { store, plans, every: Duration::from_secs(60) }
    }

    /// As often as this instead.
    #[must_use]
    pub const fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Looks on a thread of its own, so that nothing of it runs where requests are served. What goes wrong is
    /// logged, and tried again the next time. Nothing is read if nothing was written since.
    ///
    /// # Errors
    ///
    /// When there can be no further thread.
    pub fn spawn_thread(self) -> io::Result<LookThread> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (ending, ended) = mpsc::channel();
        let thread =
            thread::Builder::new().name("spearmint-looks".to_owned()).spawn(move || {
                runtime.block_on(async {
                    future::select(pin!(self.follow()), stopped).await;
                });
                drop(ending);
            })?;
        Ok(LookThread { stop: Some(stop), thread: Some(thread), ended })
    }

    /// Blocks while it looks.
    async fn follow(mut self) {
        let every = self.every.max(Duration::from_millis(1));
        let mut ticks = tokio::time::interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looking = Looking { store: self.store, changes: None, has_failed: false };
        let mut plan = self.plans.borrow_and_update().clone();
        looking.keep(&plan);
        let mut has_sender = true;
        loop {
            let is_time = {
                let tick = pin!(ticks.tick());
                match future::select(tick, pin!(changed(&mut self.plans, &mut has_sender))).await {
                    Either::Left(_) => true,
                    Either::Right(_) => false,
                }
            };
            if is_time {
                looking.look(&plan);
            } else {
                plan = self.plans.borrow_and_update().clone();
                looking.keep(&plan);
            }
        }
    }
}

/// Waits for another plan; for ever, if nobody can send one.
async fn changed(plans: &mut watch::Receiver<Plan>, has_sender: &mut bool) {
    if *has_sender && plans.changed().await.is_ok() {
        return;
    }
    *has_sender = false;
    future::pending::<()>().await;
}

struct Looking {
    store: SqliteStore,
    changes: Option<StoreChanges>,
    has_failed: bool,
}

impl Looking {
    fn keep(&mut self, plan: &Plan) {
        let kept = plan.keep(&self.store);
        self.log("the plan of the experiment is not kept in the store", kept);
        // The same branches are another look then.
        self.changes = None;
    }

    fn look(&mut self, plan: &Plan) {
        let looked = self.look_if_changed(plan);
        if looked.is_err() {
            self.changes = None;
        }
        match looked {
            // There was no branch yet, or none of the baseline.
            Err(StoreError::NoExperiment { .. } | StoreError::NoConfig { .. }) => {}
            looked => self.log("the experiment was not looked at", looked),
        }
    }

    fn look_if_changed(&mut self, plan: &Plan) -> Result<(), StoreError> {
        // Before it is read: what is written meanwhile is for the next look.
        let is_new = match &mut self.changes {
            Some(changes) => changes.are_new()?,
            None => {
                self.changes = Some(self.store.changes()?);
                true
            }
        };
        if is_new {
            Report::look(&self.store, plan, SystemTime::now())?;
        }
        Ok(())
    }

    /// Once, however often it fails.
    fn log(&mut self, what: &str, done: Result<(), StoreError>) {
        match done {
            Ok(()) => self.has_failed = false,
            Err(error) if self.has_failed => tracing::debug!(%error, "{what}"),
            Err(error) => {
                self.has_failed = true;
                tracing::warn!(%error, "{what}");
            }
        }
    }
}

impl Drop for LookThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            // It holds up nobody; at the end of the process it leaves nothing half done.
            return;
        }
        if let Some(thread) = self.thread.take() {
            // A panic was told where it happened.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
        report::{Measure, Metric},
        service_fn,
    };
    use serde_json::json;
    use tower_layer::Layer;
    use tower_service::Service;

    async fn record(store: &SqliteStore, requests: usize) {
        let (recorder, recording) = Recorder::pair(store.clone());
        tokio::spawn(recording);
        let pool = ["a", "b"].map(|id| json!({ "config_id": id }));
        let pool = ConfigPool::from_values(pool).unwrap();
        let service = service_fn(|_: Trial<()>| async { Ok::<_, String>(()) });
        let layer = RoundRobinLayer::new(pool).experiment("ranker");
        let mut service = layer.layer(LogLayer::new(recorder.clone()).layer(service));
        for _ in 0..requests {
            service.call(()).await.unwrap();
        }
        recorder.drain(Duration::from_secs(3_600)).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_new_is_looked_at_once_a_minute() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("s.db")).unwrap();
        let plan = Plan::new().experiment("ranker").baseline("a");
        let (sender, plans) = watch::channel(plan.clone());
        tokio::spawn(Looker::new(store.clone(), plans).follow());
        let pass = async |seconds| tokio::time::sleep(Duration::from_secs(seconds)).await;
        let looks = || store.looks("ranker").unwrap().last().map_or(0, |look| look.number);
        // No branch yet: nothing to look at, and nothing is wrong with that.
        pass(70).await;
        assert_eq!(Plan::kept(&store, "ranker").unwrap(), Some(plan.clone()));
        record(&store, 20).await;
        assert_eq!(looks(), 0);
        pass(60).await;
        assert_eq!(looks(), 1);
        pass(600).await;
        assert_eq!(looks(), 1);
        record(&store, 20).await;
        pass(60).await;
        assert_eq!(looks(), 2);
        // Another plan is kept at once, and looked by from the next minute on.
        let other = plan.metrics([Metric::guardrail(Measure::ErrorRate, 0.1)]);
        sender.send(other.clone()).unwrap();
        pass(1).await;
        assert_eq!(Plan::kept(&store, "ranker").unwrap(), Some(other));
        pass(60).await;
        let last = store.looks("ranker").unwrap();
        assert_eq!((last.len(), last[0].metrics.len()), (1, 1));
        // Whoever said the plan may leave.
        drop(sender);
        record(&store, 20).await;
        pass(60).await;
        assert_eq!(looks(), 2);
    }

    #[test]
    fn nothing_is_read_if_nothing_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("s.db")).unwrap();
        let mut changes = store.changes().unwrap();
        assert!(!changes.are_new().unwrap());
        Plan::new().experiment("ranker").keep(&store).unwrap();
        assert!(changes.are_new().unwrap());
        // The same again changes nothing.
        Plan::new().experiment("ranker").keep(&store).unwrap();
        assert!(!changes.are_new().unwrap());
    }

    #[test]
    fn a_look_that_has_to_wait_holds_up_no_shutdown() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("s.db");
        let wait = Duration::from_secs(300);
        let store = crate::store::StoreOptions::new().busy_timeout(wait).open(&file).unwrap();
        // Another process writes for as long as it likes.
        let other = rusqlite::Connection::open(&file).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let (_sender, plans) = watch::channel(Plan::new().experiment("ranker"));
        let began = std::time::Instant::now();
        drop(Looker::new(store, plans).spawn_thread().unwrap());
        assert!(began.elapsed() < wait / 2);
        other.execute_batch("ROLLBACK").unwrap();
    }

    #[test]
    fn a_thread_ends_when_it_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("s.db");
        let store = SqliteStore::open(&file).unwrap();
        let (_sender, plans) = watch::channel(Plan::new().experiment("ranker"));
        let thread = Looker::new(store, plans).spawn_thread().unwrap();
        drop(thread);
        // It was the last one to have the store.
        assert!(!file.with_extension("db-wal").exists());
    }
}
