//! What threads share where a request body is forked, and the reason that is left beside it.
//!
//! These are Tokio's, the standard library's and `futures`' own types. In a test build with
//! `--cfg spearmint_loom` they are `loom`'s, or models over `loom`'s, and the tests named
//! `loom_model` run the code that uses them in every order that the threads and the memory model
//! allow:
//!
//! ```sh
//! RUSTFLAGS="--cfg spearmint_loom" cargo test --features http --lib --target-dir target/loom loom_model
//! ```
//!
//! (`spearmint_loom` and not `loom`: that one would switch the inside of Tokio, too.)
//!
//! What is shown so, with up to three switches away from a thread that could have gone on
//! (`LOOM_MAX_PREEMPTIONS` allows more), for bodies of a few frames and one or two copies:
//!
//! - every byte that is counted as waiting is counted off once, whichever end of a copy goes first;
//! - what is let through fits: for the copy, for its config in what is free, and for all together;
//!   what is counted is more than that by at most one frame for each copy that is finding out;
//! - a copy is heard as whole only if the primary had the whole body, and with all its bytes and
//!   trailers; whoever waits for it is woken;
//! - whoever sees a copy break off finds the reason, and the first one stays.
//!
//! It is our own part that is run: the counters, the order in which a reason is left and a channel
//! closed, what an end of a channel means. Tokio's channel, `OnceLock` and `AtomicWaker` are replaced
//! by models that promise what they promise and no more.

#[cfg(all(test, spearmint_loom))]
mod model;

#[cfg(all(test, spearmint_loom, feature = "http"))]
pub(crate) use loom::sync::atomic::AtomicUsize;
#[cfg(all(test, spearmint_loom, feature = "http"))]
pub(crate) use model::mpsc;
#[cfg(all(test, spearmint_loom))]
pub(crate) use model::{AtomicWaker, OnceLock};

#[cfg(not(all(test, spearmint_loom)))]
pub(crate) use futures_util::task::AtomicWaker;
#[cfg(not(all(test, spearmint_loom)))]
pub(crate) use std::sync::OnceLock;
#[cfg(all(not(all(test, spearmint_loom)), feature = "http"))]
pub(crate) use std::sync::atomic::AtomicUsize;
#[cfg(all(not(all(test, spearmint_loom)), feature = "http"))]
pub(crate) use tokio::sync::mpsc;
