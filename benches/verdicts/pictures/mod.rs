//! The pictures of `docs/statistics.md`.

mod chart;
mod deciding;
mod looking;
mod narrowing;
mod standing;
mod tails;

use crate::{scenario::Scenario, scenarios};
use std::{fs, path::Path};

/// Writes all of them into a directory; what is a share is one of so many runs.
pub(crate) fn draw(directory: &Path, runs: usize) {
    fs::create_dir_all(directory).expect("the directory can be made");
    for (name, svg) in [
        ("standing.svg", standing::svg()),
        ("looking.svg", looking::svg(runs)),
        ("narrowing.svg", narrowing::svg()),
        ("deciding.svg", deciding::svg(runs)),
        ("tails.svg", tails::svg(runs)),
    ] {
        fs::write(directory.join(name), svg).expect("the file can be written");
        println!("{}", directory.join(name).display());
    }
}

fn scenario(name: &str) -> &'static Scenario {
    scenarios::all().find(|scenario| scenario.name == name).expect("there is one of that name")
}

fn thousands(requests: f64) -> String {
    format!("{}k", requests / 1e3)
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

fn points(difference: f64) -> String {
    format!("{:+.1}", difference * 100.0)
}
