//! What the primary's answer is kept for.

use std::fmt;

/// Takes the primary's answer, to compare it with those of the shadows: once, when it is complete.
/// Dropped without, it was never completed.
pub struct Keep<T>(Option<Take<T>>);

type Take<T> = Box<dyn FnOnce(Option<Seen<'_, T>>) + Send>;

/// An answer as it can be had: whole, or only to look at, because the caller gets it.
pub(crate) enum Seen<'a, T> {
    Look(&'a T),
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "where the body is streamed"))]
    Take(T),
}

impl<T> Keep<T> {
    pub(crate) fn new(take: impl FnOnce(Option<Seen<'_, T>>) + Send + 'static) -> Self {
        Self(Some(Box::new(take)))
    }

    /// The answer, which the caller gets.
    pub fn look(mut self, answer: &T) {
        if let Some(take) = self.0.take() {
            take(Some(Seen::Look(answer)));
        }
    }

    /// What is left of the answer.
    #[cfg(feature = "http")]
    pub fn take(mut self, answer: T) {
        if let Some(take) = self.0.take() {
            take(Some(Seen::Take(answer)));
        }
    }
}

impl<T> Drop for Keep<T> {
    fn drop(&mut self) {
        if let Some(take) = self.0.take() {
            take(None);
        }
    }
}

impl<T> fmt::Debug for Keep<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keep").finish_non_exhaustive()
    }
}
