//! How many bytes of bodies are kept, of each and of all together.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// How many bytes of bodies are kept.
#[derive(Debug, Clone)]
pub(crate) struct Capture {
    /// Of each.
    pub(crate) each: usize,
    /// Of all together.
    pub(crate) all: usize,
    used: Arc<AtomicUsize>,
}

impl Default for Capture {
    fn default() -> Self {
        Self { each: 64 << 10, all: 32 << 20, used: Arc::default() }
    }
}

impl Capture {
    #[cfg(any(feature = "compare", test))]
    pub(crate) fn new(each: usize, all: usize) -> Self {
        Self { each, all, used: Arc::default() }
    }

    /// Room for a body of that length, if that is known; none if too much is kept already.
    pub(crate) fn hold(&self, len: Option<u64>) -> Option<Held> {
        let most = self.each as u64;
        let bytes = len.map_or(most, |len| len.min(most)) as usize;
        let held = Held { bytes, used: self.used.clone() };
        let used = self.used.fetch_add(bytes, Relaxed) + bytes;
        (used <= self.all).then_some(held)
    }

    /// More room for what holds some; `false` if there is none.
    #[cfg(feature = "compare")]
    pub(crate) fn grow(&self, held: &mut Held, bytes: usize) -> bool {
        if self.used.fetch_add(bytes, Relaxed) + bytes > self.all {
            self.used.fetch_sub(bytes, Relaxed);
            return false;
        }
        held.bytes += bytes;
        true
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }
}

/// Bytes that are kept.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: usize,
    used: Arc<AtomicUsize>,
}

impl Held {
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Relaxed);
    }
}
