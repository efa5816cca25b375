//! `spearmint branches`, and what all commands have in common.

use crate::support::{run, spearmint, stderr, stdout};
use serde_json::{Value, json};
use std::{io::Read, path::Path, process::Stdio};
use tempfile::TempDir;
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    BoxError, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial, service_fn,
    store::SqliteStore,
};

/// A store with so many branches, half of `good` and half of `bad`, which fails.
async fn store(directory: &Path, count: usize) {
    let (recorder, recording) =
        Recorder::pair(SqliteStore::open(directory.join("spearmint.db")).unwrap());
    let recording = tokio::spawn(recording);
    let pool =
        ConfigPool::from_values(["good", "bad"].map(|id| json!({ "config_id": id }))).unwrap();
    let service = service_fn(|trial: Trial<()>| async move {
        match trial.config().id().as_str() {
            "good" => Ok(()),
            _ => Err(BoxError::from("it is \"bad\",\nreally")),
        }
    });
    let layer = RoundRobinLayer::new(pool).experiment("ranker");
    let mut service = layer.layer(LogLayer::new(recorder.clone()).layer(service));
    for _ in 0..count {
        let _ = service.ready().await.unwrap().call(()).await;
    }
    drop((service, layer, recorder));
    recording.await.unwrap();
}

fn branches(directory: &Path, arguments: &str) -> std::process::Output {
    let arguments: Vec<_> =
        std::iter::once("branches").chain(arguments.split_whitespace()).collect();
    run(&arguments, directory)
}

fn rows(directory: &Path, arguments: &str) -> Vec<Value> {
    let output = branches(directory, &format!("{arguments} --format json"));
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[tokio::test]
async fn the_filters_choose_and_the_formats_agree() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    store(directory, 60).await;
    for (filter, count) in [
        ("", 60),
        ("--experiment ranker", 60),
        ("--config good", 30),
        ("--config ba", 30),
        ("--status failed", 30),
        ("--status failed --config good", 0),
        ("--role primary", 60),
        ("--role shadow", 0),
        ("--since 1h", 60),
        ("--since 2999-01-01T00:00:00Z", 0),
        ("--limit 7", 7),
    ] {
        assert_eq!(rows(directory, filter).len(), count, "{filter}");
        let csv = stdout(&branches(directory, &format!("{filter} --format csv")));
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        assert_eq!(reader.records().map(Result::unwrap).count(), count, "{filter}");
        let table = branches(directory, filter);
        let shown = if filter.is_empty() || count == 60 { count.min(50) } else { count };
        // The heading is a line of its own; without rows there is nothing.
        let lines = stdout(&table).lines().count();
        assert_eq!(lines, if count == 0 { 0 } else { shown + 1 }, "{filter}");
        assert_eq!(stderr(&table), format!("{shown} of 60 branches in spearmint.db\n"));
    }
}

#[tokio::test]
async fn a_row_holds_the_branch_in_every_format() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    store(directory, 2).await;
    let failed = &rows(directory, "--status failed")[0];
    assert_eq!(failed["failure"]["message"], "it is \"bad\",\nreally");
    assert_eq!(
        (&failed["experiment"], &failed["strategy"]),
        (&json!("ranker"), &json!("round_robin"))
    );
    assert_eq!(failed["probability"], 0.5);

    let csv = stdout(&branches(directory, "--status failed --format csv"));
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names = reader.headers().unwrap().clone();
    let record = reader.records().next().unwrap().unwrap();
    let field = |name| &record[names.iter().position(|n| n == name).unwrap()];
    assert_eq!(field("id"), failed["id"].as_str().unwrap());
    assert_eq!(
        (field("failure_kind"), field("failure_message")),
        ("error", "it is \"bad\",\nreally")
    );
    assert_eq!(field("duration_ns"), failed["duration_ns"].to_string());

    let table = stdout(&branches(directory, "--status failed"));
    assert!(table.lines().nth(1).unwrap().ends_with("error: it is \"bad\", really"), "{table}");
}

#[tokio::test]
async fn the_summary_counts_for_each_config() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    store(directory, 60).await;
    let output = branches(directory, "--summary --json");
    let summary: Vec<Value> = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(summary.len(), 2);
    assert!(summary.iter().all(|row| row["requests"] == 30));
    let table = stdout(&branches(directory, "--summary"));
    assert!(table.contains("100.0%") && table.contains("0.0%"), "{table}");
    let csv = branches(directory, "--summary --format csv");
    assert_eq!(csv.status.code(), Some(2));
    assert_eq!(stderr(&csv), "error: --summary has no csv form; use --format json\n");
}

#[tokio::test]
async fn an_empty_store_is_no_error() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    store(directory, 0).await;
    assert_eq!(rows(directory, ""), Vec::<Value>::new());
    let table = branches(directory, "");
    assert_eq!((table.status.code(), stdout(&table).as_str()), (Some(0), ""));
    assert_eq!(stderr(&table), "0 of 0 branches in spearmint.db\n");
    assert_eq!(stdout(&branches(directory, "--format csv")).lines().count(), 1);
    assert_eq!(branches(directory, "--summary").status.code(), Some(0));
}

#[test]
fn a_store_that_is_not_there_is_the_users_mistake() {
    let directory = TempDir::new().unwrap();
    let output = branches(directory.path(), "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        stderr(&output),
        "error: spearmint.db: no such store; name the one that `spearmint serve` or `spearmint demo` wrote with --store\n"
    );
    assert!(!directory.path().join("spearmint.db").exists(), "it was made");
}

#[test]
fn a_file_that_is_no_store_is_the_users_mistake() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("spearmint.db"), "no database at all, but long enough")
        .unwrap();
    let output = branches(directory.path(), "");
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.starts_with("error: spearmint.db is not a database"), "{said}");
}

#[tokio::test]
async fn a_name_that_is_not_there_is_the_users_mistake() {
    let directory = TempDir::new().unwrap();
    store(directory.path(), 2).await;
    for (filter, said) in [("--config x", "good"), ("--experiment other", "ranker")] {
        let output = branches(directory.path(), filter);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

#[test]
fn arguments_that_are_wrong_say_what_would_be_right() {
    let directory = TempDir::new().unwrap();
    for (arguments, said) in [
        ("--status done", "success, failed, skipped"),
        ("--role boss", "primary"),
        ("--since yesterday", "write how long ago (15m, 1h, 2d) or a time (2026-01-31T12:00:00Z)"),
        ("--format xml", "[possible values: table, json, csv]"),
        ("--json --format csv", "cannot be used with"),
        ("--confg x", "'--config'"),
    ] {
        let output = branches(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(stderr(&output).contains(said), "{arguments}: {}", stderr(&output));
    }
}

/// As `| head` does.
#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let directory = TempDir::new().unwrap();
    store(directory.path(), 2_000).await;
    for arguments in [
        &["branches", "--format", "json"][..],
        &["branches", "--format", "csv"],
        &["branches", "--limit", "2000"],
        &["branches", "--summary"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let mut child = spearmint()
            .args(arguments)
            .current_dir(directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 1];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("error") && !said.contains("panicked"), "{arguments:?}: {said}");
    }
}

#[test]
fn every_command_shows_an_example() {
    let directory = TempDir::new().unwrap();
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["demo", "--help"],
        &["branches", "--help"],
        &["completions", "--help"],
        &[],
    ] {
        let output = run(arguments, directory.path());
        let text = format!("{}{}", stdout(&output), stderr(&output));
        assert!(text.contains("Example"), "{arguments:?}: {text}");
        assert!(text.contains("  spearmint "), "{arguments:?}: {text}");
    }
}

#[test]
fn completions_print_for_every_shell() {
    let directory = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell], directory.path());
        assert!(output.status.success());
        assert!(stdout(&output).contains("summary"), "{shell}");
    }
}

#[test]
fn there_is_colour_only_where_it_is_wanted() {
    let directory = TempDir::new().unwrap();
    let said = |variable: (&str, &str)| {
        let output = spearmint()
            .arg("branches")
            .env(variable.0, variable.1)
            .current_dir(directory.path())
            .output()
            .unwrap();
        stderr(&output)
    };
    assert!(said(("CLICOLOR_FORCE", "1")).contains("\x1b["));
    assert!(!said(("NO_COLOR", "1")).contains("\x1b["));
    assert!(!said(("TERM", "xterm")).contains("\x1b["), "not at a terminal");
}
