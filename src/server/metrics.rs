//! What the server counts.

use super::{reply::Reply, writer::Waiting};
use crate::metrics::{Exposition, Latency};
use http::StatusCode;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What the calls of a server have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Read,
    Write,
    /// Its body streams.
    Stream,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Stream => "stream",
        }
    }
}

/// Counts since the server was made. There are as many lines as calls, methods and statuses, of
/// which a client can make no more.
pub(super) struct Counters {
    started: SystemTime,
    answers: Mutex<Answers>,
    connections: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

#[derive(Default)]
struct Answers {
    /// By method, call and status.
    requests: BTreeMap<(&'static str, &'static str, u16), u64>,
    latencies: BTreeMap<Kind, Latency>,
}

impl Counters {
    pub(super) fn new() -> Self {
        Self {
            started: SystemTime::now(),
            answers: Mutex::default(),
            connections: AtomicU64::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// The head of an answer is there; how long a call took.
    pub(super) fn answered(
        &self,
        method: &'static str,
        call: &'static str,
        status: StatusCode,
        took: Option<(Kind, Duration)>,
    ) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.requests.entry((call, method, status.as_u16())).or_default() += 1;
        if let Some((kind, took)) = took {
            let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            answers.latencies.entry(kind).or_default().add(ns);
        }
    }

    /// A connection, until this is dropped.
    pub(super) fn connection(self: &Arc<Self>) -> Open {
        self.connections.fetch_add(1, Relaxed);
        Open(self.clone())
    }

    /// An artifact was uploaded.
    pub(super) fn received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Relaxed);
    }

    /// An artifact is about to be downloaded.
    pub(super) fn sends(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Relaxed);
    }
}

/// One of the open connections.
pub(super) struct Open(Arc<Counters>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

/// What an [`MlflowServer`](super::MlflowServer) counts, for a page of metrics elsewhere. It keeps
/// nothing of the server open.
#[derive(Clone)]
pub struct ServerMetrics {
    pub(super) counters: Arc<Counters>,
    pub(super) waiting: Waiting,
}

impl ServerMetrics {
    /// Adds what was counted so far.
    pub fn collect(&self, page: &mut Exposition) {
        let counters = &self.counters;
        let answers = counters.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut requests = page.counter(
            "spearmint_ui_requests_total",
            "Requests of MLflow's clients that were answered.",
        );
        for ((call, method, code), count) in &answers.requests {
            let code = code.to_string();
            requests.value(&[("call", call), ("method", method), ("code", &code)], count);
        }
        let mut durations = page.histogram(
            "spearmint_ui_request_duration_seconds",
            "From the head of a request to the head of its answer, of all that came to a call.",
        );
        for kind in [Kind::Read, Kind::Write, Kind::Stream] {
            let latency = answers.latencies.get(&kind).copied().unwrap_or_default();
            latency.write(&mut durations, &[("kind", kind.as_str())]);
        }
        drop(answers);
        page.gauge("spearmint_ui_writes_waiting", "Calls that wait to be written.")
            .value(&[], self.waiting.count());
        page.gauge("spearmint_ui_connections", "Connections of MLflow's clients that are open.")
            .value(&[], counters.connections.load(Relaxed));
        let mut bytes = page.counter(
            "spearmint_ui_artifact_bytes_total",
            "Bytes of artifacts that were uploaded (in), and whose download was begun (out).",
        );
        for (direction, count) in [("in", &counters.received), ("out", &counters.sent)] {
            bytes.value(&[("direction", direction)], count.load(Relaxed));
        }
    }

    /// The page of a server that stands alone.
    pub(super) fn page(&self) -> Reply {
        let mut page = Exposition::new();
        page.build();
        page.started(self.counters.started.duration_since(UNIX_EPOCH).unwrap_or_default());
        self.collect(&mut page);
        Reply::typed(Exposition::CONTENT_TYPE, page.to_string())
    }
}

impl fmt::Debug for ServerMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerMetrics").finish_non_exhaustive()
    }
}
