//! The way of a request body to one copy: never waiting, bounded in bytes.

use super::listener::{Level, Listener, Piece, Waiting};
use crate::{
    branch::{Failure, FailureKind},
    trial::Reason,
};
use bytes::Bytes;
use http::HeaderMap;
use std::sync::{Arc, atomic::AtomicUsize};
use tokio::sync::mpsc;

/// How many bytes may wait for shadows.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    /// For each.
    pub(super) each: usize,
    /// For all together.
    pub(super) all: usize,
    used: Arc<AtomicUsize>,
}

impl Default for Budget {
    /// An upload of 20 MB fits, however late a healthy shadow gets its turn.
    fn default() -> Self {
        Self { each: 24 << 20, all: 128 << 20, used: Arc::default() }
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
    pub(super) fn pair(
        budget: &Budget,
        reason: Option<Reason>,
        expected: Option<u64>,
    ) -> (Self, Listener) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let level = Level::new(&budget.used);
        let tap = Self { sender: Some(sender), level, budget: budget.clone(), reason };
        (tap, Listener::new(receiver, expected))
    }

    /// Never waits: a copy that is too far behind gets no more.
    pub(super) fn data(&mut self, data: &Bytes) {
        let Some(sender) = &self.sender else { return };
        let (waiting, own, all) = Waiting::new(data, &self.level);
        let over = if own > self.budget.each {
            Some(("body_buffer", self.budget.each))
        } else if all > self.budget.all {
            Some(("body_buffer_total", self.budget.all))
        } else {
            None
        };
        if let Some((name, bound)) = over {
            self.fail(
                FailureKind::Lagging,
                format!("fell behind the request body by more than {name} ({bound} bytes)"),
            );
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
