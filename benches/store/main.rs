//! How fast the store takes branches, how many bytes each comes to, and how fast it gives them
//! back:
//!
//! ```text
//! cargo bench --features store --bench store [-- ROWS]            # each kind by itself
//! … -- sustained FILE --rate 200000 --seconds 60                  # through a recorder, at a rate
//! … -- fill FILE ROWS                                             # a store that holds so many
//! … -- open FILE                                                  # how long opening it takes
//! ```
//!
//! `benches/store/run.sh` runs the last three. What they print are lines of fields, with tabs between
//! them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program to be looked at"
)]

mod cases;
mod made;
mod many;
mod sustained;

use std::{path::Path, time::Duration};

fn main() {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let option = |name| {
        words.windows(2).find(|pair| pair[0] == name).and_then(|pair| pair[1].parse::<u64>().ok())
    };
    match words[..] {
        ["sustained", file, ..] => sustained::run(
            Path::new(file),
            option("--rate").unwrap_or(200_000),
            Duration::from_secs(option("--seconds").unwrap_or(60)),
        ),
        ["fill", file, rows] => many::fill(Path::new(file), rows.parse().unwrap()),
        ["open", file] => many::open(Path::new(file)),
        _ => cases::run(words.iter().find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000)),
    }
}
