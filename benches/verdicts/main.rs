//! How often a report says something false of experiments whose truth is known, and how soon
//! something true: many runs, each looked at many times.
//!
//! `cargo bench --features full --bench verdicts -- [RUNS [SCENARIO]]`

#![allow(clippy::expect_used, clippy::print_stdout, missing_docs)]

mod random;
mod scenario;
mod world;

use scenario::{SCENARIOS, Scenario};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Instant,
};
use tower_spearmint::report::Verdict;

/// How often each run is looked at.
const LOOKS: u64 = 120;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let runs: usize =
        arguments.next().map_or(2_000, |runs| runs.parse().expect("a number of runs"));
    let wanted = arguments.next();
    println!(
        "{runs} runs of each, {LOOKS} looks at each run\n\n{:44} {:>9} {:>7} {:>7} {:>7} {:>10} {:>9} {:>7}",
        "scenario", "requests", "ship", "keep", "broken", "undecided", "median", "seconds"
    );
    for scenario in SCENARIOS {
        if wanted.as_ref().is_none_or(|wanted| scenario.name.contains(wanted.as_str())) {
            run(scenario, runs);
        }
    }
}

/// What the first verdict of a run was, and after how many requests.
type First = Option<(Verdict, u64)>;

fn run(scenario: &Scenario, runs: usize) {
    let started = Instant::now();
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let firsts: Vec<First> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut firsts = Vec::new();
                    loop {
                        let run = next.fetch_add(1, Ordering::Relaxed);
                        if run >= runs {
                            return firsts;
                        }
                        firsts.push(first(scenario, run as u64));
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no run panics")).collect()
    });
    let share = |verdict| {
        let count = firsts.iter().flatten().filter(|(first, _)| *first == verdict).count();
        format!("{:.2}%", count as f64 / runs as f64 * 100.0)
    };
    let mut after: Vec<_> = firsts.iter().flatten().map(|(_, requests)| *requests).collect();
    after.sort_unstable();
    let undecided = runs - after.len();
    // Of all runs, so that it is there only if half of them came to an end.
    let median = after.get(runs / 2).map_or_else(|| "-".to_owned(), u64::to_string);
    println!(
        "{:44} {:>9} {:>7} {:>7} {:>7} {:>10} {:>9} {:>7.1}",
        scenario.name,
        scenario.requests,
        share(Verdict::Ship),
        share(Verdict::Keep),
        share(Verdict::Broken),
        format!("{:.2}%", undecided as f64 / runs as f64 * 100.0),
        median,
        started.elapsed().as_secs_f64(),
    );
}

/// The first verdict that decides, looking again and again.
fn first(scenario: &Scenario, run: u64) -> First {
    let mut world = world::World::new(scenario, run);
    for look in 1..=LOOKS {
        let requests = scenario.requests * look / LOOKS;
        world.go_on_to(requests);
        let verdict = world.verdict();
        if verdict != Verdict::Undecided {
            return Some((verdict, requests));
        }
    }
    None
}
