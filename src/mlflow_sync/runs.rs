//! Each branch as a run, once.

use super::{
    MlflowSync, SyncError, SyncProgress,
    pace::Pace,
    turns::{Turn, Turns},
    verdict::{Verdict, verdict},
};
use crate::{
    as_run::Recorded,
    branch::BranchId,
    mlflow::{Delivery, MlflowError, chance},
    store::{BranchRow, Claimed, Outbox, Outcome, StoreError},
};
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{sleep, timeout};

/// How many branches are held at a time: sent, or waiting for their turn. After a crash as many
/// are looked up.
const WINDOW: usize = 64;
/// The first pause of a branch is up to this long; each further one up to twice as long …
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// … but never longer than this.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// After so many tries others of its config need not wait for a branch …
const STEPS_ASIDE: u32 = 5;
/// … and after so many, while the server answers others, it is the branch that is to blame.
const TRIES: u32 = 12;
const OTHERS: u64 = 10;
/// So often must MLflow refuse a branch: two requests that write the same at the same time, one of
/// them given up, can be in each other's way.
pub(super) const REFUSALS: u32 = 3;
/// How long a request that was given up may take to have its effect.
pub(super) const SETTLES: Duration = Duration::from_secs(10);
const DOUBTS: usize = 256;

/// One pass over what waits.
pub(super) struct Runs<'a> {
    sync: &'a MlflowSync,
    pace: &'a Pace,
    outbox: Arc<Outbox>,
    /// What went wrong last, to be told when it is given up.
    last: Mutex<Option<MlflowError>>,
}

impl<'a> Runs<'a> {
    pub(super) fn new(sync: &'a MlflowSync, pace: &'a Pace, outbox: Outbox) -> Self {
        Self { sync, pace, outbox: Arc::new(outbox), last: Mutex::new(None) }
    }

    /// Sends until nothing waits.
    ///
    /// # Cancel safety
    ///
    /// What was sent and not noted yet is looked up by whoever goes on.
    pub(super) async fn send(
        &self,
        progress: &mut dyn FnMut(SyncProgress),
    ) -> Result<SyncProgress, SyncError> {
        let mut total = SyncProgress::default();
        let mut turns = Turns::default();
        let mut under_way = HashSet::new();
        let mut sending = FuturesUnordered::new();
        let mut more = true;
        loop {
            if more && under_way.len() <= WINDOW / 2 {
                let claimed = self.claim(WINDOW - under_way.len(), &under_way).await?;
                more = claimed.more;
                total.left_out += claimed.left_out;
                total.removed += claimed.removed;
                for (row, tried) in claimed.branches {
                    under_way.insert(row.id);
                    let turn = turns.next(&row.config_id);
                    sending.push(self.one(row, tried, turn));
                }
                progress(total);
            }
            if sending.is_empty() {
                if more {
                    continue;
                }
                return Ok(total);
            }
            let Ok(first) = timeout(Duration::from_secs(1), sending.next()).await else {
                self.is_given_up()?;
                continue;
            };
            let mut ended: Vec<_> = first.into_iter().collect();
            while let Some(Some(next)) = sending.next().now_or_never() {
                ended.push(next);
            }
            let mut outcomes = Vec::with_capacity(ended.len());
            let mut denied = None;
            for (id, outcome) in ended {
                under_way.remove(&id);
                match outcome {
                    Ok(Outcome::Refused) => total.refused += 1,
                    Ok(_) => total.sent += 1,
                    Err(_) => {}
                }
                match outcome {
                    Ok(outcome) => outcomes.push((id, outcome)),
                    Err(error) => denied = Some(error),
                }
            }
            self.blocking(move |outbox| outbox.settle(&outcomes)).await?;
            progress(total);
            if let Some(error) = denied {
                return Err(SyncError::denied(self.sync.backend.address(), error));
            }
            self.is_given_up()?;
        }
    }

    /// Sees to it that there is one run of each branch of which there may be two.
    pub(super) async fn resolve_doubts(&self, wait: bool) -> Result<u64, SyncError> {
        let mut deleted = 0;
        loop {
            let doubts = self.blocking(|outbox| outbox.doubts(DOUBTS)).await?;
            if doubts.is_empty() {
                return Ok(deleted);
            }
            for doubt in doubts {
                let age = now().saturating_sub(Duration::from_millis(doubt.since_ms));
                // (A clock that was set back must not hold it up for ever.)
                let left = SETTLES.saturating_sub(age);
                if !left.is_zero() {
                    if !wait {
                        return Ok(deleted);
                    }
                    sleep(left).await;
                }
                let mut pause = FIRST_PAUSE;
                loop {
                    let permit = self.pace.enter(false).await;
                    let experiment = self.outbox.experiment();
                    let backend = &self.sync.backend;
                    let kept = backend.keep_one(experiment, doubt.branch, &doubt.run_id).await;
                    permit.end(kept.as_ref().err());
                    match kept {
                        Ok(count) => {
                            deleted += count;
                            let branch = doubt.branch;
                            self.blocking(move |outbox| outbox.resolve(branch)).await?;
                            break;
                        }
                        Err(error) if verdict(&error) == Verdict::Denied => {
                            return Err(SyncError::denied(backend.address(), error));
                        }
                        Err(error) => {
                            self.note(error);
                            self.is_given_up()?;
                            sleep(pause.mul_f64(chance())).await;
                            pause = (pause * 2).min(LONGEST_PAUSE);
                        }
                    }
                }
            }
        }
    }

    /// One branch, however often it has to be tried.
    async fn one(
        &self,
        row: BranchRow,
        tried: bool,
        mut turn: Turn,
    ) -> (BranchId, Result<Outcome, MlflowError>) {
        let branch = Recorded::from(&row);
        let mut delivery = Delivery::new(tried);
        let (mut tries, mut refusals, mut pause, mut others) = (0_u32, 0_u32, FIRST_PAUSE, None);
        turn.come().await;
        loop {
            let begins = !delivery.has_run();
            let permit = self.pace.enter(begins).await;
            let backend = &self.sync.backend;
            let result = if begins {
                backend.begin_once(&branch, &mut delivery).await
            } else {
                backend.finish_once(&branch, &mut delivery).await
            };
            permit.end(result.as_ref().err());
            let error = match result {
                Ok(()) if begins => {
                    turn.pass();
                    continue;
                }
                Ok(()) => {
                    let outcome = delivery.doubt().map_or(Outcome::Sent, Outcome::Doubtful);
                    return (row.id, Ok(outcome));
                }
                Err(error) => error,
            };
            tries += 1;
            let answers = self.pace.answers();
            let blame = tries >= TRIES
                && matches!(error, MlflowError::Answered { .. })
                && answers >= *others.get_or_insert(answers) + OTHERS;
            match verdict(&error) {
                Verdict::Denied => return (row.id, Err(error)),
                Verdict::Refused => {
                    refusals += 1;
                    if refusals == REFUSALS {
                        return (row.id, Ok(self.refused(row.id, &error)));
                    }
                }
                _ if blame => return (row.id, Ok(self.refused(row.id, &error))),
                Verdict::Gone if !begins => delivery.start_again(),
                Verdict::Gone | Verdict::Again => {}
            }
            if tries >= STEPS_ASIDE {
                turn.pass();
            }
            self.note(error);
            sleep(pause.mul_f64(chance())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn refused(&self, branch: BranchId, error: &MlflowError) -> Outcome {
        tracing::warn!(%branch, %error, "MLflow does not take a branch; it is not sent again");
        Outcome::Refused
    }

    fn note(&self, error: MlflowError) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn is_given_up(&self) -> Result<(), SyncError> {
        let (Some(patience), Some(failing)) = (self.sync.give_up_after, self.pace.failing_for())
        else {
            return Ok(());
        };
        if failing < patience {
            return Ok(());
        }
        match self.last.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(SyncError::down(self.sync.backend.address(), failing, error)),
            None => Ok(()),
        }
    }

    async fn claim(
        &self,
        max: usize,
        under_way: &HashSet<BranchId>,
    ) -> Result<Claimed, StoreError> {
        let (under_way, sample) = (under_way.clone(), self.sync.sample.clone());
        self.blocking(move |outbox| {
            outbox.claim(max, &under_way, &|request| sample.has(request.as_bytes()))
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Outbox) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let outbox = Arc::clone(&self.outbox);
        super::blocking(self.sync.store.path(), move || work(&outbox)).await
    }
}

/// Since 1970.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
