//! A branch on its way through the evaluation.

use super::{
    Evaluation, Missed,
    evaluators::{Judge, Plan},
    function::Busy,
    pending::Pending,
};
use crate::{
    BoxError,
    branch::Branch,
    caught::caught,
    trial::{Room, Sink},
};
use futures_util::future::{BoxFuture, Either, join_all, select};
use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll};
use tokio::{runtime::Handle, sync::watch, time::timeout};

/// A branch that is to be recorded: handed on once, at the latest when this is dropped.
pub(super) struct Due {
    branch: Option<Arc<Branch>>,
    sink: Arc<dyn Sink>,
    _pending: Pending,
}

impl Due {
    pub(super) fn new(branch: Branch, sink: Arc<dyn Sink>, pending: Pending) -> Self {
        Self { branch: Some(Arc::new(branch)), sink, _pending: pending }
    }

    pub(super) fn branch(&self) -> Option<&Arc<Branch>> {
        self.branch.as_ref()
    }

    /// Changes the branch. (It is copied only if an evaluator that hangs still holds it.)
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Branch)) {
        if let Some(branch) = &mut self.branch {
            change(Arc::make_mut(branch));
        }
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        if let Some(branch) = self.branch.take() {
            self.sink.branch(Arc::unwrap_or_clone(branch));
        }
    }
}

/// A branch that waits to be evaluated. Dropped, it is recorded as it is.
pub(super) struct Turn {
    pub(super) evaluation: Evaluation,
    /// That it is not known what was expected counts as a number missed.
    pub(super) expects: bool,
    pub(super) due: Due,
    /// What its bodies take of what may be kept, until this is over.
    pub(super) rooms: Vec<Room>,
}

impl Turn {
    /// Has it judged by all, until that is stopped, and hands it on.
    pub(super) async fn run(
        self,
        plan: Arc<Plan>,
        runners: Option<Handle>,
        stops: watch::Receiver<()>,
    ) {
        let Self { evaluation, expects, mut due, rooms } = self;
        let knows = evaluation.expected().is_some();
        let judged = plan.judges.iter().filter(|judge| knows || !judge.evaluator.needs_expected());
        let runs = judged.map(|judge| {
            let score = one(judge, evaluation.clone(), &plan, runners.as_ref(), stops.clone());
            async move { (judge, score.await) }
        });
        let scores = join_all(runs).await;
        drop(evaluation);
        due.change(|branch| {
            for (judge, score) in scores {
                match score {
                    Ok(score) if branch.metrics.set(&judge.counts.name, score) => {
                        judge.counts.had();
                    }
                    Ok(_) => judge.counts.missed(Missed::Error),
                    Err(why) => judge.counts.missed(why),
                }
            }
        });
        if expects && !knows {
            let missed = plan.judges.iter().filter(|judge| judge.evaluator.needs_expected());
            missed.for_each(|judge| judge.counts.missed(Missed::NoExpected));
        }
        drop(rooms);
    }

    /// Hands it on as it is.
    pub(super) fn give_up(self, plan: &Plan, why: Missed) {
        plan.judges.iter().for_each(|judge| judge.counts.missed(why));
    }
}

/// What one of them says.
async fn one(
    judge: &Judge,
    evaluation: Evaluation,
    plan: &Plan,
    runners: Option<&Handle>,
    mut stops: watch::Receiver<()>,
) -> Result<f64, Missed> {
    let run = |evaluation| judge.evaluator.clone().run(evaluation);
    let said = match runners.filter(|_| !judge.evaluator.is_quick()) {
        None => unpanicking(run(evaluation)).await?,
        Some(runners) => {
            let permit = judge.free.clone().try_acquire_owned().map_err(|_| Missed::Busy)?;
            let run = run(evaluation);
            let mut task = runners.spawn(async move {
                let _permit = permit;
                run.await
            });
            let in_time = timeout(plan.bounds.timeout, &mut task);
            let ended = match select(pin!(in_time), pin!(stops.changed())).await {
                Either::Left((ended, _)) => ended.map_err(|_| Missed::Timeout),
                Either::Right(_) => Err(Missed::Stopped),
            };
            match ended {
                Err(why) => {
                    task.abort();
                    return Err(why);
                }
                Ok(Err(error)) if error.is_panic() => return Err(Missed::Panic),
                Ok(Err(_)) => return Err(Missed::Error),
                Ok(Ok(said)) => said,
            }
        }
    };
    match said {
        Ok(Some(score)) if score.is_finite() => Ok(score),
        Ok(Some(_)) => Err(Missed::Error),
        Ok(None) => Err(Missed::NoValue),
        Err(error) if error.is::<Busy>() => Err(Missed::Busy),
        Err(error) => {
            tracing::debug!(%error, metric = %judge.counts.name, "an evaluator failed");
            Err(Missed::Error)
        }
    }
}

type Said = Result<Option<f64>, BoxError>;

async fn unpanicking(mut run: BoxFuture<'static, Said>) -> Result<Said, Missed> {
    poll_fn(|cx| match caught(|| run.as_mut().poll(cx)) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Missed::Panic)),
    })
    .await
}
