//! The way of a request body to one copy: never waiting, bounded in bytes.

use super::{
    level::{Level, Waiting},
    listener::{Listener, Piece},
};
use crate::{
    branch::{Failure, FailureKind},
    carrier::{Reason, Ticket},
    sync::{AtomicUsize, mpsc},
};
use bytes::Bytes;
use http::HeaderMap;
use std::sync::Arc;

#[cfg(all(test, spearmint_loom))]
mod loom_model;

/// How many bytes may wait for shadows.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    /// For each.
    pub(super) each: usize,
    /// For all together; those of one config have at most as much as is still free.
    pub(super) all: usize,
    used: Arc<AtomicUsize>,
}

impl Default for Budget {
    /// An upload of 20 MB fits, however late a healthy shadow gets its turn.
    fn default() -> Self {
        Self { each: 24 << 20, all: 256 << 20, used: Arc::default() }
    }
}

/// Whose copy it is: where its bytes are counted, and where it is said why it was dropped.
pub(super) struct Owner {
    waiting: Arc<AtomicUsize>,
    reason: Option<Reason>,
}

impl Owner {
    pub(super) fn of(ticket: &Ticket) -> Self {
        Self { waiting: ticket.0.place.arm.waiting.clone(), reason: ticket.0.reason.clone() }
    }

    /// For a strategy that forks by itself.
    pub(super) fn nobody() -> Self {
        Self { waiting: Arc::default(), reason: None }
    }
}

/// The sending end of a copy.
pub(super) struct Tap {
    /// `None` when the copy has all it will get.
    sender: Option<mpsc::UnboundedSender<Piece>>,
    level: Arc<Level>,
    budget: Budget,
    reason: Option<Reason>,
}

impl Tap {
    /// Both ends of the way to a copy; the body has `expected` bytes, if that is known.
    pub(super) fn pair(budget: &Budget, owner: Owner, expected: Option<u64>) -> (Self, Listener) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let Owner { waiting, reason } = owner;
        let level = Level::new(waiting, &budget.used);
        let tap = Self { sender: Some(sender), level, budget: budget.clone(), reason };
        (tap, Listener::new(receiver, expected))
    }

    /// Never waits: a copy that is too far behind gets no more.
    pub(super) fn data(&mut self, data: &Bytes) {
        let Some(sender) = &self.sender else { return };
        let (waiting, levels) = Waiting::new(data, &self.level);
        // A config has at most as much waiting as is still free: so some always is, and a shadow
        // that is stuck does not take the room of one that reads. (Dynamic thresholds: Choudhury
        // and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998, doi 10.1109/90.664262.)
        let free = self.budget.all.saturating_sub(levels.all);
        let over = if levels.own > self.budget.each {
            Some(format!("body_buffer ({} bytes)", self.budget.each))
        } else if levels.config > free {
            Some(format!("what is free of body_buffer_total ({} bytes)", self.budget.all))
        } else {
            None
        };
        if let Some(bound) = over {
            let message = format!("fell behind the request body by more than {bound}");
            self.fail(FailureKind::Lagging, message);
        } else if sender.send(Piece::Data(waiting)).is_err() {
            // The copy was dropped: it needs no more, whatever the reason.
            self.sender = None;
        }
    }

    pub(super) fn trailers(&mut self, trailers: &HeaderMap) {
        if let Some(sender) = &self.sender {
            let _ = sender.send(Piece::Trailers(trailers.clone()));
        }
    }

    pub(super) fn finish(&mut self) {
        if let Some(sender) = self.sender.take() {
            let _ = sender.send(Piece::End);
        }
    }

    /// Says why first: closing the channel wakes the copy, which ends in an error then.
    pub(super) fn fail(&mut self, kind: FailureKind, message: String) {
        let Some(sender) = &self.sender else { return };
        if !sender.is_closed()
            && let Some(reason) = &self.reason
        {
            reason.failed(Failure::new(kind, message));
        }
        self.sender = None;
    }
}
