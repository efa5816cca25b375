//! Who answers for a branch.

use super::{Arms, End, Place, Reason, Record, Sink};
use crate::{
    assign,
    branch::{Failure, FailureKind, Role, SkipReason},
    clock::Tick,
    config::{Config, ConfigPool},
};
use std::{fmt, sync::Arc};

/// The one who answers for a branch. Exactly one of them is *armed* at any time: it ends the
/// branch, once, at the latest when it is dropped.
pub(crate) struct Seat {
    pub(crate) place: Place,
    armed: bool,
    pub(crate) reason: Option<Reason>,
}

impl Seat {
    pub(crate) const fn new(place: Place) -> Self {
        Self { place, armed: true, reason: None }
    }

    pub(crate) fn with_reason(place: Place, reason: &Reason) -> Self {
        Self { place, armed: true, reason: Some(reason.clone()) }
    }

    /// The same branch, chosen for this reason and with this probability.
    pub(crate) fn chosen(mut self, reason: assign::Reason, probability: f64) -> Self {
        self.place.set_choice(reason, probability);
        self
    }

    pub(crate) fn alone(experiment: &str, config: Config) -> Self {
        // One config is never an empty pool and never clashes.
        let pool = ConfigPool::single(config);
        let arms = Arms::new(experiment, "none", &pool);
        Self::new(Place::first(&arms[0], Role::Primary, 1.0, None))
    }

    /// A logging layer takes over: what is returned is its to end, and what travels on answers
    /// for nothing. `None` when another logging layer has done so already.
    pub(crate) fn take_over(&mut self, recorder: impl FnOnce() -> Arc<dyn Sink>) -> Option<Duty> {
        if !self.armed {
            return None;
        }
        self.place.arm.attach(recorder);
        self.armed = false;
        self.place.start_counting();
        let mut place = self.place.clone();
        if place.role() != Role::Primary {
            // It may have waited for its turn or for a thread; that was not its own time.
            place.start = Tick::now();
        }
        Some(Duty { place, reason: self.reason.clone() })
    }

    /// Ends the branch before it was sent on its way.
    pub(crate) fn skip(mut self, reason: SkipReason) {
        self.armed = false;
        let place = &self.place;
        place.arm.record_unseen(true, || Record::new(place.clone(), End::Skipped(reason)));
    }
}

/// How a branch ended that was dropped: for the reason its strategy left, in a panic, or because
/// the caller went away.
fn dropped_end<T>(reason: Option<&Reason>) -> End<T> {
    reason.and_then(Reason::end).unwrap_or_else(|| {
        if std::thread::panicking() {
            End::Failed(Box::new(Failure::new(
                FailureKind::Panic,
                "dropped by a panic outside the service",
            )))
        } else {
            End::Cancelled
        }
    })
}

/// What a logging layer took over: it ends the branch, exactly once.
pub(crate) struct Duty {
    pub(crate) place: Place,
    reason: Option<Reason>,
}

impl Duty {
    /// How this branch ended, if `seen` is what was seen of its end; `None` is a drop.
    pub(crate) fn judge<T>(&self, seen: Option<End<T>>) -> End<T> {
        let reason = self.reason.as_ref();
        match seen {
            Some(seen) => reason.and_then(Reason::end).unwrap_or(seen),
            None => dropped_end(reason),
        }
    }
}

impl Clone for Seat {
    /// A copy to look at: it answers for nothing.
    fn clone(&self) -> Self {
        Self { place: self.place.clone(), armed: false, reason: None }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.armed {
            let place = &self.place;
            let reason = self.reason.as_ref();
            let told = reason.is_some_and(Reason::is_set);
            place.arm.record_unseen(told, || Record::new(place.clone(), dropped_end(reason)));
        }
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}
