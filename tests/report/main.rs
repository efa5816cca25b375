//! Reports: what recorded traffic comes to, and what is said of it.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod across;
mod broken;
#[cfg(feature = "cli")]
mod command;
mod failing;
mod few;
mod fixed;
#[cfg(feature = "cli")]
mod fixed_command;
mod gaps;
mod html;
mod kept_plan;
mod left;
mod looks;
mod looks_together;
mod losses;
mod means;
mod metamorphic;
mod outcomes;
mod outcomes_before;
mod outcomes_of_replicas;
mod overloaded;
#[cfg(feature = "cli")]
mod replicas;
mod roll_ups;
mod set_aside;
mod shadows;
mod split;
mod support;
mod under_way;
mod unfinished;
mod units;
