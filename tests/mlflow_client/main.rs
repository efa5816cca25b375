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

use std::{ffi::OsStr, path::Path, process::Command};

fn suite() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mlflow_client"))
}

fn many_runs() -> String {
    std::env::var("SPEARMINT_MANY_RUNS").unwrap_or_else(|_| "400".to_owned())
}

/// Runs a script of the suite; the test fails with what it said.
fn script<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) {
    let output = Command::new(mlflow::python())
        .arg(suite().join(name))
        .args(arguments)
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SPEARMINT_MANY_RUNS", many_runs())
        .output()
        .expect("Python");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    println!("{said}");
}

/// What is named in the variable `CASES` (`search.filters runs.*`) is run alone.
/// `SPEARMINT_MANY_RUNS` is how many runs are paged through at both; MLflow takes minutes for 10,000.
#[test]
fn the_client_is_answered_as_by_mlflow_but_for_the_listed_differences() {
    let (theirs, ours) = (mlflow::Server::start(), ours::Server::start());
    script("many_runs.py", [many_runs().into(), theirs.database(), ours.database()]);
    let cases = std::env::var("CASES").unwrap_or_default();
    let uris = [theirs.uri(), ours.uri()];
    script("compare.py", uris.iter().map(String::as_str).chain(cases.split_whitespace()));
}

#[test]
fn branches_are_runs_to_the_client() {
    let server = ours::Server::after_demo(300);
    script("branches.py", [server.uri()]);
}

#[test]
fn pages_go_through_ten_thousand_runs_in_every_order() {
    let server = ours::Server::start();
    script("ten_thousand.py", [server.uri().into(), server.database()]);
}
