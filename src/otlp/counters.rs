//! What became of the spans.

use crate::metrics::Exposition;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// See [`OtlpStats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) sent: AtomicU64,
    pub(super) not_sampled: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) lost: AtomicU64,
}

/// What became of the spans of a backend. Counts since its start.
#[derive(Debug, Clone)]
pub struct OtlpStats(pub(super) Arc<Counters>);

impl OtlpStats {
    /// Taken by the collector.
    pub fn sent(&self) -> u64 {
        self.0.sent.load(Relaxed)
    }

    /// Left out, since their caller does not record the trace.
    pub fn not_sampled(&self) -> u64 {
        self.0.not_sampled.load(Relaxed)
    }

    /// Refused one by one by the collector, which took others of the same request.
    pub fn rejected(&self) -> u64 {
        self.0.rejected.load(Relaxed)
    }

    /// Not taken: the collector refused the request, or was not there for too long.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Relaxed)
    }

    /// Adds them to a page of metrics.
    pub fn collect(&self, page: &mut Exposition) {
        let mut spans = page.counter(
            "spearmint_otlp_spans_total",
            "Branches as spans for the collector, by what became of them.",
        );
        for (outcome, count) in [
            ("sent", self.sent()),
            ("not_sampled", self.not_sampled()),
            ("rejected", self.rejected()),
            ("lost", self.lost()),
        ] {
            spans.value(&[("outcome", outcome)], count);
        }
    }
}
