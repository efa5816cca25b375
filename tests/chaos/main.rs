//! Shadows that are sick in every way we know of, and a primary that must not notice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

mod ends;
mod errand;
mod in_process;
mod ledger;
#[path = "../support/records.rs"]
mod records;
mod sick;
#[path = "../support/proxy.rs"]
mod support;
mod through_the_proxy;
mod uploads;
mod verdict;
mod visit;
mod well;
mod wire;
