//! The answers to one request, until they are compared.

use crate::{branch::BranchId, trial::Place};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is kept of the answers to one request.
pub(super) struct Answers<T> {
    /// The primary's branch.
    pub(super) primary: BranchId,
    state: Mutex<Primary<T>>,
}

enum Primary<T> {
    /// Not there yet; those that wait for it.
    Awaited(Vec<Other<T>>),
    Here(Arc<T>),
    /// It failed, or its caller left.
    Never,
}

/// A shadow's answer.
pub(super) struct Other<T> {
    pub(super) place: Place,
    pub(super) at: usize,
    pub(super) kept: T,
}

/// What became of an answer that was brought.
pub(super) enum Brought<T> {
    /// It waits for the primary's.
    Waits,
    /// Both are there.
    Pair(Arc<T>, Other<T>),
    /// There is nothing to compare it with.
    Alone(Other<T>),
}

impl<T> Answers<T> {
    pub(super) fn new(primary: BranchId) -> Self {
        Self { primary, state: Mutex::new(Primary::Awaited(Vec::new())) }
    }

    fn state(&self) -> MutexGuard<'_, Primary<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The primary's answer is there, or will never be. Gives back who waited for it.
    pub(super) fn primary(&self, kept: Option<T>) -> (Option<Arc<T>>, Vec<Other<T>>) {
        let kept = kept.map(Arc::new);
        let next = kept.clone().map_or(Primary::Never, Primary::Here);
        match std::mem::replace(&mut *self.state(), next) {
            Primary::Awaited(others) => (kept, others),
            Primary::Here(_) | Primary::Never => (kept, Vec::new()),
        }
    }

    /// A shadow's answer is there.
    pub(super) fn other(&self, other: Other<T>) -> Brought<T> {
        match &mut *self.state() {
            Primary::Awaited(others) => {
                others.push(other);
                Brought::Waits
            }
            Primary::Here(primary) => Brought::Pair(primary.clone(), other),
            Primary::Never => Brought::Alone(other),
        }
    }
}
