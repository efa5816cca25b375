//! Branches as they finish.

use super::arm::BoxArm;
use crate::{branch::Branch, carrier::Pump};
use futures_util::stream::{FuturesUnordered, Stream};
use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The branches of one request, each as it finishes. Dropping it cancels those that have not.
pub struct BranchStream<T> {
    running: FuturesUnordered<BoxArm<T>>,
    waiting: VecDeque<BoxArm<T>>,
    pump: Option<Pump>,
}

impl<T> BranchStream<T> {
    pub(super) fn new(
        mut waiting: VecDeque<BoxArm<T>>,
        max_concurrent: usize,
        pump: Option<Pump>,
    ) -> Self {
        let now = max_concurrent.min(waiting.len());
        Self { running: waiting.drain(..now).collect(), waiting, pump }
    }

    /// How many branches have not finished yet.
    pub fn remaining(&self) -> usize {
        self.running.len() + self.waiting.len()
    }

    /// Cancels the branches that have not finished; what feeds the others goes on.
    #[cfg(feature = "http")]
    pub(crate) fn into_pump(self) -> Option<Pump> {
        self.pump
    }

    /// As [`Stream::poll_next`], with the branch's position in the pool.
    pub(crate) fn poll_placed(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, Branch<T>)>> {
        if let Some(pump) = &mut self.pump
            && pump.as_mut().poll(cx).is_ready()
        {
            self.pump = None;
        }
        let next = ready!(Pin::new(&mut self.running).poll_next(cx));
        if next.is_some()
            && let Some(arm) = self.waiting.pop_front()
        {
            self.running.push(arm);
        }
        Poll::Ready(next)
    }
}

impl<T> Stream for BranchStream<T> {
    type Item = Branch<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Branch<T>>> {
        self.get_mut().poll_placed(cx).map(|next| next.map(|(_, branch)| branch))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining(), Some(self.remaining()))
    }
}

impl<T> fmt::Debug for BranchStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BranchStream").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}
