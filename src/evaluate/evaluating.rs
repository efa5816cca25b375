//! Evaluation at work.

use super::{EvaluationStats, Missed, evaluators::Plan, job::Job, stage};
#[cfg(feature = "compare")]
use crate::capture::Capture;
use crate::{
    branch::{Role, Status},
    trial::{Record, Sink},
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::sync::mpsc::{self, error::TrySendError};

/// How long handing on what is not evaluated may take.
const HAND_ON: Duration = Duration::from_secs(1);

/// [`Evaluators`](super::Evaluators) at work, for [`LogLayer::evaluate`](crate::LogLayer::evaluate). Cheap to clone; the
/// clones share bounds and counters. Its threads start with the first branch, and end with the last clone.
#[derive(Clone)]
pub struct Evaluating {
    shared: Arc<Shared>,
}

struct Shared {
    plan: Arc<Plan>,
    /// `None` if there is no thread to be had.
    queue: OnceLock<Option<mpsc::Sender<Job>>>,
    #[cfg(feature = "compare")]
    capture: Capture,
}

/// Some branches were not evaluated in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{waiting} branches were not evaluated in time")]
#[non_exhaustive]
pub struct NotEvaluated {
    /// How many they are.
    pub waiting: usize,
}

impl Evaluating {
    pub(super) fn new(plan: Plan) -> Self {
        #[cfg(feature = "compare")]
        let capture = Capture::new(plan.bounds.max_body, plan.bounds.max_bytes);
        let shared = Shared {
            plan: Arc::new(plan),
            queue: OnceLock::new(),
            #[cfg(feature = "compare")]
            capture,
        };
        Self { shared: Arc::new(shared) }
    }

    /// What became of the numbers so far.
    pub fn stats(&self) -> EvaluationStats {
        let plan = &self.shared.plan;
        EvaluationStats {
            metrics: plan
                .counts()
                .map(|counts| (counts.name.to_string(), counts.stats()))
                .collect(),
            waiting: plan.underway.count(),
        }
    }

    /// Waits until every branch so far was handed to its recorder, at most for `deadline`. (Then
    /// [drain](crate::Recorder::drain) that.) Meanwhile no shadow waits for its primary's answer. What is not
    /// evaluated by the deadline is handed on as it is, which takes a second at most, and
    /// [counted](super::Missed::Stopped); what comes later is evaluated again.
    ///
    /// # Errors
    ///
    /// When the deadline passes.
    ///
    /// # Cancel safety
    ///
    /// Safe: they are handed on all the same.
    pub async fn drain(&self, deadline: Duration) -> Result<(), NotEvaluated> {
        let underway = &self.shared.plan.underway;
        if tokio::time::timeout(deadline, underway.none_left()).await.is_ok() {
            return Ok(());
        }
        let waiting = underway.count();
        underway.stop();
        // A thread that is stuck all the same holds up no shutdown.
        let _ = tokio::time::timeout(HAND_ON, underway.none_left()).await;
        Err(NotEvaluated { waiting })
    }

    /// Whether requests are looked at.
    #[cfg(feature = "proxy")]
    pub(crate) fn reads_requests(&self) -> bool {
        !self.shared.plan.judges.is_empty()
    }

    /// What of bodies may be kept.
    #[cfg(feature = "compare")]
    pub(crate) fn capture(&self) -> &Capture {
        &self.shared.capture
    }

    /// Hands on what has nothing to be evaluated; everything else when it was. Never waits.
    pub(crate) fn take(&self, record: Record, sink: impl Sink + 'static) {
        let plan = &self.shared.plan;
        let kept = record.place.take_kept();
        let has_answer = kept.as_ref().is_some_and(|kept| kept.response.is_some());
        // Shadows wait for what it answered, even if that is nothing.
        let is_awaited = record.place.role() == Role::Primary && plan.pairs_up();
        if record.status() != Status::Success && !has_answer && !is_awaited {
            return sink.record(record);
        }
        let job = Job::new(plan, record, kept.unwrap_or_default(), Arc::new(sink));
        let queue = self.shared.queue.get_or_init(|| stage::start(plan.clone()));
        let refused = match queue {
            None => job,
            Some(queue) => match queue.try_send(job) {
                Ok(()) => return,
                Err(TrySendError::Full(job) | TrySendError::Closed(job)) => job,
            },
        };
        refused.give_up(Missed::QueueFull);
    }
}

impl fmt::Debug for Evaluating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluating").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
