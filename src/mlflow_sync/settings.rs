//! What is sent, and how fast.

use super::{
    SyncError, blocking, pace::Pace, parcel::Parcel, pass::Pass, runs::Run, summary::Summary,
    traces::Trace,
};
use crate::{
    assign::Percentage,
    mlflow::MlflowBackend,
    store::{Outbox, SqliteStore, StoreError, SyncStat},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// What of the branches is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SyncMode {
    /// Each branch as a run.
    Runs,
    /// Each request as a trace, whose spans are its branches.
    Traces,
    /// What they come to by the minute, as metrics of one run for each config, role and epoch.
    Summary,
}

impl SyncMode {
    pub(super) const ALL: [Self; 3] = [Self::Summary, Self::Runs, Self::Traces];

    /// Its name, as settings have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Traces => "traces",
            Self::Summary => "summary",
        }
    }
}

impl fmt::Display for SyncMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SyncMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "runs" => Ok(Self::Runs),
            "traces" => Ok(Self::Traces),
            "summary" => Ok(Self::Summary),
            _ => Err(format!("`{text}` is not a mode; write runs, traces or summary")),
        }
    }
}

/// What one pass has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SyncProgress {
    /// Branches that MLflow has: as runs, as spans, or twice where both are sent.
    pub sent: u64,
    /// Branches that it does not take; the log says why.
    pub refused: u64,
    /// Branches that were removed from the store before they were sent.
    pub removed: u64,
    /// Branches that are not of the sample.
    pub left_out: u64,
    /// Runs that were deleted again: the second of one branch.
    pub deleted: u64,
    /// Minutes of configs that MLflow has: of `summary`.
    pub minutes: u64,
}

/// Sends the branches of a store to MLflow; see [the module](super).
///
/// It needs a Tokio runtime with its network and clock enabled (`enable_all`).
#[derive(Debug, Clone)]
pub struct MlflowSync {
    pub(super) store: SqliteStore,
    pub(super) backend: std::sync::Arc<MlflowBackend>,
    pub(super) experiment: Option<String>,
    pub(super) modes: Vec<SyncMode>,
    pub(super) sample: Percentage,
    pub(super) since_ns: Option<u64>,
    pub(super) rate: Option<f64>,
    pub(super) give_up_after: Option<Duration>,
}

impl MlflowSync {
    /// How long MLflow may fail to answer, unless [`give_up_after`](Self::give_up_after) says
    /// otherwise.
    pub const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

    /// From `store`, which is open for writing, to the server of `backend`, with its credentials,
    /// time-out and most requests at once: all branches, as runs.
    pub fn new(store: SqliteStore, backend: MlflowBackend) -> Self {
        Self {
            store,
            backend: backend.into(),
            experiment: None,
            modes: vec![SyncMode::Runs],
            sample: Percentage::new(SALT, 100.0),
            since_ns: None,
            rate: None,
            give_up_after: Some(Self::GIVE_UP_AFTER),
        }
    }

    /// Only the branches of this experiment.
    #[must_use]
    pub fn experiment(mut self, name: impl Into<String>) -> Self {
        self.experiment = Some(name.into());
        self
    }

    /// What is sent.
    #[must_use]
    pub fn modes(mut self, modes: &[SyncMode]) -> Self {
        self.modes = modes.to_vec();
        self
    }

    /// The share of the requests, from 0 to 1, whose branches are sent as runs or traces: all of a
    /// request or none. Which ones depends on their ids alone, so that it is the same whenever they are
    /// sent.
    #[must_use]
    pub fn sample(mut self, share: f64) -> Self {
        self.sample = Percentage::new(SALT, share * 100.0);
        self
    }

    /// Only branches that started at `ns` since the Unix epoch, or later.
    #[must_use]
    pub const fn since_ns(mut self, ns: u64) -> Self {
        self.since_ns = Some(ns);
        self
    }

    /// At most so many runs and traces a second.
    #[must_use]
    pub const fn rate(mut self, rate: f64) -> Self {
        self.rate = Some(rate);
        self
    }

    /// How long MLflow may fail to answer before [`run`](Self::run) ends; for ever with `None`.
    #[must_use]
    pub const fn give_up_after(mut self, time: Option<Duration>) -> Self {
        self.give_up_after = time;
        self
    }

    /// Sends until nothing waits, and says meanwhile what it has come to.
    ///
    /// # Errors
    ///
    /// When MLflow does not answer for too long, or takes nothing; when the store cannot be
    /// written; when another process is sending the same.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped at any time: whoever goes on looks up what was under way.
    pub async fn run(
        &self,
        progress: &mut dyn FnMut(SyncProgress),
    ) -> Result<SyncProgress, SyncError> {
        let pace = Pace::new(self.backend.max_concurrency, self.rate);
        let mut total = SyncProgress::default();
        for experiment in self.experiments().await? {
            for mode in SyncMode::ALL.into_iter().filter(|mode| self.modes.contains(mode)) {
                let outbox = self.outbox(&experiment, mode).await?;
                let _lease = self.lease(&outbox)?;
                match mode {
                    SyncMode::Summary => {
                        total.minutes += Summary::new(self, &pace, outbox).send().await?;
                    }
                    SyncMode::Runs => {
                        self.send_all::<Run>(&pace, outbox, &mut total, progress).await?;
                    }
                    SyncMode::Traces => {
                        self.send_all::<Trace>(&pace, outbox, &mut total, progress).await?;
                    }
                }
                progress(total);
            }
        }
        Ok(total)
    }

    async fn send_all<P: Parcel>(
        &self,
        pace: &Pace,
        outbox: Outbox,
        total: &mut SyncProgress,
        progress: &mut dyn FnMut(SyncProgress),
    ) -> Result<(), SyncError> {
        let pass = Pass::new(self, pace, outbox);
        let before = *total;
        *total = before + pass.send::<P>(&mut |now| progress(before + now)).await?;
        total.deleted += pass.resolve_doubts::<P>(true).await?;
        Ok(())
    }

    /// What waits, by experiment and mode. Blocks; a store that is open for reading will do.
    ///
    /// # Errors
    ///
    /// When there is no such experiment, or the store cannot be read.
    pub fn waiting(&self) -> Result<Vec<SyncStat>, StoreError> {
        let mut found = Vec::new();
        for experiment in self.store.experiment_names(self.experiment.as_deref())? {
            for mode in &self.modes {
                let to = self.backend.address();
                let mode = mode.as_str();
                found.push(self.store.sync_stat(to, &experiment, mode, self.since_ns)?);
            }
        }
        Ok(found)
    }

    pub(super) fn lease(&self, outbox: &Outbox) -> Result<crate::store::Lease, SyncError> {
        let store = || self.store.path().to_owned();
        let lease = outbox.lease().map_err(|source| SyncError::Lock { store: store(), source })?;
        lease.ok_or_else(|| SyncError::Busy {
            store: store(),
            experiment: outbox.experiment().to_owned(),
            to: self.backend.address().to_owned(),
        })
    }

    pub(super) async fn outbox(
        &self,
        experiment: &str,
        mode: SyncMode,
    ) -> Result<Outbox, StoreError> {
        let (store, since) = (self.store.clone(), self.since_ns);
        let (to, experiment) = (self.backend.address().to_owned(), experiment.to_owned());
        blocking(self.store.path(), move || {
            Outbox::open(&store, &to, &experiment, mode.as_str(), since)
        })
        .await
    }

    async fn experiments(&self) -> Result<Vec<String>, StoreError> {
        let (store, only) = (self.store.clone(), self.experiment.clone());
        blocking(self.store.path(), move || store.experiment_names(only.as_deref())).await
    }
}

/// Which requests are of a sample.
const SALT: &str = "mlflow sync";

impl std::ops::Add for SyncProgress {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            refused: self.refused + other.refused,
            removed: self.removed + other.removed,
            left_out: self.left_out + other.left_out,
            deleted: self.deleted + other.deleted,
            minutes: self.minutes + other.minutes,
        }
    }
}
