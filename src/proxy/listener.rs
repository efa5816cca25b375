//! What the listener counts.

use http::StatusCode;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// What became of the callers' connections. Counts since the proxy was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListenerStats {
    /// Requests whose head could be read, those refused then included.
    pub requests: u64,
    /// Those that were answered, by the class of the status: `2xx`. (The others are under way, or
    /// their caller left.)
    pub responses: BTreeMap<&'static str, u64>,
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

/// The classes of a status (RFC 9110 section 15).
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

#[derive(Debug, Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    /// In the order of `CLASSES`.
    responses: [AtomicU64; CLASSES.len()],
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
        // Before the requests: none is answered that did not come.
        let responses = CLASSES.into_iter().zip(&self.responses);
        let responses = responses.map(|(class, count)| (class, count.load(Relaxed))).collect();
        ListenerStats {
            requests: self.requests.load(Relaxed),
            responses,
            connections: self.connections.load(Relaxed),
            tunnels: self.tunnels.load(Relaxed),
            malformed: self.malformed.load(Relaxed),
            too_large: self.too_large.load(Relaxed),
            not_allowed: self.not_allowed.load(Relaxed),
            too_slow: self.too_slow.load(Relaxed),
            handshakes_failed: self.handshakes_failed.load(Relaxed),
        }
    }

    pub(super) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(super) fn response(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).checked_sub(1);
        // What a client does not know it takes for a 5xx (RFC 9110 section 15).
        let last = &self.responses[CLASSES.len() - 1];
        let count = class.and_then(|class| self.responses.get(class)).unwrap_or(last);
        count.fetch_add(1, Relaxed);
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
