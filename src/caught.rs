//! Panics of other people's code.

use crate::branch::Failure;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f`; a panic in it goes no further and becomes a failure.
///
/// What `f` touched may be left half-way: the caller drops it, or uses it no more.
pub(crate) fn caught<T>(f: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|panic| Failure::of_panic(&*panic))
}
