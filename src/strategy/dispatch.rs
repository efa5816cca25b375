//! How a strategy calls the service.

use super::BoxFuture;
use crate::{
    BoxError,
    assign::Reason,
    branch::{Role, SkipReason},
    carrier::Ticket,
    config::Config,
    trial::{Arms, Origin, Place, Seat},
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// Calls the service with a config and a request.
pub(super) type Call<R, Response> =
    Arc<dyn Fn(R, Ticket) -> BoxFuture<Result<Response, BoxError>> + Send + Sync>;

/// One request's way to the service: each [`call`](Self::call) runs it with a config, and is a
/// branch.
pub struct Dispatch<R, Response> {
    arms: Arms,
    origin: Option<Origin>,
    /// The first branch of the request: the others are its siblings.
    first: OnceLock<Place>,
    call: Call<R, Response>,
}

impl<R, Response> Dispatch<R, Response> {
    pub(super) const fn new(arms: Arms, origin: Option<Origin>, call: Call<R, Response>) -> Self {
        Self { arms, origin, first: OnceLock::new(), call }
    }

    /// The configs, in the order of the pool.
    pub fn configs(&self) -> impl ExactSizeIterator<Item = &Config> {
        self.arms.iter().map(|arm| &arm.config)
    }

    /// The position of the config with this id.
    pub fn position(&self, config_id: &str) -> Option<usize> {
        self.configs().position(|config| config.id().as_str() == config_id)
    }

    /// Runs the service with the config at `position`. The branch begins now and ends with the
    /// response; dropping the future cancels it.
    ///
    /// # Errors
    ///
    /// The future fails as the service does, and when there is no such position.
    pub fn call(
        &self,
        position: usize,
        role: Role,
        request: R,
    ) -> BoxFuture<Result<Response, BoxError>> {
        self.run(self.seat(position, role), position, request)
    }

    /// As [`call`](Self::call), and records why it is this config and the probability, from 0 to 1, with
    /// which it was chosen; otherwise they are what goes with the role, and 1.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn call_chosen(
        &self,
        position: usize,
        role: Role,
        reason: Reason,
        probability: f64,
        request: R,
    ) -> BoxFuture<Result<Response, BoxError>> {
        let seat = self.seat(position, role).map(|seat| seat.chosen(reason, probability));
        self.run(seat, position, request)
    }

    fn run(
        &self,
        seat: Option<Seat>,
        position: usize,
        request: R,
    ) -> BoxFuture<Result<Response, BoxError>> {
        match seat {
            Some(seat) => (self.call)(request, Ticket(seat)),
            None => {
                let error = format!("no config at position {position} of {}", self.arms.len());
                Box::pin(async move { Err(error.into()) })
            }
        }
    }

    /// Records that the config at `position` was not run for this request, for a reason of the
    /// strategy's own.
    pub fn skip(&self, position: usize, role: Role) {
        if let Some(seat) = self.seat(position, role) {
            seat.skip(SkipReason::Strategy);
        }
    }

    fn seat(&self, position: usize, role: Role) -> Option<Seat> {
        let arm = self.arms.get(position)?;
        let mut is_first = false;
        let first = self.first.get_or_init(|| {
            is_first = true;
            Place::first(arm, role, 1.0, self.origin.clone())
        });
        let place = if is_first { first.clone() } else { first.sibling(arm, role, 1.0) };
        Some(Seat::new(place))
    }
}

impl<R, Response> fmt::Debug for Dispatch<R, Response> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatch").field("configs", &self.arms.len()).finish_non_exhaustive()
    }
}
