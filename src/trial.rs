//! A request, the config assigned to it, and its place in the experiment.
//!
//! A strategy calls the service under it with a [`Trial`]; the service reads its config from it.
//! (Around HTTP services the same facts travel in the request's extensions instead, see
//! [`http`](crate::http).)
//!
//! ```
//! use serde_json::json;
//! use tower_spearmint::{Config, Trial};
//!
//! fn greet(trial: &Trial<&str>) -> String {
//!     let greeting: String = trial.config().get_or("greeting", "Hello".into()).unwrap();
//!     format!("{greeting}, {}!", trial.request())
//! }
//!
//! let trial = Trial::new("world", Config::new(json!({ "greeting": "Hi" }))?);
//! assert_eq!(greet(&trial), "Hi, world!");
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```

use crate::{
    branch::{Branch, BranchId, Failure, FailureKind, Role, SkipReason, Status},
    clock::Tick,
    config::{Config, ConfigId, ConfigPool},
    experiment::{Arm, Arms, UNNAMED},
    record::{End, Record, Recorder},
};
use futures_util::task::AtomicWaker;
use std::{
    fmt,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

/// A request, the config assigned to it, and its place in the experiment.
///
/// A clone is a copy to look at or to try again with: only the original stands for the branch,
/// so that a branch is recorded once however often its trial is cloned.
#[derive(Debug, Clone)]
pub struct Trial<R> {
    request: R,
    pub(crate) seat: Seat,
}

impl<R> Trial<R> {
    /// A trial outside any strategy: of an unnamed experiment with this one config.
    pub fn new(request: R, config: Config) -> Self {
        Self { request, seat: Seat::alone(UNNAMED, config) }
    }

    pub(crate) const fn seated(request: R, seat: Seat) -> Self {
        Self { request, seat }
    }

    /// The request.
    pub const fn request(&self) -> &R {
        &self.request
    }

    /// The request, to change.
    pub const fn request_mut(&mut self) -> &mut R {
        &mut self.request
    }

    /// The config assigned to this request.
    pub fn config(&self) -> &Config {
        self.seat.place.config()
    }

    /// Where this trial stands: experiment, role, ids, probability.
    pub const fn place(&self) -> &Place {
        &self.seat.place
    }

    /// The request alone. If a logging layer waits for this branch further down and never sees
    /// it, the branch ends as cancelled here.
    pub fn into_request(self) -> R {
        self.request
    }

    /// The same trial with its request changed.
    pub fn map<Q>(self, f: impl FnOnce(R) -> Q) -> Trial<Q> {
        Trial { request: f(self.request), seat: self.seat }
    }
}

/// Where a branch stands: its experiment, role, ids and probability. Cheap to clone.
#[derive(Clone)]
pub struct Place {
    pub(crate) arm: Arc<Arm>,
    pub(crate) start: Tick,
    id: BranchId,
    request_id: BranchId,
    parent: Option<Arc<Self>>,
    probability: f64,
    unit: Option<u64>,
    role: Role,
}

impl Place {
    /// The place of the first branch of a request.
    pub(crate) fn first(
        arm: &Arc<Arm>,
        role: Role,
        probability: f64,
        parent: Option<Self>,
    ) -> Self {
        let start = Tick::now();
        let id = BranchId::at(start);
        Self {
            arm: arm.clone(),
            start,
            id,
            request_id: parent.as_ref().map_or(id, |parent| parent.request_id),
            parent: parent.map(Arc::new),
            probability,
            unit: None,
            role,
        }
    }

    /// The place of another branch of the same request, assigned at the same time.
    pub(crate) fn sibling(&self, arm: &Arc<Arm>, role: Role, probability: f64) -> Self {
        Self {
            arm: arm.clone(),
            start: self.start,
            id: BranchId::at(self.start),
            request_id: self.request_id,
            parent: self.parent.clone(),
            probability,
            unit: self.unit,
            role,
        }
    }

    pub(crate) const fn with_unit(mut self, unit: Option<u64>) -> Self {
        self.unit = unit;
        self
    }

    /// The name of the experiment.
    pub fn experiment(&self) -> &str {
        &self.arm.experiment.name
    }

    /// The name of the strategy.
    pub fn strategy(&self) -> &str {
        &self.arm.experiment.strategy
    }

    /// The config.
    pub fn config(&self) -> &Config {
        &self.arm.config
    }

    /// The id of the config.
    pub fn config_id(&self) -> &ConfigId {
        self.arm.config.id()
    }

    /// What this branch does for its request.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The id of this branch.
    pub const fn branch_id(&self) -> BranchId {
        self.id
    }

    /// The id that all branches of one request share.
    pub const fn request_id(&self) -> BranchId {
        self.request_id
    }

    /// The place in the outer experiment, when experiments are nested.
    pub fn parent(&self) -> Option<&Self> {
        self.parent.as_deref()
    }

    /// The probability, from 0 to 1, with which this config was chosen for this request.
    pub const fn probability(&self) -> f64 {
        self.probability
    }

    /// A keyed hash of the unit under sticky assignment.
    pub const fn unit(&self) -> Option<u64> {
        self.unit
    }

    /// The branch of this place, as it ended.
    pub(crate) fn branch<T>(&self, ended: Tick, end: End<T>) -> Branch<T> {
        let mut branch = Branch {
            id: self.id,
            request_id: self.request_id,
            parent: self.parent().map(Self::branch_id),
            parent_config_id: self.parent().map(|parent| parent.config_id().clone()),
            experiment: self.arm.experiment.name.clone(),
            strategy: self.arm.experiment.strategy.clone(),
            role: self.role,
            config_id: self.config_id().clone(),
            config: self.config().clone(),
            probability: self.probability,
            unit: self.unit,
            start_ns: self.start.wall(),
            end_ns: 0,
            duration_ns: ended.since(self.start),
            status: Status::Cancelled,
            output: None,
            failure: None,
            skip: None,
            retry_count: 0,
        };
        branch.end_ns = branch.start_ns + branch.duration_ns;
        match end {
            End::Success(output) => {
                branch.status = Status::Success;
                branch.output = output;
            }
            End::Failed(failure) => {
                branch.status = Status::Failed;
                branch.failure = Some(*failure);
            }
            End::Skipped(reason) => {
                branch.status = Status::Skipped;
                branch.skip = Some(reason);
            }
            End::Cancelled => {}
        }
        branch
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("experiment", &self.experiment())
            .field("config_id", self.config_id())
            .field("role", &self.role)
            .field("branch_id", &self.id)
            .field("parent", &self.parent().map(Self::branch_id))
            .finish_non_exhaustive()
    }
}

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

    fn is_set(&self) -> bool {
        self.0.ending.get().is_some()
    }

    pub(crate) fn end<T>(&self) -> Option<End<T>> {
        self.0.ending.get().map(|ending| match ending {
            Ending::Failed(failure) => End::Failed(Box::new(failure.clone())),
            Ending::Skipped(reason) => End::Skipped(*reason),
        })
    }
}

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

    pub(crate) fn alone(experiment: &str, config: Config) -> Self {
        // One config is never an empty pool and never clashes.
        let pool = ConfigPool::single(config);
        let arms = Arms::new(experiment, "none", &pool);
        Self::new(Place::first(&arms[0], Role::Primary, 1.0, None))
    }

    /// A logging layer takes over: what is returned is its to end, and what travels on answers
    /// for nothing. `None` when another logging layer has done so already.
    pub(crate) fn take_over(&mut self, recorder: &Recorder) -> Option<Duty> {
        if !self.armed {
            return None;
        }
        self.place.arm.attach(recorder);
        self.armed = false;
        let mut place = self.place.clone();
        if place.role != Role::Primary {
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
