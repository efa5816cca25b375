//! `spearmint config expand`.

use serde_json::{Value, json};
use std::{
    path::Path,
    process::{Command, Output},
};
use tower_spearmint::ConfigPool;

/// Runs it on a file with this text.
fn expand(text: &str, arguments: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("sweep.yaml");
    std::fs::write(&file, text).unwrap();
    run(&file, arguments)
}

fn run(file: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spearmint"));
    command.env("NO_COLOR", "1").args(["config", "expand"]).arg(file).args(arguments);
    command.output().unwrap()
}

fn printed(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

const BILLION: &str = "
model: { $choice: [a, b] }
n: { $range: [0, 1000000000] }
";

#[test]
fn a_huge_grid_answers_at_once() {
    assert_eq!(printed(expand(BILLION, &["--count"])), "2000000000\n");
    let some: Vec<Value> =
        serde_json::from_str(&printed(expand(BILLION, &["--limit", "2", "--json"]))).unwrap();
    let ids =
        ConfigPool::from_values([json!({ "model": "a", "n": 0 }), json!({ "model": "a", "n": 1 })]);
    for (shown, config) in some.iter().zip(ids.unwrap().iter()) {
        assert_eq!(shown["config_id"], config.id().as_str());
        assert_eq!(shown["n"], config.value()["n"]);
    }
    assert_eq!(some.len(), 2);
}

#[test]
fn a_table_has_a_column_for_what_varies() {
    let text = "{ fixed: 1, model: { $choice: [a, b] }, $expand: { name: \"is-{model}\" } }";
    assert_eq!(
        printed(expand(text, &[])).lines().map(str::trim).collect::<Vec<_>>(),
        ["config_id  model", "is-a       a", "is-b       b"]
    );
    let output = expand(BILLION, &[]);
    let note = String::from_utf8(output.stderr).unwrap();
    assert_eq!(note, "20 shown, of 2000000000 configs (--limit)\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 21);
}

#[test]
fn what_is_printed_is_a_file_of_the_same_configs() {
    let text = "{ api_key: k, t: { $linspace: [0, 1, 3] }, text: \"a: 'b' # c\" }";
    let pool = ConfigPool::from_yaml_str(text).unwrap();
    for format in ["json", "yaml"] {
        let again = printed(expand(text, &["--format", format]));
        assert!(again.contains("[redacted]"));
        let again = ConfigPool::from_yaml_str(&again).unwrap();
        let ids = |pool: &ConfigPool| pool.iter().map(|c| c.id().clone()).collect::<Vec<_>>();
        assert_eq!(ids(&again), ids(&pool));
        assert_eq!(again[1].get::<String>("text").unwrap(), "a: 'b' # c");
    }
}

#[test]
fn a_sample_is_the_same_for_the_same_seed() {
    let sample = |seed| printed(expand(BILLION, &["--sample", "3", "--seed", seed, "--json"]));
    assert_eq!(sample("7"), sample("7"));
    assert_ne!(sample("7"), sample("8"));
    assert_eq!(serde_json::from_str::<Vec<Value>>(&sample("7")).unwrap().len(), 3);
}

#[test]
fn an_experiment_file_is_expanded_too() {
    let text = "
experiment: e
strategy: single
secrets: [house_number]
configs:
  - { config_id: a, upstream: http://h:1 }
  - { upstream: { $choice: [http://h:2, http://h:3] }, house_number: 7 }
";
    let shown: Vec<Value> = serde_json::from_str(&printed(expand(text, &["--json"]))).unwrap();
    let upstreams: Vec<_> =
        shown.iter().map(|config| config["upstream"].as_str().unwrap()).collect();
    assert_eq!(upstreams, ["http://h:1", "http://h:2", "http://h:3"]);
    assert_eq!(shown[1]["house_number"], "[redacted]");
}

#[test]
fn a_mistake_ends_with_2_and_its_place() {
    let output = expand("n: { $choice: [] }", &[]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("sweep.yaml:1:6: `n.$choice`: empty"), "{message}");
    let output = expand("config_id: { $choice: [a, 1] }", &["--json"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("sweep.yaml:1: `config_id`: 1 is not"), "{message}");
}

#[test]
fn nothing_is_counted_for_ever() {
    let output =
        expand("{ n: { $range: [0, 1000000000] }, $expand: { exclude: \"n < 5\" } }", &["--count"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("1000000000 configs before `exclude` and `include`"), "{message}");
}
