//! One pass over the branches that wait.

use super::{
    MlflowSync, SyncError, SyncProgress,
    pace::Pace,
    parcel::{Parcel, Trouble},
    turns::{Turn, Turns},
    verdict::{Verdict, verdict},
};
use crate::{
    branch::BranchId,
    mlflow::{MlflowBackend, MlflowError},
    outbound::chance,
    store::{Claimed, Fate, Outbox, StoreError},
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
pub(super) struct Pass<'a> {
    sync: &'a MlflowSync,
    pace: &'a Pace,
    outbox: Arc<Outbox>,
    /// What went wrong last, to be told when it is given up.
    last: Mutex<Option<MlflowError>>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(sync: &'a MlflowSync, pace: &'a Pace, outbox: Outbox) -> Self {
        Self { sync, pace, outbox: Arc::new(outbox), last: Mutex::new(None) }
    }

    pub(super) fn backend(&self) -> &MlflowBackend {
        &self.sync.backend
    }

    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Sends until nothing waits.
    ///
    /// # Cancel safety
    ///
    /// What was sent and not noted yet is looked up by whoever goes on.
    pub(super) async fn send<P: Parcel>(
        &self,
        progress: &mut dyn FnMut(SyncProgress),
    ) -> Result<SyncProgress, SyncError> {
        let mut total = SyncProgress::default();
        let mut turns = Turns::<P::Key>::default();
        let mut under_way = HashSet::new();
        let mut sending = FuturesUnordered::new();
        let mut more = true;
        loop {
            if more && under_way.len() <= WINDOW / 2 {
                let claimed = self.claim(WINDOW - under_way.len(), &under_way).await?;
                more = claimed.more;
                total.left_out += claimed.left_out;
                total.removed += claimed.removed;
                for parcel in P::pack(claimed.branches) {
                    under_way.extend(parcel.branches());
                    let turn = turns.next(parcel.key());
                    sending.push(self.one(parcel, turn));
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
            let mut stopped = None;
            for (parcel, outcome) in ended {
                let branches = parcel.branches();
                under_way.retain(|id| !branches.contains(id));
                let mut outcome = match outcome {
                    Ok(outcome) => outcome,
                    Err(error) => {
                        stopped = Some(error);
                        continue;
                    }
                };
                *match outcome {
                    Fate::Refused => &mut total.refused,
                    Fate::Removed => &mut total.removed,
                    Fate::Sent | Fate::Doubtful(_) => &mut total.sent,
                } += branches.len() as u64;
                for id in branches {
                    outcomes.push((*id, outcome.clone()));
                    // It is one doubt.
                    if matches!(outcome, Fate::Doubtful(_)) {
                        outcome = Fate::Sent;
                    }
                }
            }
            self.blocking(move |outbox| outbox.settle(&outcomes)).await?;
            progress(total);
            if let Some(error) = stopped {
                return Err(error);
            }
            self.is_given_up()?;
        }
    }

    /// Sees to it that nothing is wrong where it may be, as soon as that can be known. How many
    /// runs were deleted.
    pub(super) async fn resolve_doubts<P: Parcel>(&self, wait: bool) -> Result<u64, SyncError> {
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
                    let resolved = P::resolve(self, &doubt).await;
                    permit.end(failure(&resolved));
                    match resolved {
                        Ok(count) => {
                            deleted += count;
                            let branch = doubt.branch;
                            self.blocking(move |outbox| outbox.resolve(branch)).await?;
                            break;
                        }
                        Err(Trouble::Store(error)) => return Err(error.into()),
                        Err(Trouble::Mlflow(error)) if verdict(&error) == Verdict::Denied => {
                            return Err(self.denied(error));
                        }
                        Err(Trouble::Mlflow(error)) => {
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

    /// One of them, however often it has to be tried.
    async fn one<P: Parcel>(&self, mut parcel: P, mut turn: Turn) -> (P, Result<Fate, SyncError>) {
        let (mut tries, mut refusals, mut pause, mut others) = (0_u32, 0_u32, FIRST_PAUSE, None);
        turn.come().await;
        loop {
            let begins = !parcel.has_begun();
            let permit = self.pace.enter(begins).await;
            let result = if begins { parcel.begin(self).await } else { parcel.finish(self).await };
            permit.end(failure(&result));
            let error = match result {
                Ok(()) if begins => {
                    if !P::WAITS_FOR_END {
                        turn.pass();
                    }
                    continue;
                }
                Ok(()) => {
                    let outcome = parcel.outcome();
                    return (parcel, Ok(outcome));
                }
                Err(Trouble::Store(error)) => return (parcel, Err(error.into())),
                Err(Trouble::Mlflow(error)) => error,
            };
            tries += 1;
            let answers = self.pace.answers();
            let blame = tries >= TRIES
                && matches!(error, MlflowError::Answered { .. })
                && answers >= *others.get_or_insert(answers) + OTHERS;
            match verdict(&error) {
                Verdict::Denied => return (parcel, Err(self.denied(error))),
                Verdict::Refused => {
                    refusals += 1;
                    if refusals == REFUSALS {
                        refused(&parcel, &error);
                        return (parcel, Ok(Fate::Refused));
                    }
                }
                _ if blame => {
                    refused(&parcel, &error);
                    return (parcel, Ok(Fate::Refused));
                }
                Verdict::Gone if !begins => parcel.start_again(),
                Verdict::Gone | Verdict::Again => {}
            }
            if tries >= STEPS_ASIDE && !P::WAITS_FOR_END {
                turn.pass();
            }
            self.note(error);
            sleep(pause.mul_f64(chance())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn denied(&self, error: MlflowError) -> SyncError {
        SyncError::denied(self.sync.backend.address(), error)
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

    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Outbox) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let outbox = Arc::clone(&self.outbox);
        super::blocking(self.sync.store.path(), move || work(&outbox)).await
    }
}

fn failure<T>(result: &Result<T, Trouble>) -> Option<&MlflowError> {
    match result {
        Err(Trouble::Mlflow(error)) => Some(error),
        _ => None,
    }
}

fn refused<P: Parcel>(parcel: &P, error: &MlflowError) {
    let branch = parcel.branches().first().map(tracing::field::display);
    tracing::warn!(branch, %error, "MLflow does not take {}; it is not sent again", P::WHAT);
}

/// Since 1970.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
