//! What is counted while a branch runs.

use super::Kept;
use crate::branch::BranchMetrics;
use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

/// What is counted while a branch runs, by whoever stands where it can be seen. Shared by the
/// logging layer and what stands under it.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    retries: AtomicU32,
    first_byte_ns: Measure,
    bytes_in: Measure,
    bytes_out: Measure,
    /// Made with the first: most branches have none, and cost no lock.
    metrics: OnceLock<Mutex<BranchMetrics>>,
    /// The same; and larger.
    kept: OnceLock<Box<Mutex<Kept>>>,
}

impl Meter {
    pub(super) fn count_retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub(super) fn retries(&self) -> u32 {
        self.retries.load(Relaxed)
    }

    /// The head of the response is there.
    #[cfg(feature = "http")]
    pub(crate) fn first_byte(&self, after_ns: u64) {
        self.first_byte_ns.set(after_ns);
    }

    pub(super) fn first_byte_ns(&self) -> Option<u64> {
        self.first_byte_ns.get()
    }

    /// So much of the request body was read so far. (A total, so that two who count the same do
    /// not add up.)
    #[cfg(feature = "http")]
    pub(crate) fn count_bytes_in(&self, total: u64) {
        self.bytes_in.set(total);
    }

    pub(super) fn bytes_in(&self) -> Option<u64> {
        self.bytes_in.get()
    }

    /// So much of the response body passed so far.
    #[cfg(feature = "http")]
    pub(crate) fn count_bytes_out(&self, total: u64) {
        self.bytes_out.set(total);
    }

    pub(super) fn bytes_out(&self) -> Option<u64> {
        self.bytes_out.get()
    }

    pub(super) fn metric(&self, name: &str, value: f64) {
        let metrics = self.metrics.get_or_init(Mutex::default);
        metrics.lock().unwrap_or_else(PoisonError::into_inner).set(name, value);
    }

    /// Keeps something for those that evaluate the branch.
    pub(crate) fn keep(&self, keep: impl FnOnce(&mut Kept)) {
        let kept = self.kept.get_or_init(Box::default);
        keep(&mut kept.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn take_kept(&self) -> Option<Kept> {
        let kept = self.kept.get()?;
        Some(std::mem::take(&mut kept.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(super) fn metrics(&self) -> BranchMetrics {
        self.metrics.get().map_or_else(BranchMetrics::new, |metrics| {
            metrics.lock().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }
}

/// A number that may not have been measured: one more than it is, and 0 for none.
#[derive(Debug, Default)]
struct Measure(AtomicU64);

impl Measure {
    #[cfg(feature = "http")]
    fn set(&self, value: u64) {
        self.0.store(value.saturating_add(1), Relaxed);
    }

    fn get(&self) -> Option<u64> {
        self.0.load(Relaxed).checked_sub(1)
    }
}
