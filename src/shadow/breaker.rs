//! A circuit breaker: a shadow that fails most of the time is left alone for a while.
//!
//! Source: the pattern of Nygard, Release It! (2007): closed, open, half-open.

use super::BreakerSettings;
use serde::Serialize;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The window is forgotten piece by piece.
const PIECES: u32 = 10;

/// What a breaker does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Shadows run.
    Closed,
    /// Shadows are skipped.
    Open,
    /// A few shadows run, to see whether it may close.
    HalfOpen,
}

/// The breaker of one shadow.
#[derive(Debug)]
pub(super) struct Breaker {
    settings: BreakerSettings,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    /// Counts the changes of phase: what was let through in an earlier one says nothing now.
    turn: u64,
}

#[derive(Debug)]
enum Phase {
    Closed(Window),
    Open { until: Instant },
    HalfOpen { sent: u32, passed: u32 },
}

/// How shadows ended lately.
#[derive(Debug)]
struct Window {
    pieces: [Ends; PIECES as usize],
    at: usize,
    since: Instant,
}

#[derive(Debug, Clone, Copy, Default)]
struct Ends {
    all: u32,
    failed: u32,
}

impl Window {
    fn new(now: Instant) -> Self {
        Self { pieces: [Ends::default(); PIECES as usize], at: 0, since: now }
    }

    fn add(&mut self, now: Instant, length: Duration, failed: bool) -> Ends {
        let piece = (length / PIECES).max(Duration::from_millis(1));
        let passed = now.saturating_duration_since(self.since).as_nanos() / piece.as_nanos();
        for _ in 0..passed.min(u128::from(PIECES)) {
            self.at = (self.at + 1) % self.pieces.len();
            self.pieces[self.at] = Ends::default();
        }
        if passed > 0 {
            // Within a piece of now, whatever was skipped.
            let rest = now.saturating_duration_since(self.since).as_nanos() % piece.as_nanos();
            self.since = now - Duration::from_nanos(u64::try_from(rest).unwrap_or(0));
        }
        let current = &mut self.pieces[self.at];
        current.all += 1;
        current.failed += u32::from(failed);
        self.pieces.iter().fold(Ends::default(), |sum, ends| Ends {
            all: sum.all.saturating_add(ends.all),
            failed: sum.failed.saturating_add(ends.failed),
        })
    }
}

impl Breaker {
    pub(super) fn new(settings: BreakerSettings) -> Arc<Self> {
        let phase = Phase::Closed(Window::new(Instant::now()));
        Arc::new(Self { settings, inner: Mutex::new(Inner { phase, turn: 0 }) })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets one more shadow through, or not.
    pub(super) fn pass(self: &Arc<Self>) -> Option<Pass> {
        let mut inner = self.inner();
        if let Phase::Open { until } = inner.phase {
            if Instant::now() < until {
                return None;
            }
            inner.turn += 1;
            inner.phase = Phase::HalfOpen { sent: 0, passed: 0 };
        }
        if let Phase::HalfOpen { sent, .. } = &mut inner.phase {
            if *sent >= self.settings.probes.max(1) {
                return None;
            }
            *sent += 1;
        }
        Some(Pass { breaker: self.clone(), turn: inner.turn, is_settled: false })
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.inner().phase {
            Phase::Closed(_) => BreakerState::Closed,
            Phase::Open { until } if Instant::now() < until => BreakerState::Open,
            Phase::Open { .. } | Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    fn ended(&self, turn: u64, failed: bool) {
        let mut inner = self.inner();
        if inner.turn != turn {
            return;
        }
        let now = Instant::now();
        let settings = &self.settings;
        let next = match &mut inner.phase {
            Phase::Closed(window) => {
                let ends = window.add(now, settings.window, failed);
                let share = f64::from(ends.failed) / f64::from(ends.all);
                (ends.all >= settings.min_requests && share >= settings.failure_rate)
                    .then(|| Phase::Open { until: now + settings.open_for })
            }
            Phase::HalfOpen { .. } if failed => {
                Some(Phase::Open { until: now + settings.open_for })
            }
            Phase::HalfOpen { passed, .. } => {
                *passed += 1;
                (*passed >= settings.probes.max(1)).then(|| Phase::Closed(Window::new(now)))
            }
            Phase::Open { .. } => None,
        };
        if let Some(phase) = next {
            inner.phase = phase;
            inner.turn += 1;
        }
    }

    /// A probe that came to no end says nothing: another may go in its place.
    fn gave_up(&self, turn: u64) {
        let mut inner = self.inner();
        if inner.turn == turn
            && let Phase::HalfOpen { sent, .. } = &mut inner.phase
        {
            *sent = sent.saturating_sub(1);
        }
    }
}

/// One shadow that was let through. How it ends is to be said; dropped, it did not end.
#[derive(Debug)]
pub(super) struct Pass {
    breaker: Arc<Breaker>,
    turn: u64,
    is_settled: bool,
}

impl Pass {
    pub(super) fn ended(mut self, failed: bool) {
        self.is_settled = true;
        self.breaker.ended(self.turn, failed);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.is_settled {
            self.breaker.gave_up(self.turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> Arc<Breaker> {
        Breaker::new(BreakerSettings::default().min_requests(4).probes(2))
    }

    fn end(breaker: &Arc<Breaker>, failed: bool) {
        breaker.pass().unwrap().ended(failed);
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_at_the_rate_and_not_before_enough_have_ended() {
        let breaker = breaker();
        for _ in 0..3 {
            end(&breaker, true);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        end(&breaker, false);
        assert_eq!(breaker.state(), BreakerState::Open);
        assert!(breaker.pass().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_the_window_is_forgotten() {
        let breaker = breaker();
        for _ in 0..3 {
            end(&breaker, true);
        }
        advance(11 * SECOND).await;
        for _ in 0..4 {
            end(&breaker, false);
        }
        // Three of seven, or none of four: here the three no longer count.
        end(&breaker, true);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn after_its_time_as_many_probes_as_allowed_go_and_close_it_if_all_succeed() {
        let breaker = breaker();
        (0..4).for_each(|_| end(&breaker, true));
        advance(5 * SECOND).await;
        let (first, second) = (breaker.pass().unwrap(), breaker.pass().unwrap());
        assert!(breaker.pass().is_none());
        first.ended(false);
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        second.ended(false);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_fails_opens_it_again() {
        let breaker = breaker();
        (0..4).for_each(|_| end(&breaker, true));
        advance(5 * SECOND).await;
        end(&breaker, true);
        assert_eq!(breaker.state(), BreakerState::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_was_cut_off_makes_room_for_another() {
        let breaker = breaker();
        (0..4).for_each(|_| end(&breaker, true));
        advance(5 * SECOND).await;
        let (first, second) = (breaker.pass().unwrap(), breaker.pass().unwrap());
        drop(first);
        assert!(breaker.pass().is_some());
        second.ended(false);
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_it_opened_says_nothing_about_the_probes() {
        let breaker = breaker();
        let slow = breaker.pass().unwrap();
        (0..4).for_each(|_| end(&breaker, true));
        advance(5 * SECOND).await;
        let probe = breaker.pass().unwrap();
        slow.ended(true);
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        probe.ended(false);
        end(&breaker, false);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
}
