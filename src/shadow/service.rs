//! The service.

use super::{
    GenericShadowLayer, OnCancel, ShadowFuture,
    answers::Answers,
    arm::{Admission, ShadowArm},
    future::LeaveGuard,
    pairs::keep_primary,
    task::{self, Task},
};
use crate::{
    assign::{NoKey, UnitKey},
    branch::{Role, SkipReason},
    carrier::{Fork, InTrial, MarkFuture, MarkResponse, MayShadow, Settle, Ticket},
    compare::{Compare, NoComparison},
    trial::{Place, Reason, Seat},
};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    task::{Context, Poll},
};
use tokio::runtime::Handle;
use tower_service::Service;

/// The primary answers, the others run in the background; see [the module](super).
///
/// # Readiness
///
/// Ready when the inner service is, and that ready service is the one the primary gets. Each shadow
/// gets a clone, which is asked once; it is skipped if it is not ready.
pub struct Shadow<S, C = InTrial, K = NoKey, V = NoComparison> {
    pub(super) inner: S,
    pub(super) layer: Arc<GenericShadowLayer<C, K, V>>,
}

impl<S, C, K, V, R> Service<R> for Shadow<S, C, K, V>
where
    C: Fork<R> + MarkResponse<C::Mark, S::Response> + Settle<S::Response> + Clone + Send + Sync,
    C: 'static,
    C::Request: Send + 'static,
    K: UnitKey<R> + Send + Sync + 'static,
    V: Compare<C::Settled>,
    S: Service<C::Request> + Clone + Send + 'static,
    S::Response: Send,
    S::Error: fmt::Display + fmt::Debug + Send + 'static,
    S::Future: Send,
{
    type Response = C::Watched;
    type Error = S::Error;
    type Future = ShadowFuture<S::Future, C, C::Mark, C::Settled>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let layer = &*self.layer;
        let state = &*layer.state;
        let origin = layer.carrier.origin(&request);
        let mut place = Place::first(&layer.primary, Role::Primary, 1.0, origin);
        let mut wanted = Vec::new();
        let key = layer.key.unit_key(&request);
        let name = &layer.primary.experiment.name;
        let may_shadow = layer.carrier.may_shadow(&request, name, key.as_deref());
        if !state.is_enabled() {
            state.count_switched_off();
        } else if may_shadow == MayShadow::No {
            state.count_unmatched();
        } else {
            let unit = layer.unit(key.as_deref());
            if let Some(unit) = unit {
                place = place.with_unit(Some(unit.hash));
            }
            let draw = unit.map_or_else(|| state.next_draw(), |unit| unit.entry);
            for (at, shadow) in state.shadows.iter().enumerate() {
                if shadow.role == Role::Control && !layer.carrier.may_control(&request) {
                    shadow.count_unmatched();
                } else if shadow.wants(draw) {
                    wanted.push((at, shadow));
                }
            }
        }
        if let MayShadow::Skip(reason) = may_shadow {
            for (_, shadow) in wanted.drain(..) {
                skip(shadow, sibling(&place, shadow), reason);
            }
        }
        if wanted.is_empty() {
            let (request, mark) = layer.carrier.alone(request, Ticket(Seat::new(place)));
            let primary = MarkFuture::new(self.inner.call(request), mark);
            return ShadowFuture::new(primary, None, None);
        }

        let mut answers: Option<Arc<Answers<V::Kept>>> = None;
        let mut tickets = Vec::new();
        let mut tasks = Vec::new();
        for (at, shadow) in wanted {
            let place_of_shadow = sibling(&place, shadow);
            let Admission { permit, pass } = match shadow.admit(&state.in_flight) {
                Ok(admission) => admission,
                Err(reason) => {
                    skip(shadow, place_of_shadow, reason);
                    continue;
                }
            };
            let reason = Reason::default();
            tickets.push(Ticket(Seat::with_reason(place_of_shadow.clone(), &reason)));
            let answers = layer.compare.is_on().then(|| {
                answers.get_or_insert_with(|| Arc::new(Answers::new(place.branch_id()))).clone()
            });
            tasks.push(Task {
                place: place_of_shadow,
                reason,
                permit,
                pass,
                at,
                layer: self.layer.clone(),
                answers,
                started: false,
            });
        }
        let (request, mark, copies) =
            layer.carrier.fork(request, Ticket(Seat::new(place)), tickets);
        // The primary first: from here on it owes the shadows nothing. If it panics, they run all
        // the same.
        let primary = catch_unwind(AssertUnwindSafe(|| self.inner.call(request)));

        let guard = (layer.on_cancel == OnCancel::Cancel).then(LeaveGuard::new);
        let keep =
            answers.map(|answers| (layer.carrier.clone(), keep_primary(&self.layer, answers)));
        let runtime = layer.runtime.clone().or_else(|| Handle::try_current().ok());
        for (task, copy) in tasks.into_iter().zip(copies) {
            let service = self.inner.clone();
            let left = guard.as_ref().map(LeaveGuard::left);
            let shadow = task::Shadow { task, copy: Some(copy), service, left };
            // Without a runtime it is dropped here, and with one that has ended, there.
            if let Some(runtime) = &runtime {
                runtime.spawn(task::run(shadow));
            }
        }
        let primary = primary.unwrap_or_else(|panic| resume_unwind(panic));
        ShadowFuture::new(MarkFuture::new(primary, mark), guard, keep)
    }
}

fn sibling(primary: &Place, shadow: &ShadowArm) -> Place {
    primary.sibling(&shadow.arm, shadow.role, shadow.bounds.sample)
}

/// Refuses a shadow before anything was started.
fn skip(shadow: &ShadowArm, place: Place, reason: SkipReason) {
    shadow.count_skip(reason);
    Seat::new(place).skip(reason);
}

impl<S: Clone, C, K, V> Clone for Shadow<S, C, K, V> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S: fmt::Debug, C: fmt::Debug, K, V> fmt::Debug for Shadow<S, C, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shadow").field("inner", &self.inner).finish_non_exhaustive()
    }
}
