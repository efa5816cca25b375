//! One run for a config, role and epoch, whatever the traffic: its roll-ups, minute by minute.

use super::{
    MlflowSync, SyncError,
    measures::measures,
    pace::Pace,
    pass::{FIRST_PAUSE, LONGEST_PAUSE, REFUSALS, SETTLES, now},
    verdict::{Verdict, verdict},
};
use crate::{
    as_run::limits,
    mlflow::{MlflowError, SummaryRun},
    outbound::chance,
    store::{Arm, Outbox, Point, StoreError},
};
use serde_json::{Value, json};
use std::{borrow::Cow, sync::Arc};
use tokio::time::sleep;

/// How many minutes are held at a time.
const PAGE: usize = 500;

/// One pass over the roll-ups.
pub(super) struct Summary<'a> {
    sync: &'a MlflowSync,
    pace: &'a Pace,
    outbox: Arc<Outbox>,
}

impl<'a> Summary<'a> {
    pub(super) fn new(sync: &'a MlflowSync, pace: &'a Pace, outbox: Outbox) -> Self {
        Self { sync, pace, outbox: Arc::new(outbox) }
    }

    /// Sends all minutes that are over, and were not sent or have changed since. How many.
    pub(super) async fn send(&self) -> Result<u64, SyncError> {
        let until = u64::try_from(now().as_nanos()).unwrap_or(u64::MAX);
        let mut sent = 0;
        loop {
            let arms = self.blocking(move |outbox| outbox.points(until, PAGE)).await?;
            if arms.is_empty() {
                return Ok(sent);
            }
            for (arm, points) in arms {
                sent += points.len() as u64;
                self.send_arm(arm, points).await?;
            }
        }
    }

    async fn send_arm(&self, mut arm: Arm, points: Vec<Point>) -> Result<(), SyncError> {
        let Some(first) = points.first() else { return Ok(()) };
        let run_id = match arm.run_id.take() {
            Some(run_id) => run_id,
            None => {
                let run_id = self.run(&arm, first).await?;
                let (arm, noted) = (arm.clone(), run_id.clone());
                self.blocking(move |outbox| outbox.note_run(&arm, &noted)).await?;
                run_id
            }
        };
        let metrics: Vec<_> = points.iter().flat_map(metrics).collect();
        let backend = &self.sync.backend;
        match self.persist(async || backend.log_points(&run_id, &metrics).await).await {
            Ok(()) => {
                self.blocking(move |outbox| outbox.settle_points(&arm, &points, true)).await?;
                Ok(())
            }
            // Somebody has deleted it, and it stays so.
            Err(Stopped::At(error)) if verdict(&error) == Verdict::Refused => {
                tracing::warn!(run_id, %error, "MLflow does not take minutes of a config; they are not sent again");
                self.blocking(move |outbox| outbox.settle_points(&arm, &points, false)).await?;
                Ok(())
            }
            // The server has another database: all of it is sent again.
            Err(Stopped::At(error)) if verdict(&error) == Verdict::Gone => {
                self.blocking(move |outbox| outbox.forget_run(&arm)).await?;
                Ok(())
            }
            Err(stopped) => Err(self.stopped(stopped)),
        }
    }

    /// Finds or creates the run of an arm.
    async fn run(&self, arm: &Arm, first: &Point) -> Result<String, SyncError> {
        let rollup = &first.rollup;
        let mut tags: Vec<(&'static str, Cow<'_, str>)> = vec![
            ("spearmint.summary", arm.id.as_str().into()),
            ("mlflow.source.name", "tower-spearmint".into()),
            ("spearmint.experiment", (&*rollup.experiment).into()),
            ("spearmint.strategy", (&*rollup.strategy).into()),
            ("spearmint.role", rollup.role.as_str().into()),
            ("spearmint.config_id", rollup.config_id.as_str().into()),
        ];
        if let Some(epoch) = rollup.epoch {
            tags.push(("spearmint.epoch", format!("{epoch:016x}").into()));
        }
        let config = limits::cut(rollup.config_id.short(), 150);
        let run = SummaryRun {
            experiment: &rollup.experiment,
            name: format!("{config} {} by the minute", rollup.role),
            start_ms: rollup.start_ns / 1_000_000,
            tags,
            config: &arm.config,
        };
        let backend = &self.sync.backend;
        let made = self.persist(async || {
            if let Some(found) = backend.find_summary(&run).await? {
                return Ok(found);
            }
            let made = backend.create_summary(&run).await;
            if made.as_ref().is_err_and(MlflowError::maybe_done) {
                // It may have its effect yet; only then is it looked up.
                sleep(SETTLES).await;
            }
            made
        });
        let run_id = made.await.map_err(|stopped| self.stopped(stopped))?;
        let params = async || backend.log_summary_params(&run_id, run.config).await;
        match self.persist(params).await {
            Ok(()) => Ok(run_id),
            Err(stopped) => Err(self.stopped(stopped)),
        }
    }

    /// Tries until it is done, or trying makes no sense any more.
    async fn persist<T>(
        &self,
        call: impl AsyncFn() -> Result<T, MlflowError>,
    ) -> Result<T, Stopped> {
        let mut pause = FIRST_PAUSE;
        let (mut gone, mut refusals) = (0, 0);
        loop {
            let permit = self.pace.enter(false).await;
            let result = call().await;
            permit.end(result.as_ref().err());
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match verdict(&error) {
                // An experiment that is gone is found or created the next time.
                Verdict::Gone if gone > 0 => return Err(Stopped::At(error)),
                Verdict::Gone => gone += 1,
                Verdict::Refused if refusals < REFUSALS - 1 => refusals += 1,
                Verdict::Refused | Verdict::Denied => return Err(Stopped::At(error)),
                Verdict::Again => {
                    let failing = self.pace.failing_for().unwrap_or_default();
                    if self.sync.give_up_after.is_some_and(|patience| failing >= patience) {
                        return Err(Stopped::Down(failing, error));
                    }
                }
            }
            sleep(pause.mul_f64(chance())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn stopped(&self, stopped: Stopped) -> SyncError {
        let to = self.sync.backend.address();
        match stopped {
            Stopped::Down(failing, error) => SyncError::down(to, failing, error),
            Stopped::At(error) => SyncError::denied(to, error),
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Outbox) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let outbox = Arc::clone(&self.outbox);
        super::blocking(self.sync.store.path(), move || work(&outbox)).await
    }
}

enum Stopped {
    Down(std::time::Duration, MlflowError),
    At(MlflowError),
}

/// The step is the minute since 1970, the time its end: later by a millisecond each time it is
/// sent again, so that the last one counts.
fn metrics(point: &Point) -> impl Iterator<Item = Value> {
    let rollup = &point.rollup;
    let step = rollup.start_ns / 60_000_000_000;
    let end_ms = (step + u64::from(rollup.minutes)) * 60_000;
    let timestamp = end_ms + point.revision.unsigned_abs();
    measures(rollup).into_iter().map(
        move |(key, value)| json!({ "key": key, "value": value, "timestamp": timestamp, "step": step }),
    )
}
