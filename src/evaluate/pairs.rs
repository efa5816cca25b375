//! Where shadows find what their primaries answered.

use super::{evaluators::Bounds, turn::Turn};
use crate::branch::{Branch, BranchId};
use serde_json::Value;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// How many answers of primaries are kept for each shadow that may wait.
const ANSWERS: usize = 16;

/// What the branches share that are held against one another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Request {
    experiment: Arc<str>,
    id: BranchId,
    parent: Option<BranchId>,
}

impl Request {
    pub(super) fn of(branch: &Branch) -> Self {
        Self { experiment: branch.experiment.clone(), id: branch.request_id, parent: branch.parent }
    }
}

/// What the primary answered: its value, or none if it had no answer that could be read.
pub(super) type Answer = Option<Arc<Value>>;

/// The primaries' answers of the last while, and the shadows that wait for one. Both are bounded, in number and
/// in time.
pub(super) struct Pairs {
    most: usize,
    most_bytes: usize,
    patience: Duration,
    answers: HashMap<Request, (Answer, usize)>,
    bytes: usize,
    answered: VecDeque<(Instant, Request)>,
    waiting: HashMap<Request, Vec<Turn>>,
    asked: VecDeque<(Instant, Request)>,
    count: usize,
}

impl Pairs {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            most: bounds.waiting,
            most_bytes: bounds.max_bytes,
            patience: bounds.patience,
            answers: HashMap::new(),
            bytes: 0,
            answered: VecDeque::new(),
            waiting: HashMap::new(),
            asked: VecDeque::new(),
            count: 0,
        }
    }

    /// How many shadows wait.
    pub(super) const fn waiting(&self) -> usize {
        self.count
    }

    /// A primary has answered by so many bytes; who waited for it.
    pub(super) fn answer(
        &mut self,
        request: Request,
        answer: Answer,
        bytes: usize,
        now: Instant,
    ) -> Vec<Turn> {
        let released = self.waiting.remove(&request).unwrap_or_default();
        self.count -= released.len();
        if self.asked.len() > self.most.saturating_mul(2) {
            self.asked.retain(|(_, request)| self.waiting.contains_key(request));
        }
        // Another shadow of the same request may come later.
        self.bytes += bytes;
        match self.answers.insert(request.clone(), (answer, bytes)) {
            None => self.answered.push_back((now, request)),
            Some((_, before)) => self.bytes -= before,
        }
        while self.answered.len() > self.most.saturating_mul(ANSWERS)
            || self.bytes > self.most_bytes
        {
            let Some((_, oldest)) = self.answered.pop_front() else { break };
            self.forget(&oldest);
        }
        released
    }

    fn forget(&mut self, request: &Request) {
        if let Some((_, bytes)) = self.answers.remove(request) {
            self.bytes -= bytes;
        }
    }

    /// What the primary of this request answered, if that is known.
    pub(super) fn known(&self, request: &Request) -> Option<&Answer> {
        self.answers.get(request).map(|(answer, _)| answer)
    }

    /// Lets a shadow wait for its primary's answer.
    pub(super) fn wait(&mut self, request: Request, turn: Turn, now: Instant) {
        self.count += 1;
        self.asked.push_back((now, request.clone()));
        self.waiting.entry(request).or_default().push(turn);
    }

    /// When the next has waited, or was kept, for long enough.
    pub(super) fn next(&self) -> Option<Instant> {
        let first = |queue: &VecDeque<(Instant, Request)>| queue.front().map(|(since, _)| *since);
        let since = [first(&self.answered), first(&self.asked)].into_iter().flatten().min()?;
        since.checked_add(self.patience)
    }

    /// Forgets old answers; those that have waited for long enough, or, at the end, all that wait.
    pub(super) fn given_up(&mut self, now: Instant, all: bool) -> Vec<Turn> {
        let old = |queue: &VecDeque<(Instant, Request)>| {
            let is_old = |since: Instant| now.saturating_duration_since(since) >= self.patience;
            queue.iter().take_while(|(since, _)| is_old(*since)).count()
        };
        let forgotten = old(&self.answered);
        let asked = if all { self.asked.len() } else { old(&self.asked) };
        for _ in 0..forgotten {
            if let Some((_, request)) = self.answered.pop_front() {
                self.forget(&request);
            }
        }
        let mut turns = Vec::new();
        for (_, request) in self.asked.drain(..asked) {
            turns.extend(self.waiting.remove(&request).unwrap_or_default());
        }
        self.count -= turns.len();
        turns
    }
}
