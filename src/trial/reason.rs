//! What only the strategy knows of an end.

use super::End;
use crate::{
    branch::{Failure, SkipReason},
    sync::{AtomicWaker, OnceLock},
};
use std::{
    sync::Arc,
    task::{Context, Poll},
};

/// Why a strategy is about to drop a branch, left for whoever sees the drop. What stands here
/// first is how the branch ended, whatever is seen of it afterwards.
#[derive(Debug, Clone, Default)]
pub struct Reason(Arc<Given>);

#[derive(Debug, Default)]
struct Given {
    ending: OnceLock<Ending>,
    /// The strategy, where it waits to hear of a reason that another leaves.
    listener: AtomicWaker,
}

#[derive(Debug)]
enum Ending {
    Failed(Failure),
    Skipped(SkipReason),
}

impl Reason {
    /// The branch has failed; unless something was said before.
    pub fn failed(&self, failure: Failure) {
        self.give(Ending::Failed(failure));
    }

    pub(crate) fn skipped(&self, reason: SkipReason) {
        self.give(Ending::Skipped(reason));
    }

    fn give(&self, ending: Ending) {
        let _ = self.0.ending.set(ending);
        self.0.listener.wake();
    }

    /// Ready when there is a reason. (One task at a time is woken.)
    pub(crate) fn poll_given(&self, cx: &Context<'_>) -> Poll<()> {
        self.0.listener.register(cx.waker());
        if self.is_set() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Why it was skipped, if it was.
    pub(crate) fn skip(&self) -> Option<SkipReason> {
        match self.0.ending.get() {
            Some(Ending::Skipped(reason)) => Some(*reason),
            Some(Ending::Failed(_)) | None => None,
        }
    }

    /// How it failed, if it did.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        match self.0.ending.get() {
            Some(Ending::Failed(failure)) => Some(failure),
            Some(Ending::Skipped(_)) | None => None,
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.ending.get().is_some()
    }

    pub(crate) fn end<T>(&self) -> Option<End<T>> {
        self.0.ending.get().map(|ending| match ending {
            Ending::Failed(failure) => End::Failed(Box::new(failure.clone())),
            Ending::Skipped(reason) => End::Skipped(*reason),
        })
    }
}
