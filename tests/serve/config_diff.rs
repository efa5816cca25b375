//! `spearmint config diff`.

use crate::support::{run, stderr, stdout};
use serde_json::{Value, json};
use std::{fs, process::Output};
use tempfile::TempDir;

const EXPERIMENT: &str = "
experiment: ranker
strategy: shadow
primary: stable
shadow: { sample: 0.1 }
configs:
  - { config_id: stable, upstream: 'http://127.0.0.1:9001' }
  - { config_id: candidate, upstream: 'http://127.0.0.1:9002', api_key: k-secret }
";

fn diff(files: &[(&str, &str)], arguments: &[&str]) -> Output {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    run(&[&["config", "diff"], arguments].concat(), directory.path())
}

#[test]
fn experiments_differ_by_path_and_their_configs_by_id() {
    let next = EXPERIMENT
        .replace("sample: 0.1", "sample: 0.5")
        .replace("primary: stable\n", "")
        .replace(
            "configs:",
            "primary: stable\nconfigs:\n  - { config_id: new, upstream: 'http://h' }",
        )
        .replace("k-secret", "n-secret")
        .replace("9002'", "9003', size: 1");
    let files = [("a.yaml", EXPERIMENT), ("b.yaml", &next)];
    let output = diff(&files, &["a.yaml", "b.yaml"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        "~ shadow.sample: 0.1 → 0.5\n\
         ~ configs[candidate].api_key: [redacted] → [redacted]\n\
         ~ configs[candidate].upstream: \"http://127.0.0.1:9002\" → \"http://127.0.0.1:9003\"\n\
         + configs[candidate].size: 1\n\
         + configs[new]: {\"config_id\":\"new\",\"upstream\":\"http://h\"}\n"
    );
    let output = diff(&files, &["a.yaml", "b.yaml", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: Vec<Value> = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(
        json[0],
        json!({ "path": "shadow.sample", "kind": "changed", "before": 0.1, "after": 0.5 })
    );
    assert_eq!(json.len(), 5);
}

#[test]
fn the_same_in_other_words_does_not_differ() {
    let other = "[{ 'size': 1.0, config_id: a }]";
    let files = [("a.yaml", "# one\nconfig_id: a\nsize: 1"), ("b.yaml", other)];
    let output = diff(&files, &["a.yaml", "b.yaml"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""));
    let output = diff(&files, &["a.yaml", "b.yaml", "--json"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "[]\n"));
}

#[test]
fn two_configs_of_one_file_are_named_by_their_ids() {
    let files = [("a.yaml", EXPERIMENT), ("b.yaml", "[{ config_id: x, v: 1 }, { config_id: y }]")];
    let output = diff(&files, &["a.yaml", "stable", "candidate"]);
    assert_eq!(
        stdout(&output),
        "~ config_id: \"stable\" → \"candidate\"\n\
         ~ upstream: \"http://127.0.0.1:9001\" → \"http://127.0.0.1:9002\"\n\
         + api_key: [redacted]\n"
    );
    let output = diff(&files, &["b.yaml", "x", "y"]);
    assert_eq!(stdout(&output), "~ config_id: \"x\" → \"y\"\n- v: 1\n");
    let output = diff(&files, &["b.yaml", "x", "z"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output), "error: no config `z`; the pool has `x`, `y`\n");
}

#[test]
fn a_mistake_in_a_file_is_told_with_its_place() {
    let files = [("a.yaml", EXPERIMENT), ("b.yaml", "v: 1\nv: 2"), ("c.yaml", "v: 1")];
    for (arguments, said) in [
        (
            ["a.yaml", "b.yaml"],
            "error: b.yaml:2:1: the key `v` is written twice in one map; keep one of them\n",
        ),
        (["a.yaml", "none.yaml"], "error: none.yaml: No such file or directory (os error 2)\n"),
        (
            ["a.yaml", "c.yaml"],
            "error: one is an experiment file, the other is of configs; compare two of a kind, or \
             two configs of one file by their ids\n",
        ),
    ] {
        let output = diff(&files, &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stderr(&output), said);
    }
}
