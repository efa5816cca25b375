//! `spearmint config validate`.

use serde_json::{Value, json};
use std::process::{Command, Output};
use tempfile::TempDir;

const GOOD: &str = "\
experiment: ranker
strategy: shadow
primary: stable
shadow: { sample: 0.5, timeout: 2s }
configs:
  - config_id: stable
    upstream: http://127.0.0.1:9001
  - config_id: candidate
    upstream: http://127.0.0.1:9002
";

fn spearmint(directory: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spearmint"))
        .args(arguments)
        .current_dir(directory.path())
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn validated_with(text: &str, arguments: &[&str]) -> (i32, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("x.yaml"), text).unwrap();
    let arguments = [&["config", "validate", "x.yaml"], arguments].concat();
    let output = spearmint(&directory, &arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), said.lines().map(str::to_owned).collect())
}

fn validated(text: &str) -> (i32, Vec<String>) {
    validated_with(text, &[])
}

#[test]
fn a_good_file_is_said_to_be_good() {
    assert_eq!(validated(GOOD), (0, vec!["x.yaml: nothing is wrong".to_owned()]));
}

#[test]
fn what_the_schema_says_and_what_only_the_reader_knows_are_said_together() {
    let text = "\
experiment: ranker
strategy: shadow
primary: stabel
shadow: { sampel: 0.5, timeout: 2 weeks, withhold_headers: ['a b'] }
limits: { max_head_size: 1KiB, idle_timeout: 0s }
threads: 0
configs:
  - config_id: stable
    upstream: 127.0.0.1:9001
    request: { json: { model: a }, headers: { content-length: '5' } }
  - config_id: candidate
    upstream: http://127.0.0.1:9002
    shadow: { sample: 2 }
";
    assert_eq!(
        validated(text),
        (
            2,
            [
                "error: x.yaml:3:10: `primary`: no config `stabel`; the pool has `stable`, `candidate`",
                "error: x.yaml:4:19: `shadow.sampel`: unknown key `sampel`; did you mean `sample`?",
                "error: x.yaml:4:33: `shadow.timeout`: `2 weeks` is not a duration; write a number and a unit, as in 150ms, 2s, 5m or 1h",
                "error: x.yaml:4:61: `shadow.withhold_headers[0]`: `a b` is not the name of a header, as in content-type",
                "error: x.yaml:5:26: `limits.max_head_size`: 1024 bytes; write a size from 8KiB to 16MiB",
                "error: x.yaml:5:46: `limits.idle_timeout`: `0s` is not a duration above 0; write a number and a unit, as in 150ms, 2s, 5m or 1h",
                "error: x.yaml:6:10: `threads`: `0` is too few; write a whole number from 1",
                "error: x.yaml:9:15: `configs[0].upstream`: `127.0.0.1:9001` does not begin with http:// or https://; write one as in http://127.0.0.1:9001",
                "error: x.yaml:10:31: `configs[0].request.json.model`: `model` is not a JSON pointer; write a path that begins with a slash, as in /model",
                "error: x.yaml:10:63: `configs[0].request.headers.content-length`: `content-length` cannot be set: the proxy says itself where a request ends",
                "error: x.yaml:13:23: `configs[1].shadow.sample`: `2` is not a share of requests; write a number from 0 to 1",
            ]
            .map(str::to_owned)
            .to_vec()
        )
    );
}

#[test]
fn a_syntax_error_is_said_alone() {
    let (code, said) = validated("experiment: [\n");
    assert_eq!((code, said.len()), (2, 1), "{said:?}");
    assert!(said[0].starts_with("error: x.yaml:"), "{said:?}");
}

#[test]
fn overrides_are_checked_like_the_file() {
    let set = ["--set", "shadow.sample=2", "--set", "shadow.timeout=1s", "--set", "nonsense"];
    let (code, said) = validated_with(GOOD, &set);
    assert_eq!(code, 2);
    let expected =
        "error: override `nonsense`:1:1: not `key=value`; write one as in shadow.sample=0.1";
    assert_eq!(said, [expected]);
    let (code, said) = validated_with(GOOD, &set[..4]);
    assert_eq!(code, 2);
    let expected = "error: override `shadow.sample=2`: `shadow.sample`: `2` is not a share of requests; write a number from 0 to 1";
    assert_eq!(said, [expected]);
}

#[test]
fn a_warning_counts_only_if_it_is_asked_to() {
    let text = GOOD.replace("sample: 0.5", "methods: [GET, POST]");
    let text = format!("{text}    api_key: k-1\nround_robin: {{ seed: 7 }}\n");
    let expected = [
        "warning: x.yaml:4:26: `shadow.methods[1]`: a shadow of POST may do a second time what the primary did; be sure that the shadows' services have a state of their own",
        "warning: x.yaml:10:14: `configs[1].api_key`: a secret in plain text: whoever reads this file has it; take it from the environment or a mounted file",
        "warning: x.yaml:11:1: `round_robin`: not used: these are settings of `strategy: round_robin`",
    ]
    .map(str::to_owned)
    .to_vec();
    assert_eq!(validated(&text), (0, expected.clone()));
    assert_eq!(validated_with(&text, &["--strict"]), (2, expected));
}

#[test]
fn a_control_that_has_not_the_methods_of_the_shadow_is_said_to_lack_them() {
    let said = |settings: &str| {
        let (code, said) = validated(&GOOD.replace("sample: 0.5", settings));
        assert_eq!(code, 0, "{said:?}");
        said.into_iter().filter(|line| line.contains("shadow.control")).collect::<Vec<_>>()
    };
    let lacking = said("control: true, methods: [GET, POST]");
    assert_eq!(lacking.len(), 1);
    let expected = "none for POST, as a control does once more what the primary did; if that is harmless, name the methods under `control_methods`";
    assert!(lacking[0].ends_with(expected), "{lacking:?}");
    assert!(said("control: true, methods: [GET, POST], control_methods: [GET, POST]").is_empty());
    assert!(said("control: true, methods: [GET]").is_empty());
    assert!(said("methods: [GET, POST]").is_empty());
}

#[test]
fn a_metric_that_only_shadows_have_is_said_never_to_decide() {
    let said = |role: &str, expected: &str| {
        let text = format!(
            "{GOOD}evaluate: {{ correct: {{ kind: exact_match }} }}\nevaluation: {{ expected: {expected} }}\n\
             metrics: {{ correct: {{ role: {role}, increase: true }} }}\n"
        );
        let (code, said) = validated(&text);
        assert_eq!(code, 0, "{said:?}");
        said.concat()
    };
    let never = said("success", "primary");
    assert!(
        never
            .contains("`metrics.correct`: never decided: what is expected is the primary's answer"),
        "{never}"
    );
    for (role, expected) in [("quality", "primary"), ("success", "header")] {
        assert_eq!(said(role, expected), "x.yaml: nothing is wrong");
    }
}

#[test]
fn a_value_that_differs_from_place_to_place_reaches_no_id_unseen() {
    let text = "\
experiment: ranker
strategy: single
configs:
  - upstream: http://127.0.0.1:9001
    started: \"${time.now:}\"
    region: ${env:PATH}
    model: ${configs[1].config_id}
  - config_id: named
    upstream: http://127.0.0.1:9001
    started: \"${time.now:}\"
  - config_id: run-${time.unix:}
    upstream: http://127.0.0.1:9001
  - upstream: http://127.0.0.1:9001
    cores: ${sys.cpu_count:}
  - upstream: http://127.0.0.1:9001
    k: { $choice: [1, 2] }
    $expand: { name: \"${env:PATH}-{k}\" }
";
    let (code, said) = validated(text);
    assert_eq!(code, 0);
    let paths: Vec<_> = said.iter().map(|line| line.split('`').nth(1).unwrap()).collect();
    assert_eq!(
        paths,
        [
            "configs[0].started",
            "configs[0].region",
            "configs[2].config_id",
            "configs[3].cores",
            "configs[4].$expand.name"
        ]
    );
    assert_eq!(
        said[2],
        "warning: x.yaml:11:16: `configs[2].config_id`: drawn from `time`, this id differs from \
         time to time or place to place; replicas do not agree on it"
    );
}

#[test]
fn a_machine_gets_the_same_with_the_places() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("x.yaml"), GOOD.replace("0.5", "half")).unwrap();
    std::fs::write(directory.path().join("y.yaml"), GOOD).unwrap();
    let output = spearmint(&directory, &["config", "validate", "x.yaml", "y.yaml", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.is_empty());
    assert_eq!(
        serde_json::from_slice::<Value>(&output.stdout).unwrap(),
        json!([
            {
                "file": "x.yaml",
                "mistakes": [{
                    "place": "x.yaml", "line": 4, "column": 19,
                    "message": "`shadow.sample`: `half` is not a share of requests; write a number from 0 to 1",
                }],
                "warnings": [],
            },
            { "file": "y.yaml", "mistakes": [], "warnings": [] },
        ])
    );
}

#[test]
fn what_passes_is_served_and_what_does_not_is_refused_before_a_store_is_made() {
    const PERCENTAGE: &str = "eligible: { percentage: { salt: beta, percent: 5 } }";
    for (change, expected) in [
        (
            ("strategy: shadow", "strategy: shadowy"),
            "2:11: `strategy`: no strategy `shadowy`; there are `single`, `round_robin`, `shadow`, `multi_branch`",
        ),
        (
            ("strategy: shadow", "strategy: round_robin\nround_robin: { weights: { stable: 1 } }"),
            "3:16: `round_robin.weights`: no weight for `candidate`; give every config of the pool one (0 is allowed)",
        ),
        (
            ("timeout: 2s", PERCENTAGE),
            "4:24: `shadow.eligible`: a percentage is one of units; say what a unit is, as in `sample_by: { key: { header: x-user-id } }`",
        ),
        (
            ("primary: stable", "primary: stable\nupstreams: { ca_file: none.pem }"),
            "4:23: `upstreams.ca_file`: none.pem: I/O error: No such file or directory (os error 2)",
        ),
        (
            ("primary: stable", "primary: stable\nupstreams: { ca_file: x.yaml }"),
            "4:23: `upstreams.ca_file`: x.yaml: no certificate in PEM in it",
        ),
        (
            ("primary: stable", "primary: stable\ntls: { certificate: x.yaml, key: x.yaml }"),
            "4:21: `tls.certificate`: x.yaml: no certificate in PEM in it",
        ),
        (
            ("primary: stable", "primary: stable\nmlflow: ftp://127.0.0.1:5000"),
            "4:9: `mlflow`: `ftp://127.0.0.1:5000` is not the address of an MLflow server: the scheme is `ftp`; expected http://… or https://…",
        ),
        (
            ("primary: stable", "primary: stable\nsync: { to: ftp://127.0.0.1:5000 }"),
            "4:13: `sync.to`: `ftp://127.0.0.1:5000` is not the address of an MLflow server: the scheme is `ftp`; expected http://… or https://…",
        ),
        (
            ("primary: stable", "primary: stable\nsync: { to: http://127.0.0.1:5000, mode: [] }"),
            "4:36: `sync.mode`: empty; name what is sent: runs, traces, summary",
        ),
        (
            ("primary: stable", "primary: stable\nsync: { to: http://127.0.0.1:5000, rate: 0 }"),
            "4:42: `sync.rate`: not a rate; write a number of runs a second above 0",
        ),
        (
            (
                "primary: stable",
                "primary: stable\nmlflow: http://127.0.0.1:1\nsync: { to: http://127.0.0.1:5000 }",
            ),
            "5:1: `sync`: set beside `mlflow`, which gets every branch as well; take one of them out",
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        assert!(GOOD.contains(change.0));
        std::fs::write(directory.path().join("x.yaml"), GOOD.replace(change.0, change.1)).unwrap();
        let validate = spearmint(&directory, &["config", "validate", "x.yaml"]);
        let serve = spearmint(&directory, &["serve", "x.yaml", "--listen", "127.0.0.1:0"]);
        for output in [&validate, &serve] {
            let said = String::from_utf8_lossy(&output.stderr);
            let first = said.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
            assert!(first.starts_with(&format!("error: x.yaml:{expected}")), "{change:?}: {said}");
            assert_eq!(output.status.code(), Some(2), "{change:?}: {said}");
        }
        let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().flatten().collect();
        assert_eq!(files.len(), 1, "{files:?}");
    }
}

#[test]
fn an_address_that_is_taken_leaves_no_store_behind() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("x.yaml"), GOOD).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = spearmint(&directory, &["serve", "x.yaml", "--listen", &address]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
    assert!(!directory.path().join("spearmint.db").exists());
}

#[test]
fn a_value_that_is_not_shown_is_told_by_its_kind() {
    let text = GOOD.replace("timeout: 2s", "eligible: { cookie: { beta: 71 } }");
    let expected = "error: x.yaml:4:52: `shadow.eligible.cookie.beta`: a text or true or false is expected here, not a number that is not shown";
    assert_eq!(validated(&text), (2, vec![expected.to_owned()]));
}

#[test]
fn what_is_around_a_mistake_is_not_said_to_be_wrong_too() {
    let text = GOOD.replace("timeout: 2s", "sample_by: { key: { header: 5 } }");
    let expected = "error: x.yaml:4:52: `shadow.sample_by.key.header`: a text is expected here, not the number 5";
    assert_eq!(validated(&text), (2, vec![expected.to_owned()]));
}

#[test]
fn the_part_that_is_the_users_own_is_checked_by_the_users_schema() {
    let directory = tempfile::tempdir().unwrap();
    let schema = json!({
        "type": "object",
        "properties": {
            "model": { "enum": ["small-v1", "small-v2"] },
            "seal": { "type": "string", "writeOnly": true },
            "depth": { "type": "integer", "minimum": 1 },
        },
        "required": ["model"],
    });
    std::fs::write(directory.path().join("ranker.schema.json"), schema.to_string()).unwrap();
    let text = GOOD.replacen("9001\n", "9001\n    model: small-v1\n    seal: wax-1\n", 1);
    let text = format!(
        "{text}    modle: small-v2\n    depth: 0\n    seal: 77\nschema: ranker.schema.json\n"
    );
    std::fs::write(directory.path().join("x.yaml"), text).unwrap();
    let expected = "\
error: x.yaml:10:5: `configs[1]`: missing key `model`
error: x.yaml:12:12: `configs[1].modle`: unknown key `modle`; did you mean `model`?
error: x.yaml:13:12: `configs[1].depth`: the number 0 is too small; the least is 1
error: x.yaml:14:11: `configs[1].seal`: a text is expected here, not a number that is not shown
";
    for command in [&["config", "validate", "x.yaml"][..], &["serve", "x.yaml"]] {
        let output = spearmint(&directory, command);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected, "{command:?}");
    }

    let file = tower_spearmint::proxy::ExperimentFile::from_yaml_file({
        let file = directory.path().join("good.yaml");
        let text = GOOD.replace("9001\n", "9001\n    model: small-v1\n    seal: wax-1\n");
        let text = text.replace("9002\n", "9002\n    model: small-v2\n");
        std::fs::write(&file, format!("{text}schema: ranker.schema.json\n")).unwrap();
        file
    })
    .unwrap();
    assert_eq!(file.pool()[0].redacted()["seal"], "[redacted]");
    assert_eq!(file.pool()[0].value()["seal"], "wax-1");
}
