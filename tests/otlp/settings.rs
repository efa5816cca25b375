//! What an experiment file says of a collector.

use crate::proxy::{run, spearmint, stderr, stdout};
use std::path::Path;
use tempfile::TempDir;
use tower_spearmint::proxy::ExperimentFile;

fn yaml(otlp: &str) -> String {
    format!(
        "experiment: x\nstrategy: single\n{otlp}\nconfigs: [{{ config_id: a, upstream: 'http://127.0.0.1:1' }}]\n"
    )
}

fn in_directory(otlp: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("x.yaml"), yaml(otlp)).unwrap();
    directory
}

/// What `spearmint config validate` says of it.
fn validated(directory: &Path, variables: &[(&str, &str)]) -> String {
    let command = &mut spearmint();
    let command = command.args(["config", "validate", "x.yaml"]).current_dir(directory);
    stderr(&command.envs(variables.iter().copied()).output().unwrap())
}

#[test]
fn it_is_off_unless_switched_on_and_then_as_the_environment_says() {
    let url = |otlp: &str| {
        let file = ExperimentFile::from_yaml_str(&yaml(otlp)).unwrap();
        file.otlp_backend().unwrap().map(|backend| backend.url().to_owned())
    };
    assert_eq!(url(""), None);
    assert_eq!(url("otlp: false"), None);
    for on in ["otlp: true", "otlp: {}"] {
        assert_eq!(url(on).as_deref(), Some("http://localhost:4318/v1/traces"));
    }
    let own = "otlp: { endpoint: 'https://otel.example/in' }";
    assert_eq!(url(own).as_deref(), Some("https://otel.example/in/v1/traces"));
    // Another process may have another environment.
    let directory = in_directory("otlp: true");
    let variable = ("OTEL_EXPORTER_OTLP_ENDPOINT", "nowhere");
    let said = validated(directory.path(), &[variable]);
    assert!(said.contains("OTEL_EXPORTER_OTLP_ENDPOINT: `nowhere` is not the address"), "{said}");
}

#[test]
fn mistakes_are_told_with_their_places_and_without_secrets() {
    for (otlp, says) in [
        ("otlp: { endpoint: 'grpc://127.0.0.1:4317' }", "x.yaml:3:19: `otlp.endpoint`"),
        ("otlp: { headers: { 'x y': hidden } }", "the header `x y` cannot be sent"),
        ("otlp: { headers: { x-key: \"hid\\nden\" } }", "x.yaml:3:27: `otlp.headers.x-key`"),
        ("otlp: { endpont: 'http://127.0.0.1:4317' }", "did you mean `endpoint`?"),
    ] {
        let directory = in_directory(otlp);
        let said = validated(directory.path(), &[]);
        assert!(said.contains(says), "{otlp}: {said}");
        assert!(!said.contains("hidden") && !said.contains("hid"), "{said}");
    }
}

#[test]
fn the_values_of_its_headers_are_secrets() {
    let otlp = "otlp: { endpoint: 'http://127.0.0.1:1', headers: { x-vendor-team: hidden } }";
    let directory = in_directory(otlp);
    let output = run(&["config", "show", "x.yaml"], directory.path());
    let shown = stdout(&output);
    assert!(shown.contains("x-vendor-team: ") && !shown.contains("hidden"), "{shown}");
    let file = ExperimentFile::from_yaml_str(&yaml(otlp)).unwrap();
    let shown = format!("{:?} {:?}", file.otlp(), file.otlp_backend());
    assert!(shown.contains("x-vendor-team") && !shown.contains("hidden"), "{shown}");
}
