//! The last shadows and comparisons, to read back.

use std::{
    any::Any,
    collections::VecDeque,
    fmt,
    sync::{Mutex, PoisonError},
};

/// A layer does not know the response type of the services it will make, so each is kept as
/// what it is and asked for by its type.
pub(super) struct Results {
    kept: Mutex<VecDeque<Box<dyn Any + Send>>>,
    capacity: usize,
}

impl Results {
    pub(super) fn new(capacity: usize) -> Self {
        Self { kept: Mutex::default(), capacity }
    }

    pub(super) const fn keeps(&self) -> bool {
        self.capacity > 0
    }

    pub(super) fn keep<T: Send + 'static>(&self, result: T) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= self.capacity {
            kept.pop_front();
        }
        kept.push_back(Box::new(result));
    }

    pub(super) fn take<T: 'static>(&self) -> Vec<T> {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        kept.into_iter().filter_map(|kept| kept.downcast().ok()).map(|kept| *kept).collect()
    }
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
