//! Configs as they are written: read, checked, documented.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs, unreachable_pub)]

mod documented;
mod experiment;
mod fuzz;
mod schema;
mod validate;
