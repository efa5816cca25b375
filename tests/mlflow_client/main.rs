//! MLflow's own Python client, unchanged, at an MLflow server and at ours: the same answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::print_stdout, reason = "says what was compared")]
#![allow(missing_docs, unreachable_pub)]

#[path = "../support/mlflow.rs"]
mod mlflow;
mod ours;
mod pasted;
mod requests_as_traces;
#[path = "../support/proxy.rs"]
mod support;

use std::{path::Path, process::Command};

fn suite() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mlflow_client"))
}

/// Runs a script of the suite; the test fails with what it said. What is named in the variable
/// `CASES` (`search.filters runs.*`) is run alone.
fn script(name: &str, arguments: &[&str]) {
    let cases = std::env::var("CASES").unwrap_or_default();
    let output = Command::new(mlflow::python())
        .arg(suite().join(name))
        .args(arguments)
        .args(cases.split_whitespace())
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("Python");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    println!("{said}");
}

#[test]
fn the_client_is_answered_as_by_mlflow_but_for_the_listed_differences() {
    let (theirs, ours) = (mlflow::Server::start(), ours::Server::start());
    script("compare.py", &[&theirs.uri(), &ours.uri()]);
}
