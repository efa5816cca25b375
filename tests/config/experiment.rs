//! The schema of an experiment file: current, true to the docs, and of one mind with the reader.

use proptest::prelude::*;
use serde_json::{Value, json};
use std::{path::Path, sync::LazyLock};
use tower_spearmint::{
    config::{
        parse_duration, parse_size,
        schema::{Options, Schema},
        yaml::parse,
    },
    proxy::ExperimentFile,
};

static SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| Schema::from_value(ExperimentFile::json_schema()).unwrap());

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What the schema alone says of a file.
fn by_schema(text: &str) -> Result<(), String> {
    let mut document = parse(text, "x.yaml").unwrap().remove(0);
    document.validate(&SCHEMA, &Options::default()).map_err(|error| error.to_string())
}

fn by_reader(text: &str) -> Result<(), String> {
    ExperimentFile::from_yaml_str(text).map(drop).map_err(|error| error.to_string())
}

/// `spearmint config schema > docs/experiment.schema.json` makes it anew.
#[test]
fn the_schema_in_the_docs_is_current() {
    let kept = std::fs::read_to_string(root().join("docs/experiment.schema.json")).unwrap();
    let made = serde_json::to_string_pretty(&ExperimentFile::json_schema()).unwrap();
    assert!(kept.trim_end() == made, "run: spearmint config schema > docs/experiment.schema.json");
}

/// Every YAML block of a text that is an experiment or a part of one.
fn experiments(markdown: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for (at, block) in markdown.split("```yaml").enumerate().skip(1) {
        let (text, rest) = block.split_once("\n```").unwrap();
        // What the docs show to be wrong has its message behind it.
        let shows_mistake = ["```text\nerror:", "```text\nwarning:", "```text\n$ ", "```json"]
            .iter()
            .any(|said| rest.trim_start().starts_with(said));
        let Ok(documents) = parse(text.split_once('\n').unwrap().1, &format!("block {at}")) else {
            continue;
        };
        let is_experiment = documents.len() == 1 && documents[0].get("strategy").is_some();
        if is_experiment && !shows_mistake {
            found.push(documents[0].value().clone());
        }
    }
    found
}

#[test]
fn every_experiment_in_the_docs_fits_the_schema_and_the_reader() {
    let mut files = vec![root().join("README.md")];
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        files.push(entry.unwrap().path());
    }
    let mut count = 0;
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "md")) {
        for mut experiment in experiments(&std::fs::read_to_string(file).unwrap()) {
            let rest = json!({
                "experiment": "x",
                "configs": [
                    { "config_id": "stable", "upstream": "http://127.0.0.1:1" },
                    { "config_id": "candidate", "upstream": "http://127.0.0.1:2" },
                ],
            });
            let map = experiment.as_object_mut().unwrap();
            for (key, value) in rest.as_object().unwrap() {
                map.entry(key).or_insert_with(|| value.clone());
            }
            let text = experiment.to_string();
            assert_eq!(by_schema(&text), Ok(()), "{}: {text}", file.display());
            assert_eq!(by_reader(&text), Ok(()), "{}: {text}", file.display());
            count += 1;
        }
    }
    assert!(count >= 5, "only {count} were found");
}

const GOOD: &str = "\
experiment: ranker
strategy: shadow
primary: stable
configs:
  - { config_id: stable, upstream: 'http://127.0.0.1:9001', own: 1 }
  - config_id: candidate
    upstream: https://example.org:9002/base
";

#[test]
fn the_reader_and_the_schema_refuse_the_same() {
    for wrong in [
        "expriment: a",
        "fallback: 5",
        "shadow: { sample: 1.5 }",
        "shadow: { sample: many }",
        "shadow: { timeout: 2 }",
        "shadow: { timeout: null }",
        "shadow: { on_cancel: stop }",
        "shadow: { methods: [get] }",
        "shadow: { control: often }",
        "shadow: { control: { sample: 2 } }",
        "shadow: { compare: { ignore: [id] } }",
        "shadow: { compare: { tolerance: -1 } }",
        "shadow: { compare: { unordered: 5 } }",
        "shadow: { compare: { headers: ['a b'] } }",
        "shadow: { only: { paths: [rank] } }",
        "shadow: { only: { headers: { x-a: [b] } } }",
        "shadow: { breaker: { failure_rate: 0 } }",
        "shadow: { sample_by: { key: { haeder: x-user } } }",
        "shadow: { sample_by: { salt: a } }",
        "shadow: { body_buffer: lots }",
        "limits: { max_streams: 0 }",
        "limits: { head_timeout: 0s }",
        "limits: { max_header: 5 }",
        "upstreams: { max_idle: -1 }",
        "upstreams: { http2: 'yes' }",
        "tls: { certificate: a.pem }",
        "failures: { status: [99] }",
        "failures: { status: [a-b] }",
        "failures: { grpc_status: [17] }",
        "failures: { grpc_status: [OKAY] }",
        "listen: localhost",
        "threads: 0",
        "trace: 1",
        "multi_branch: { combine: xml }",
        "round_robin: { weights: [1] }",
        "secrets: password",
        "cascade: { own: 1 }",
        "    request: { headers: { a: 1 } }",
        "    request: { remove_json: [model] }",
        "    request: { json: { model: a } }",
        "    request: { path: { strip_prefix: api } }",
        "    shadow: { sample: 2 }",
        "    shadow: { enabled: true }",
    ] {
        let text = format!("{GOOD}{wrong}\n");
        assert!(by_reader(&text).is_err(), "the reader takes {wrong}");
        assert!(by_schema(&text).is_err(), "the schema takes {wrong}");
    }
    for gone in [
        "experiment: ranker\n",
        "strategy: shadow\n",
        "primary: stable\n",
        "    upstream: https://example.org:9002/base\n",
    ] {
        let text = GOOD.replace(gone, "");
        assert!(by_reader(&text).is_err() && by_schema(&text).is_err(), "without {gone}");
    }
}

#[test]
fn the_reader_and_the_schema_take_the_same() {
    for right in [
        "",
        "shadow: { sample: 0, timeout: 1.5s, max_in_flight: 5, control: true, compare: false }",
        "shadow: { compare: { tolerance: { absolute: 0.1 }, unordered: true, tolerances: { /a: 1 } } }",
        "shadow: { only: { paths: ['/v2/*', '*'], headers: { x-a: true, x-b: b } } }",
        "shadow: { sample_by: { key: { cookie: session } }, breaker: { window: 1m } }",
        "limits: { max_head_size: 64KiB }",
        "upstreams: { timeout: 0s, ca_file: ca.pem }",
        "failures: { status: [500-599, 429, '503'], grpc_status: [UNAVAILABLE, 13] }",
        "listen: '[::1]:8080'",
        "rewrite_limit: 512",
        "fallback: null",
        "multi_branch: { combine: first_success, max_response_bytes: 1MiB }",
        "    request: { json: { /a: { b: null } }, remove_headers: [x-a], path: { add_prefix: /v2 } }",
        "    shadow: { sample: 0.1, breaker: {} }",
        "    own: { anything: [1, { goes: true }] }",
    ] {
        let text = format!("{GOOD}{right}\n");
        assert_eq!(by_reader(&text), Ok(()), "{right}");
        assert_eq!(by_schema(&text), Ok(()), "{right}");
    }
    let own = "experiment: a\nstrategy: cascade\ncascade: { anything: 1 }\n\
               configs: [{ upstream: 'http://a', shadow: mine }]\n";
    assert_eq!(by_reader(own), Ok(()));
    assert_eq!(by_schema(own), Ok(()));
}

#[test]
fn every_setting_is_described() {
    fn walk(schema: &Value, path: &str, silent: &mut Vec<String>) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{key}");
            let text = property["description"].as_str().unwrap_or_default();
            if text.is_empty() && property != &json!({ "$ref": "#/$defs/OneShadow" }) {
                silent.push(path.clone());
            }
            walk(property, &path, silent);
        }
        for (key, definition) in schema["$defs"].as_object().into_iter().flatten() {
            walk(definition, key, silent);
        }
    }
    let mut silent = Vec::new();
    walk(SCHEMA.value(), "", &mut silent);
    assert!(silent.is_empty(), "{silent:?}");
}

proptest! {
    /// The patterns are those of the readers.
    #[test]
    fn durations_and_sizes_are_the_same_to_the_reader_and_the_schema(
        text in r"[ ]?[0-9.]{0,4}[ ]?(ns|us|µs|ms|s|m|min|h|d|w|B|kB|KB|KiB|MiB|GB|X|)[ ]?",
    ) {
        let quoted = serde_json::to_string(&text).unwrap();
        let fits = |key: &str| by_schema(&format!("{GOOD}shadow: {{ {key}: {quoted} }}\n")).is_ok();
        prop_assert_eq!(fits("timeout"), parse_duration(&text).is_ok(), "{:?}", text);
        prop_assert_eq!(fits("body_buffer"), parse_size(&text).is_ok(), "{:?}", text);
    }
}
