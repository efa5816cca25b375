//! `spearmint config show`, and `serve` through the same loader.

use crate::support::Files;
use std::process::{Command, Output};
use tower_spearmint::config::Sources;
use tower_spearmint::proxy::ExperimentFile;

const EXPERIMENT: &str = "\
experiment: ranker
strategy: shadow
primary: stable
secrets: [pin]
shadow: { sample: 1.0 }
configs:
  - { config_id: stable, upstream: 'http://127.0.0.1:9001', api_key: s3cret, pin: s3cret }
  - { config_id: candidate, upstream: 'http://u:s3cret@127.0.0.1:9002' }
";

fn files() -> Files {
    Files::new(&[
        ("base.yaml", EXPERIMENT),
        ("env/prod.toml", "[shadow]\nsample = 0.1\ntimeout = '2s'\n"),
    ])
}

fn show(files: &Files, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spearmint"))
        .args(["config", "show"])
        .args(arguments)
        .current_dir(files.directory())
        .env("SPEARMINT__SHADOW__MAX_IN_FLIGHT", "64")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn it_shows_what_comes_of_the_files_and_from_where_without_secrets() {
    let files = files();
    let said = text(&show(
        &files,
        &[".", "--env", "prod", "--origins", "shadow.seed=7", "--set", "configs[0].pin=s3cret"],
    ));
    assert_eq!(
        said,
        "\
configs:
  - api_key: \"[redacted]\" # ./base.yaml:7:70
    config_id: stable # ./base.yaml:7:18
    pin: \"[redacted]\" # override `configs[0].pin=[redacted]`
    upstream: http://127.0.0.1:9001 # ./base.yaml:7:36
  - config_id: candidate # ./base.yaml:8:18
    upstream: \"http://[redacted]@127.0.0.1:9002\" # ./base.yaml:8:39
experiment: ranker # ./base.yaml:1:13
primary: stable # ./base.yaml:3:10
secrets: \"[redacted]\" # ./base.yaml:4:1
shadow:
  max_in_flight: 64 # environment variable SPEARMINT__SHADOW__MAX_IN_FLIGHT
  sample: 0.1 # ./env/prod.toml:2:10
  seed: 7 # override `shadow.seed=7`
  timeout: 2s # ./env/prod.toml:3:11
strategy: shadow # ./base.yaml:2:11
"
    );
}

#[test]
fn it_shows_json_for_machines() {
    let files = files();
    let json: serde_json::Value =
        serde_json::from_str(&text(&show(&files, &["base.yaml", "--format", "json", "--origins"])))
            .unwrap();
    assert_eq!(json["config"]["configs"][0]["api_key"], "[redacted]");
    assert_eq!(json["origins"]["shadow.sample"], "base.yaml:5:19");
    let plain: serde_json::Value =
        serde_json::from_str(&text(&show(&files, &["base.yaml", "--format", "json"]))).unwrap();
    assert_eq!(plain, json["config"]);
}

#[test]
fn a_mistake_has_exit_code_two() {
    let files = files();
    let output = show(&files, &["base.yaml", "--env", "prd"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: env: no overlay `prd`; there are `prod`\n"
    );
}

#[test]
fn an_experiment_is_read_again_from_all_its_sources() {
    let files = files();
    files.write("base.yaml", EXPERIMENT.replace("u:s3cret@", ""));
    let sources = Sources::new(files.directory())
        .overlay("prod")
        .environment("SPEARMINT__", [("SPEARMINT__THREADS", "3")])
        .overrides(["experiment=other"]);
    let file = ExperimentFile::load(&sources).unwrap();
    assert_eq!((file.experiment(), file.threads(), file.pool().len()), ("other", Some(3), 2));
    assert_eq!(file.files(), [files.path("base.yaml"), files.path("env/prod.toml")]);
    files.write("env/prod.toml", "threads = 9\nstore = 'x.db'\n");
    let file = file.reread().unwrap();
    assert_eq!((file.experiment(), file.threads()), ("other", Some(3)));
    assert_eq!(file.store(), Some(files.path("x.db")), "relative to the file, not to the overlay");
    files.write("env/prod.toml", "thread = 9\n");
    assert_eq!(
        files.said(&file.reread().unwrap_err()),
        "env/prod.toml:1:10: `thread`: unknown key `thread`; did you mean `threads`?"
    );
}

#[test]
fn references_are_shown_resolved_unless_they_are_asked_for_as_written() {
    let files = Files::new(&[(
        "x.yaml",
        "password: hush\ndsn: \"db:${password}\"\nmodel: small\nname: \"${model}-v2\"\n",
    )]);
    let shown = text(&show(&files, &["x.yaml"]));
    assert!(
        shown.ends_with("name: small-v2\npassword: \"[redacted]\"\nshadow:\n  max_in_flight: 64\n")
    );
    assert!(shown.starts_with("dsn: \"[redacted]\"\n"), "{shown}");
    assert!(text(&show(&files, &["x.yaml", "--raw"])).contains("${model}-v2"));
}
