//! What the listener counts.

use serde::Serialize;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// What became of the callers' connections. Counts since the proxy was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListenerStats {
    /// Connections that are open now, tunnels included.
    pub connections: u64,
    /// Tunnels that are open now: connections that were upgraded, as to a WebSocket, or of a CONNECT.
    pub tunnels: u64,
    /// Requests refused because they are not HTTP, or could be read in more than one way.
    pub malformed: u64,
    /// Requests refused because their head is too large or has too many headers.
    pub too_large: u64,
    /// Requests refused because they are a CONNECT that cannot be passed on.
    pub not_allowed: u64,
    /// Connections closed because the head of a request took too long.
    pub too_slow: u64,
    /// Connections closed because the TLS handshake failed or took too long.
    pub handshakes_failed: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    connections: AtomicU64,
    tunnels: AtomicU64,
    malformed: AtomicU64,
    too_large: AtomicU64,
    not_allowed: AtomicU64,
    too_slow: AtomicU64,
    handshakes_failed: AtomicU64,
}

impl Counters {
    pub(super) fn stats(&self) -> ListenerStats {
        ListenerStats {
            connections: self.connections.load(Relaxed),
            tunnels: self.tunnels.load(Relaxed),
            malformed: self.malformed.load(Relaxed),
            too_large: self.too_large.load(Relaxed),
            not_allowed: self.not_allowed.load(Relaxed),
            too_slow: self.too_slow.load(Relaxed),
            handshakes_failed: self.handshakes_failed.load(Relaxed),
        }
    }

    pub(super) fn malformed(&self) {
        self.malformed.fetch_add(1, Relaxed);
    }

    pub(super) fn too_large(&self) {
        self.too_large.fetch_add(1, Relaxed);
    }

    pub(super) fn not_allowed(&self) {
        self.not_allowed.fetch_add(1, Relaxed);
    }

    pub(super) fn too_slow(&self) {
        self.too_slow.fetch_add(1, Relaxed);
    }

    pub(super) fn handshake_failed(&self) {
        self.handshakes_failed.fetch_add(1, Relaxed);
    }

    pub(super) fn connection(self: &Arc<Self>) -> Open {
        Open::new(self, |counters| &counters.connections)
    }

    pub(super) fn tunnel(self: &Arc<Self>) -> Open {
        Open::new(self, |counters| &counters.tunnels)
    }
}

/// One of what is open now, until it is dropped.
pub(super) struct Open {
    counters: Arc<Counters>,
    counter: fn(&Counters) -> &AtomicU64,
}

impl Open {
    fn new(counters: &Arc<Counters>, counter: fn(&Counters) -> &AtomicU64) -> Self {
        counter(counters).fetch_add(1, Relaxed);
        Self { counters: counters.clone(), counter }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        (self.counter)(&self.counters).fetch_sub(1, Relaxed);
    }
}
