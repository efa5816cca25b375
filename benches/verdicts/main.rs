//! How often a report says something false of experiments whose truth is known, and how soon
//! something true: many runs, each looked at many times.
//!
//! `cargo bench --features report --bench verdicts -- [RUNS [SCENARIO]] [--markdown] [--pictures DIR]`
//!
//! Of the scenario with this name, or else of those that have this in their names. With pictures, no scenario is run but those
//! that are drawn. The exit code is 1 if something false was said more often than it may be, and that is no chance.

#![allow(clippy::expect_used, clippy::print_stdout, missing_docs)]

mod numbers;
mod outcome;
mod pictures;
mod random;
mod runs;
mod scenario;
mod scenarios;
mod table;
mod world;

use std::{path::PathBuf, process::ExitCode, time::Instant};
use table::Table;

/// How often each run is looked at.
pub(crate) const LOOKS: u64 = 120;

fn main() -> ExitCode {
    let mut positional = Vec::new();
    let (mut markdown, mut pictures) = (false, None);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--markdown" => markdown = true,
            "--pictures" => {
                pictures = Some(PathBuf::from(arguments.next().expect("a directory")));
            }
            _ => positional.push(argument),
        }
    }
    let mut positional = positional.into_iter();
    let runs: usize =
        positional.next().map_or(2_000, |runs| runs.parse().expect("a number of runs"));
    if let Some(directory) = pictures {
        pictures::draw(&directory, runs);
        return ExitCode::SUCCESS;
    }
    let wanted = positional.next();
    let exactly = scenarios::all().any(|one| wanted.as_deref() == Some(one.name));
    let is_wanted = |name: &str| match wanted.as_deref() {
        None => true,
        Some(wanted) if exactly => name == wanted,
        Some(wanted) => name.contains(wanted),
    };
    let table = Table { markdown };
    println!("{runs} runs of each, {} looks at each run\n\n{}", LOOKS, table.head());
    let mut held = true;
    for scenario in scenarios::all() {
        if is_wanted(scenario.name) {
            let started = Instant::now();
            let firsts = runs::all(runs, |run| outcome::first(scenario, run));
            let seconds = started.elapsed().as_secs_f64();
            let outcomes = outcome::Outcomes::of(scenario, &firsts);
            println!("{}", table.row(scenario, &outcomes, seconds));
            held &= outcomes.hold();
        }
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
