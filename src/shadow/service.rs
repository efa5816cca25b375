//! The service.

use super::{
    GenericShadowLayer, OnCancel, ShadowFuture,
    future::LeaveGuard,
    task::{self, Task},
};
use crate::{
    branch::{Role, SkipReason},
    carrier::{Fork, InTrial, MarkFuture, MarkResponse, Settle, Ticket},
    trial::{Place, Reason, Seat},
};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    task::{Context, Poll},
};
use tokio::runtime::Handle;
use tower_service::Service;

/// The primary answers, the others run in the background; see [the module](super).
///
/// # Readiness
///
/// Ready when the inner service is, and that ready service is the one the primary calls. Shadows
/// call clones of it, which begin unready: each is asked once, on its own task, and skipped if
/// it is not ready.
#[derive(Debug, Clone)]
pub struct Shadow<S, C = InTrial> {
    pub(super) inner: S,
    pub(super) layer: GenericShadowLayer<C>,
}

impl<S, C, R> Service<R> for Shadow<S, C>
where
    C: Fork<R> + MarkResponse<C::Mark, S::Response> + Settle<S::Response> + Clone + Send + 'static,
    C: Sync,
    C::Request: Send + 'static,
    S: Service<C::Request> + Clone + Send + 'static,
    S::Response: Send,
    S::Error: fmt::Display + fmt::Debug + Send + 'static,
    S::Future: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ShadowFuture<S::Future, C, C::Mark>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let layer = &self.layer;
        let parent = layer.carrier.parent(&request);
        let name = &layer.primary.experiment.name;
        let Some(draw) = layer.draw(layer.carrier.may_shadow(&request, name)) else {
            let place = Place::first(&layer.primary, Role::Primary, 1.0, parent);
            let (request, mark) = layer.carrier.alone(request, Ticket(Seat::new(place)));
            return ShadowFuture::new(MarkFuture::new(self.inner.call(request), mark), None);
        };

        let place = Place::first(&layer.primary, Role::Primary, 1.0, parent);
        let mut tickets = Vec::new();
        let mut tasks = Vec::new();
        for (at, shadow) in layer.shadows.iter().enumerate().filter(|(_, s)| s.is_drawn(draw)) {
            let place = place.sibling(&shadow.arm, Role::Shadow, shadow.bounds.sample);
            let Some(permit) = layer.dispatch(shadow) else {
                Seat::new(place).skip(SkipReason::MaxInFlight);
                continue;
            };
            let reason = Reason::default();
            tickets.push(Ticket(Seat::with_reason(place.clone(), &reason)));
            tasks.push(Task {
                place,
                reason,
                permit,
                at,
                shadows: layer.shadows.clone(),
                state: layer.state.clone(),
                carrier: layer.carrier.clone(),
                started: false,
            });
        }
        let (request, mark, copies) =
            layer.carrier.fork(request, Ticket(Seat::new(place)), tickets);
        // The primary first: from here on it owes the shadows nothing. If it panics, they run all
        // the same.
        let primary = catch_unwind(AssertUnwindSafe(|| self.inner.call(request)));

        let guard = (layer.on_cancel == OnCancel::Cancel).then(LeaveGuard::new);
        let runtime = layer.runtime.clone().or_else(|| Handle::try_current().ok());
        for (task, copy) in tasks.into_iter().zip(copies) {
            let service = self.inner.clone();
            let left = guard.as_ref().map(LeaveGuard::left);
            let shadow = task::Shadow { task, copy, service, left };
            // Without a runtime it is dropped here, and with one that has ended, there.
            if let Some(runtime) = &runtime {
                runtime.spawn(task::run(shadow));
            }
        }
        let primary = primary.unwrap_or_else(|panic| resume_unwind(panic));
        ShadowFuture::new(MarkFuture::new(primary, mark), guard)
    }
}
