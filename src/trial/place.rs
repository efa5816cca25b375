//! Where a branch stands.

use super::{Arm, Content, End, Kept, Meter, Origin};
use crate::{
    assign::{Epoch, Reason},
    branch::{Branch, BranchId, BranchMetrics, Role, TraceId, TraceParent},
    clock::Tick,
    compare::{Comparison, Differences},
    config::{Config, ConfigId},
};
use serde_json::Value;
use std::{fmt, num::NonZeroU64, sync::Arc};

/// Where a branch stands: its experiment, role, ids and probability. Cheap to clone.
#[derive(Clone)]
pub struct Place {
    pub(crate) arm: Arc<Arm>,
    pub(crate) start: Tick,
    id: BranchId,
    request_id: BranchId,
    origin: Option<Arc<Origin>>,
    probability: f64,
    /// Hash 0, one in 2⁶⁴, counts as none: a place is copied on every call, and small.
    unit: Option<NonZeroU64>,
    role: Role,
    /// `None`: what goes with the role.
    reason: Option<Reason>,
    /// `None` above the logging layer: there is nobody to count for.
    meter: Option<Arc<Meter>>,
}

impl Place {
    /// The place of the first branch of a request.
    pub(crate) fn first(
        arm: &Arc<Arm>,
        role: Role,
        probability: f64,
        origin: Option<Origin>,
    ) -> Self {
        let start = Tick::now();
        let id = BranchId::at(start);
        let outer = origin.as_ref().and_then(Origin::branch);
        Self {
            arm: arm.clone(),
            start,
            id,
            request_id: outer.map_or(id, |outer| outer.request_id),
            origin: origin.map(Arc::new),
            probability,
            unit: None,
            role,
            reason: None,
            meter: None,
        }
    }

    /// The place of another branch of the same request, assigned at the same time.
    pub(crate) fn sibling(&self, arm: &Arc<Arm>, role: Role, probability: f64) -> Self {
        Self {
            arm: arm.clone(),
            start: self.start,
            id: BranchId::at(self.start),
            request_id: self.request_id,
            origin: self.origin.clone(),
            probability,
            unit: self.unit,
            role,
            reason: None,
            meter: None,
        }
    }

    pub(crate) fn with_unit(mut self, unit: Option<u64>) -> Self {
        self.unit = unit.and_then(NonZeroU64::new);
        self
    }

    pub(crate) const fn with_reason(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    pub(crate) const fn set_choice(&mut self, reason: Reason, probability: f64) {
        self.reason = Some(reason);
        self.probability = probability;
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
        self.origin.as_deref()?.branch()
    }

    /// Where the request stands in its caller's trace, if it came with one.
    pub fn trace(&self) -> Option<&TraceParent> {
        self.origin.as_deref()?.trace()
    }

    /// The trace it belongs to: the caller's, or else one that begins with the request and has its
    /// id.
    pub fn trace_id(&self) -> TraceId {
        TraceId::of_request(self.trace(), self.request_id)
    }

    /// The probability, from 0 to 1, with which this config was chosen for this request.
    pub const fn probability(&self) -> f64 {
        self.probability
    }

    /// Why it was this config.
    pub const fn reason(&self) -> Reason {
        match self.reason {
            Some(reason) => reason,
            None => reason_of(self.role),
        }
    }

    /// The version of the weights and rules by which it was chosen.
    pub fn epoch(&self) -> Epoch {
        self.arm.experiment.epoch
    }

    /// A keyed hash of the unit under sticky assignment.
    pub fn unit(&self) -> Option<u64> {
        self.unit.map(NonZeroU64::get)
    }

    /// Counts one more try in the record of this branch (`retry_count`): for a retry policy under
    /// the logging layer. Without a logging layer it counts for nobody.
    ///
    /// ```
    /// # use tower_spearmint::Trial;
    /// #[derive(Clone)]
    /// struct Once;
    ///
    /// impl<R: Clone, T, E> tower::retry::Policy<Trial<R>, T, E> for Once {
    ///     type Future = std::future::Ready<()>;
    ///
    ///     fn retry(&mut self, trial: &mut Trial<R>, result: &mut Result<T, E>) -> Option<Self::Future> {
    ///         result.is_err().then(|| {
    ///             trial.place().count_retry();
    ///             std::future::ready(())
    ///         })
    ///     }
    ///
    ///     fn clone_request(&mut self, trial: &Trial<R>) -> Option<Trial<R>> {
    ///         Some(trial.clone())
    ///     }
    /// }
    /// ```
    pub fn count_retry(&self) {
        if let Some(meter) = &self.meter {
            meter.count_retry();
        }
    }

    /// Says a number of this branch, by its name: tokens, a score, what it cost. It is recorded with the
    /// branch (as [`Branch::metrics`]), and a [report](crate::report) holds its mean against that of
    /// the baseline. The last value of a name counts; without a logging layer none does, and what is
    /// said after the branch has ended may come too late.
    ///
    /// A branch has at most [32](BranchMetrics::MAX) of them, with [names](BranchMetrics::is_name) of
    /// at most 64 bytes of `A-Za-z0-9_./-`, and finite values. What is refused is counted
    /// ([`RecorderStats::metrics_refused`](crate::record::RecorderStats::metrics_refused)).
    ///
    /// In an axum handler the place is an extractor; elsewhere it is in the extensions of the request
    /// ([`http::place`](crate::http::place)):
    ///
    /// ```
    /// # #[cfg(feature = "axum")]
    /// async fn answer(place: tower_spearmint::Place, question: String) -> String {
    ///     place.metric("question/bytes", question.len() as f64);
    ///     question.to_uppercase()
    /// }
    /// ```
    pub fn metric(&self, name: &str, value: f64) {
        if let Some(meter) = &self.meter {
            meter.metric(name, value);
        }
    }

    /// Notes what was asked, for the [evaluators](crate::evaluate) of this branch. It is no part of the record.
    pub fn note_request(&self, request: Value) {
        if let Some(meter) = &self.meter {
            meter.keep(|kept| kept.request = Some(Box::new(|| Ok(Content::of(request)))));
        }
    }

    /// Notes what should have been answered, for the [evaluators](crate::evaluate) of this branch: a label
    /// that came with the request, say. It is no part of the record.
    pub fn note_expected(&self, expected: Value) {
        if let Some(meter) = &self.meter {
            meter.keep(|kept| kept.expected = Some(expected));
        }
    }

    /// What was kept for those that evaluate this branch.
    pub(crate) fn take_kept(&self) -> Option<Kept> {
        self.meter.as_ref()?.take_kept()
    }

    /// From here on there is counting, here and in what this is cloned to.
    pub(super) fn start_counting(&mut self) {
        self.meter.get_or_insert_default();
    }

    /// The same for who stands above the logging layer, where it is known that there is one.
    #[cfg(feature = "http")]
    pub(crate) fn count_early(&mut self) {
        if self.arm.is_recorded() {
            self.start_counting();
        }
    }

    /// Where to count for this branch.
    #[cfg(feature = "http")]
    pub(crate) const fn meter(&self) -> Option<&Arc<Meter>> {
        self.meter.as_ref()
    }

    /// What came of comparing the branch of this place with `primary`.
    pub(crate) fn comparison(&self, primary: BranchId, differences: Differences) -> Comparison {
        Comparison {
            experiment: self.arm.experiment.name.clone(),
            strategy: self.arm.experiment.strategy.clone(),
            request_id: self.request_id,
            primary,
            branch: self.id,
            role: self.role,
            config_id: self.config_id().clone(),
            config: self.config().clone(),
            epoch: self.epoch(),
            differences,
        }
    }

    /// The branch of this place, as it ended.
    pub(crate) fn branch<T>(&self, ended: Tick, end: End<T>) -> Branch<T> {
        let meter = self.meter.as_deref();
        let mut branch = Branch {
            id: self.id,
            request_id: self.request_id,
            parent: self.parent().map(Self::branch_id),
            parent_config_id: self.parent().map(|parent| parent.config_id().clone()),
            trace: self.trace().copied(),
            experiment: self.arm.experiment.name.clone(),
            strategy: self.arm.experiment.strategy.clone(),
            role: self.role,
            config_id: self.config_id().clone(),
            config: self.config().clone(),
            probability: self.probability,
            reason: self.reason(),
            epoch: self.epoch(),
            unit: self.unit(),
            start_ns: self.start.wall(),
            end_ns: 0,
            duration_ns: ended.since(self.start),
            status: end.status(),
            output: None,
            failure: None,
            skip: None,
            retry_count: meter.map_or(0, Meter::retries),
            first_byte_ns: meter.and_then(Meter::first_byte_ns),
            bytes_in: meter.and_then(Meter::bytes_in),
            bytes_out: meter.and_then(Meter::bytes_out),
            metrics: meter.map_or_else(BranchMetrics::new, Meter::metrics),
        };
        branch.end_ns = branch.start_ns + branch.duration_ns;
        match end {
            End::Success(output) => {
                branch.output = output;
            }
            End::Failed(failure) => {
                branch.failure = Some(*failure);
            }
            End::Skipped(reason) => {
                branch.skip = Some(reason);
            }
            End::Cancelled => {}
        }
        branch
    }
}

/// Why a branch in this role runs with its config, where nothing else was said.
const fn reason_of(role: Role) -> Reason {
    match role {
        Role::Primary => Reason::Primary,
        Role::Shadow | Role::Control => Reason::Sample,
        Role::Branch => Reason::All,
        Role::Fallback => Reason::Fallback,
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
