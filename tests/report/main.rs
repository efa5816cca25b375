//! Reports: what recorded traffic comes to, and what is said of it.

mod broken;
#[cfg(feature = "cli")]
mod command;
mod few;
mod shadows;
mod split;
mod support;
