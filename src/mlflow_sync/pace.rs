//! How much the server is asked at a time.
//!
//! Additive increase, multiplicative decrease (Chiu and Jain, 1989): each answer that comes in time
//! lets a little more be asked at once, and each sign of trouble halves it.

use crate::mlflow::MlflowError;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// An answer that takes longer is a sign of trouble.
const SLOW: Duration = Duration::from_secs(1);
/// One trouble is met with many failures: it is halved once in this time.
const CUT_EVERY: Duration = Duration::from_millis(500);
/// At first.
const START: f64 = 2.0;
/// The longest `Retry-After` that is believed.
const LONGEST_ASKED: Duration = Duration::from_secs(3_600);

#[derive(Debug)]
pub(super) struct Pace {
    most: f64,
    /// Between the beginnings of two runs.
    interval: Option<Duration>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    limit: f64,
    under_way: usize,
    /// Nothing is asked before: the server said so.
    not_before: Instant,
    /// The next run may begin.
    next_run: Instant,
    cut: Option<Instant>,
    /// When an answer last came, or it began.
    well: Instant,
    /// Answers, and whether the last was none.
    answers: u64,
    failing: bool,
    /// What the last failure was.
    trouble: String,
}

/// The leave to ask once.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    pace: &'a Pace,
    since: Instant,
}

impl Pace {
    /// At most `most` at once, and `rate` runs a second.
    pub(super) fn new(most: usize, rate: Option<f64>) -> Self {
        let now = Instant::now();
        let most = most.max(1) as f64;
        Self {
            most,
            interval: rate.map(|rate| Duration::from_secs_f64(1.0 / rate.clamp(0.001, 1e6))),
            state: Mutex::new(State {
                limit: START.min(most),
                under_way: 0,
                not_before: now,
                next_run: now,
                cut: None,
                well: now,
                answers: 0,
                failing: false,
                trouble: String::new(),
            }),
            changed: Notify::new(),
        }
    }

    /// Waits for the leave to ask once; `begins` a run.
    pub(super) async fn enter(&self, begins: bool) -> Permit<'_> {
        loop {
            let changed = self.changed.notified();
            let wait = {
                let mut state = self.lock();
                let now = Instant::now();
                let mut from = state.not_before;
                if begins && self.interval.is_some() {
                    from = from.max(state.next_run);
                }
                let full = state.under_way as f64 + 1.0 > state.limit.max(1.0);
                if !full && from <= now {
                    if let (true, Some(interval)) = (begins, self.interval) {
                        state.next_run = now + interval;
                    }
                    state.under_way += 1;
                    return Permit { pace: self, since: now };
                }
                (!full).then_some(from)
            };
            match wait {
                Some(from) => sleep_until(from).await,
                None => changed.await,
            }
        }
    }

    /// For how long nothing has been answered, while something failed.
    pub(super) fn failing_for(&self) -> Option<Duration> {
        let state = self.lock();
        state.failing.then(|| state.well.elapsed())
    }

    /// What the last failure was.
    pub(super) fn trouble(&self) -> String {
        self.lock().trouble.clone()
    }

    /// How many answers there were.
    pub(super) fn answers(&self) -> u64 {
        self.lock().answers
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// What came of it.
    pub(super) fn end(self, error: Option<&MlflowError>) {
        let now = Instant::now();
        let took = now - self.since;
        let mut state = self.pace.lock();
        let is_trouble = error.is_some_and(MlflowError::is_transient);
        if let Some(MlflowError::Answered { retry_after: Some(seconds), .. }) = error {
            let asked = Duration::from_secs(*seconds).min(LONGEST_ASKED);
            state.not_before = state.not_before.max(now + asked);
        }
        if let Some(error) = error.filter(|_| is_trouble) {
            state.failing = true;
            state.trouble = error.to_string();
        } else {
            state.failing = false;
            state.well = now;
            state.answers += 1;
        }
        if is_trouble || took > SLOW {
            if state.cut.is_none_or(|cut| now - cut > CUT_EVERY) {
                state.limit = (state.limit / 2.0).max(1.0);
                state.cut = Some(now);
            }
        } else if state.under_way as f64 + 1.0 > state.limit {
            // What was not used to the full says nothing about more.
            state.limit = (state.limit + 1.0 / state.limit).min(self.pace.most);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.pace.lock().under_way -= 1;
        self.pace.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<u64>) -> MlflowError {
        let (path, error_code, message) = <(String, String, String)>::default();
        MlflowError::Answered { path, status, error_code, message, retry_after }
    }

    async fn fill(pace: &Pace) -> Vec<Permit<'_>> {
        let mut permits = Vec::new();
        while let Ok(permit) =
            tokio::time::timeout(Duration::from_millis(1), pace.enter(false)).await
        {
            permits.push(permit);
        }
        permits
    }

    #[tokio::test(start_paused = true)]
    async fn answers_in_time_let_more_be_asked_at_once_up_to_the_most() {
        let pace = Pace::new(8, None);
        assert_eq!(fill(&pace).await.len(), 2);
        for _ in 0..100 {
            fill(&pace).await.into_iter().for_each(|permit| permit.end(None));
        }
        assert_eq!(fill(&pace).await.len(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_halves_it_once_for_all_that_fail_together() {
        for trouble in [answered(429, None), answered(503, None)] {
            let pace = Pace::new(8, None);
            for _ in 0..100 {
                fill(&pace).await.into_iter().for_each(|permit| permit.end(None));
            }
            fill(&pace).await.into_iter().for_each(|permit| permit.end(Some(&trouble)));
            assert_eq!(fill(&pace).await.len(), 4);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn slow_answers_are_trouble() {
        let pace = Pace::new(8, None);
        let permits = fill(&pace).await;
        tokio::time::advance(Duration::from_secs(2)).await;
        permits.into_iter().for_each(|permit| permit.end(None));
        assert_eq!(fill(&pace).await.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_asks_before_the_server_wants_to_be_asked_again() {
        let pace = Pace::new(8, None);
        pace.enter(false).await.end(Some(&answered(429, Some(7))));
        let before = Instant::now();
        pace.enter(false).await.end(None);
        assert!(before.elapsed() >= Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn runs_begin_no_faster_than_the_rate() {
        let pace = Pace::new(8, Some(4.0));
        let before = Instant::now();
        for _ in 0..9 {
            pace.enter(true).await.end(None);
            pace.enter(false).await.end(None);
        }
        assert_eq!(before.elapsed().as_millis() / 10, 200);
    }
}
