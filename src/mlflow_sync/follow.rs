//! Sending while the store is written.

use super::{
    MlflowSync, SyncError, SyncMode, pace::Pace, parcel::Parcel, pass::Pass, runs::Run,
    summary::Summary, traces::Trace,
};
use crate::store::{Outbox, SyncStat};
use futures_util::future::{join, join_all};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::sleep;

/// How often it is looked for branches, and for minutes that are over.
const BRANCHES_EVERY: Duration = Duration::from_secs(1);
const SUMMARY_EVERY: Duration = Duration::from_secs(20);
/// After something that somebody has to see to.
const AFTER_FAULT: Duration = Duration::from_secs(30);
/// An outage that is over sooner is not worth a line.
const OUTAGE: Duration = Duration::from_secs(10);
/// How often it is counted what waits.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// How far [`MlflowSync::follow`] has come: cheap to clone, and to ask.
#[derive(Debug, Clone, Default)]
pub struct SyncWatch(Arc<Mutex<Vec<SyncStat>>>);

impl SyncWatch {
    /// By mode, as it was counted some seconds ago; nothing before it was counted at all.
    pub fn stats(&self) -> Vec<SyncStat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl MlflowSync {
    /// Sends what comes, for ever, whatever happens to MLflow, and tells `watch` how far it has
    /// come. One warning is logged when sending stops, and a line when it goes on.
    ///
    /// With an [`experiment`](Self::experiment), which need not be there yet.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped at any time: whoever goes on looks up what was under way.
    pub async fn follow(self, watch: SyncWatch) {
        let this = self.give_up_after(None);
        let Some(experiment) = this.experiment.clone() else { return };
        let pace = Pace::new(this.backend.max_concurrency, this.rate);
        let modes = SyncMode::ALL.into_iter().filter(|mode| this.modes.contains(mode));
        let sending = modes.map(|mode| this.keep_sending(&pace, &experiment, mode));
        join(join_all(sending), this.keep_counting(&pace, &experiment, &watch)).await;
    }

    async fn keep_sending(&self, pace: &Pace, experiment: &str, mode: SyncMode) {
        let every = if mode == SyncMode::Summary { SUMMARY_EVERY } else { BRANCHES_EVERY };
        let mut failing = false;
        loop {
            let wait = match self.send_once(pace, experiment, mode).await {
                Ok(()) => {
                    if std::mem::take(&mut failing) {
                        tracing::info!(%mode, to = self.backend.address(), "MLflow is sent to again");
                    }
                    every
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        let cause = std::error::Error::source(&error).map(tracing::field::display);
                        tracing::warn!(%mode, %error, cause, "nothing is sent to MLflow");
                    }
                    AFTER_FAULT
                }
            };
            sleep(wait).await;
        }
    }

    async fn send_once(
        &self,
        pace: &Pace,
        experiment: &str,
        mode: SyncMode,
    ) -> Result<(), SyncError> {
        let outbox: Outbox = self.outbox(experiment, mode).await?;
        let _lease = self.lease(&outbox)?;
        match mode {
            SyncMode::Runs => self.send_branches::<Run>(pace, outbox).await?,
            SyncMode::Traces => self.send_branches::<Trace>(pace, outbox).await?,
            SyncMode::Summary => {
                Summary::new(self, pace, outbox).send().await?;
            }
        }
        Ok(())
    }

    async fn send_branches<P: Parcel>(&self, pace: &Pace, outbox: Outbox) -> Result<(), SyncError> {
        let pass = Pass::new(self, pace, outbox);
        pass.resolve_doubts::<P>(false).await?;
        pass.send::<P>(&mut |_| {}).await?;
        Ok(())
    }

    async fn keep_counting(&self, pace: &Pace, experiment: &str, watch: &SyncWatch) {
        let mut is_out = false;
        loop {
            let to = self.backend.address();
            match pace.failing_for() {
                Some(time) if time >= OUTAGE && !is_out => {
                    is_out = true;
                    let trouble = pace.trouble();
                    tracing::warn!(
                        to,
                        trouble,
                        "MLflow does not answer; what is recorded waits in the store"
                    );
                }
                None if is_out => {
                    is_out = false;
                    tracing::info!(to, "MLflow answers again");
                }
                _ => {}
            }
            let mut stats = Vec::new();
            for mode in &self.modes {
                let (store, to) = (self.store.clone(), self.backend.address().to_owned());
                let (experiment, mode) = (experiment.to_owned(), mode.as_str());
                let stat = super::blocking(self.store.path(), move || {
                    store.sync_stat(&to, &experiment, mode, None)
                });
                // What cannot be counted now is what it was.
                if let Ok(stat) = stat.await {
                    stats.push(stat);
                }
            }
            if stats.len() == self.modes.len() {
                *watch.0.lock().unwrap_or_else(PoisonError::into_inner) = stats;
            }
            sleep(COUNT_EVERY).await;
        }
    }
}
