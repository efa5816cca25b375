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

/// Runs it in a directory with these files.
fn expand_in(files: &[(&str, &str)], arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = directory.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_spearmint"));
    command.current_dir(directory.path()).env("NO_COLOR", "1").envs(variables.iter().copied());
    command.args(["config", "expand"]).args(arguments).output().unwrap()
}

/// The values of a key in each config that is printed.
fn each(output: Output, key: &str) -> Vec<Value> {
    let shown: Vec<Value> = serde_json::from_str(&printed(output)).unwrap();
    shown.into_iter().map(|config| config[key].clone()).collect()
}

#[test]
fn what_is_laid_over_a_file_is_expanded_with_it() {
    let files = [
        ("sweep.yaml", "{ model: { $choice: [a, b] }, n: 1, dropout: 0.1 }"),
        ("env/prod.json", r#"{ "n": { "$range": [0, 3] } }"#),
    ];
    let with = |arguments: &[&str], variables: &[(&str, &str)]| {
        let arguments = [&["sweep.yaml", "--json"], arguments].concat();
        each(expand_in(&files, &arguments, variables), "n")
    };
    assert_eq!(with(&[], &[]), [json!(1), json!(1)]);
    assert_eq!(with(&["model=c", "--env", "prod"], &[]), [json!(0), json!(1), json!(2)]);
    assert_eq!(with(&["model=c"], &[("SPEARMINT__N", "7")]), [json!(7)]);
    assert_eq!(with(&["model=c", "n=8"], &[("SPEARMINT__N", "7")]), [json!(8)]);
    let choice = ["--set", "n={$choice: [4, 5]}", "model=c", "~dropout"];
    let output = expand_in(&files, &[&["sweep.yaml", "--json"], &choice[..]].concat(), &[]);
    let shown: Vec<Value> = serde_json::from_str(&printed(output)).unwrap();
    let fields = |config: &Value| config.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&shown[1]), ["config_id", "model", "n"]);
    assert_eq!(shown[1]["n"], 5);
}

#[test]
fn json_toml_and_directories_are_expanded_like_yaml() {
    let json = r#"{ "n": { "$choice": [1, 2] } }"#;
    for (name, text) in [
        ("sweep.json", json),
        ("sweep.toml", "[n]\n\"$choice\" = [1, 2]\n"),
        ("sweep.yaml", "n: { $choice: [1, 2] }"),
        ("sweep/base.json", json),
    ] {
        let argument = name.strip_suffix("/base.json").unwrap_or(name);
        let output = expand_in(&[(name, text)], &[argument, "--json"], &[]);
        assert_eq!(each(output, "n"), [json!(1), json!(2)], "{name}");
    }
}

#[test]
fn what_is_laid_over_several_documents_is_laid_over_each() {
    let files = [("sweep.yaml", "{ a: 1, n: 1 }\n---\n{ a: { $choice: [2, 3] }, n: 2 }\n")];
    let output = expand_in(&files, &["sweep.yaml", "--json", "n=9"], &[]);
    let shown: Vec<Value> = serde_json::from_str(&printed(output)).unwrap();
    let pairs: Vec<_> = shown.iter().map(|c| (c["a"].clone(), c["n"].clone())).collect();
    assert_eq!(pairs, [1, 2, 3].map(|a| (json!(a), json!(9))));
}

#[test]
fn a_wrong_override_ends_with_2() {
    let output = expand_in(&[("sweep.yaml", "n: 1")], &["sweep.yaml", "~m"], &[]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("error: override `~m`: "), "{message}");
}

#[test]
fn yaml_is_printed_as_documents_in_block_style() {
    let text =
        "{ llm: { model: { $choice: [a, b] }, stop: [x, y] }, $expand: { name: \"{llm.model}\" } }";
    let printed = printed(expand(text, &["--format", "yaml"]));
    let one = |name: &str| {
        format!("config_id: {name}\nllm:\n  model: {name}\n  stop:\n    - x\n    - \"y\"\n")
    };
    assert_eq!(printed, format!("{}---\n{}", one("a"), one("b")));
}
