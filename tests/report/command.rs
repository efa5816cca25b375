//! `spearmint report`, as it is run.

use super::support::{Behaviour, STEADY, shadowed, split};
use serde_json::Value;
use std::{path::Path, process::Command};

/// What it prints, and how it ends.
fn report(arguments: &[&str], store: &Path) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_spearmint"))
        .arg("report")
        .args(arguments)
        .arg("--store")
        .arg(store)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

const SLOWER: Behaviour = Behaviour { ms: 12.0, ..STEADY };

#[test]
fn the_verdict_stands_first_and_each_metric_has_its_interval() {
    let store = shadowed(20_000, STEADY, SLOWER);
    let (text, _, code) = report(&[], &store.file());
    assert_eq!((text.as_str(), code), (include_str!("slower.txt"), 0));
}

#[test]
fn a_pipeline_stops_at_the_verdicts_it_names() {
    let store = shadowed(20_000, STEADY, SLOWER);
    assert_eq!(report(&["--fail-on", "keep,broken"], &store.file()).2, 1);
    assert_eq!(report(&["--fail-on", "broken"], &store.file()).2, 0);
    let (_, error, code) = report(&["--fail-on", "kept"], &store.file());
    assert_eq!(code, 2);
    assert!(error.contains("`kept` is not one of broken, keep, ship, undecided"), "{error}");
}

#[test]
fn the_metrics_and_the_baseline_are_those_of_the_experiment_file() {
    let store = split(20_000, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, SLOWER, 0.0)]);
    let file = store.write(
        "ranker.yaml",
        "experiment: ranker\nstrategy: round_robin\nbaseline: candidate\n\
         metrics:\n  error_rate: { role: guardrail, margin: 2% }\n  \
         latency_p50: { role: success, mde: 5% }\n\
         configs:\n- { config_id: stable, upstream: 'http://127.0.0.1:9001' }\n\
         - { config_id: candidate, upstream: 'http://127.0.0.1:9002' }\n",
    );
    let (json, ..) = report(&["--json", "--file", file.to_str().unwrap()], &store.file());
    let reports: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(reports[0]["baseline"]["config_id"], "candidate");
    let candidate = &reports[0]["candidates"][0];
    assert_eq!(
        (&candidate["config_id"], &candidate["verdict"]),
        (&"stable".into(), &"ship".into())
    );
    let findings = candidate["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2);
    assert_eq!(findings[1]["measure"], "latency_p50");
    assert_eq!(findings[1]["mde"], 0.05);
    assert!(findings[1]["interval"]["high"].as_f64().unwrap() < -0.05);
}

#[test]
fn what_is_wrong_with_a_metric_is_said_with_its_place() {
    let store = shadowed(10, STEADY, STEADY);
    let file = store.write(
        "ranker.yaml",
        "experiment: ranker\nstrategy: shadow\nprimary: stable\nmetrics:\n  \
         error_rate: { role: guardrail }\n  latency_p42: { role: quality }\n  \
         latency_p99: { role: success, margin: 5% }\n\
         configs:\n- { config_id: stable, upstream: 'http://127.0.0.1:9001' }\n\
         - { config_id: candidate, upstream: 'http://127.0.0.1:9002' }\n",
    );
    let (_, error, code) = report(&["--file", file.to_str().unwrap()], &store.file());
    assert_eq!(code, 2);
    let directory = format!("{}/", file.parent().unwrap().display());
    assert_eq!(
        error.replace(&directory, ""),
        "error: ranker.yaml:5:3: `metrics.error_rate.margin`: not set; say how much worse it may be, as in 5%\n\
         error: ranker.yaml:6:3: `metrics.latency_p42`: is none of those that are measured of every branch \
         (error_rate, latency_p50, latency_p95, latency_p99, first_byte_p50, first_byte_p95, first_byte_p99, \
         agreement); if it is one of your own, say whether more of it is better, as in `increase: true`\n\
         error: ranker.yaml:7:41: `metrics.latency_p99.margin`: only a metric with the role `guardrail` has it\n"
    );
}

#[test]
fn an_experiment_that_is_not_there_is_named_with_those_that_are() {
    let store = shadowed(10, STEADY, STEADY);
    let (_, error, code) = report(&["rankr"], &store.file());
    assert_eq!(
        (error.as_str(), code),
        ("error: no experiment is named `rankr`; there is ranker\n", 2)
    );
}
