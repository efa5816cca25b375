//! `spearmint report`, as it is run.

use super::support::{Behaviour, Halves, STEADY, Store, shadowed, split};
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
    let (text, _, code) = report(&["--no-look"], &store.file());
    assert_eq!((text.as_str(), code), (include_str!("slower.txt"), 0));
}

#[test]
fn a_pipeline_stops_at_the_verdicts_it_names() {
    let store = shadowed(20_000, STEADY, SLOWER);
    assert_eq!(report(&["--fail-on", "keep,broken"], &store.file()).2, 1);
    assert_eq!(report(&["--fail-on", "broken"], &store.file()).2, 0);
    let (_, error, _) = report(&["--fail-on", "keep"], &store.file());
    assert_eq!(error, "ranker: keep candidate (--fail-on)\n");
    let (_, error, code) = report(&["--fail-on", "kept"], &store.file());
    assert_eq!(code, 2);
    assert!(error.contains("`kept` is not one of broken, keep, ship, undecided"), "{error}");
}

#[test]
fn a_pipeline_stops_where_nothing_was_recorded() {
    let store = Store::with(&[]);
    let (_, error, code) = report(&["--fail-on", "keep"], &store.file());
    assert_eq!(code, 1);
    assert!(error.ends_with("there is no verdict, so --fail-on fails\n"), "{error}");
    assert_eq!(report(&[], &store.file()).2, 0);
}

const FILE: &str = "experiment: ranker\nstrategy: shadow\nprimary: stable\n\
    configs:\n- { config_id: stable, upstream: 'http://127.0.0.1:9001' }\n\
    - { config_id: candidate, upstream: 'http://127.0.0.1:9002' }\n";

#[test]
fn a_forgotten_percent_sign_is_said_and_so_is_what_can_never_be() {
    let store = shadowed(10, STEADY, STEADY);
    let said = |metric: &str| {
        let file = store.write("ranker.yaml", &format!("{FILE}metrics: {{ {metric} }}\n"));
        let (_, error, code) = report(&["--file", file.to_str().unwrap()], &store.file());
        (error.rsplit_once("`: ").map(|(_, said)| said.trim_end().to_owned()), code)
    };
    let percent =
        "`5` is not a margin; write a percentage, as in 5%, or a number below 1, as in 0.05";
    let nothing = "nothing; to show that it is no worse at all takes for ever: say how much does not matter, as in 1%";
    let beyond = "100% or more: so far apart no two can be";
    for (metric, expected) in [
        ("latency_p95: { role: guardrail, margin: 5 }", percent),
        ("latency_p95: { role: success, mde: 5 }", percent),
        ("latency_p95: { role: guardrail, margin: 0% }", nothing),
        ("error_rate: { role: guardrail, margin: 100% }", beyond),
        ("latency_p95: { role: success, mde: 150% }", beyond),
    ] {
        assert_eq!(said(metric), (Some(expected.to_owned()), 2), "{metric}");
    }
    for fine in [
        "latency_p95: { role: guardrail, margin: 150% }",
        "sales: { role: success, mde: 150%, increase: true }",
    ] {
        assert_eq!(said(fine).1, 0, "{fine}");
    }
}

#[test]
fn a_file_of_another_experiment_is_said_to_be_one() {
    let store = shadowed(10, STEADY, STEADY);
    let file = store.write("other.yaml", &FILE.replace("ranker", "other"));
    let (_, error, code) = report(&["ranker", "--file", file.to_str().unwrap()], &store.file());
    assert_eq!(code, 0);
    assert_eq!(
        error,
        "warning: the file is of the experiment `other`; its metrics are taken for `ranker`\n"
    );
}

#[test]
fn a_baseline_that_several_ids_begin_with_is_none() {
    let store = split(20, [("stable", 0.5, STEADY, 0.0), ("stage", 0.5, STEADY, 0.0)]);
    let (_, error, code) = report(&["--baseline", "sta"], &store.file());
    assert_eq!(code, 2);
    let known = "error: several configs begin with `sta`: ";
    assert!(error.starts_with(known) && error.ends_with("; write more of it\n"), "{error}");
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

/// The text with each time replaced.
fn undated(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(at) = text.find(" UTC") {
        text.replace_range(at - "2026-11-29 10:12".len()..at + " UTC".len(), "WHEN");
    }
    text
}

#[test]
fn a_verdict_says_since_when_and_all_looks_are_drawn_within_this_one() {
    let plan = "experiment: ranker\nstrategy: round_robin\n\
         metrics:\n  error_rate: { role: guardrail, margin: 1% }\n  \
         latency_p50: { role: success, mde: 5% }\n\
         configs:\n- { config_id: stable, upstream: 'http://127.0.0.1:9001' }\n\
         - { config_id: candidate, upstream: 'http://127.0.0.1:9002' }\n";
    let store = Store::with(&[]);
    let file = store.write("ranker.yaml", plan);
    let mut halves = Halves::new(60_000);
    let mut go_on = |ms, failing| {
        halves.go_on(&store, 15_000, Behaviour { ms, failing, ..STEADY });
        report(&["--file", file.to_str().unwrap()], &store.file()).0
    };
    for (ms, failing) in [(9.0, 0.01), (9.0, 0.01), (9.0, 0.2)] {
        go_on(ms, failing);
    }
    assert_eq!(undated(&go_on(10.0, 0.01)), include_str!("looked_at.txt"));
    let (json, ..) = report(&["--file", file.to_str().unwrap(), "--json"], &store.file());
    let reports: Value = serde_json::from_str(&json).unwrap();
    let candidate = &reports[0]["candidates"][0];
    assert_eq!(
        (&candidate["decided"]["verdict"], &candidate["decided"]["look"]),
        (&"keep".into(), &3.into())
    );
    assert_eq!(candidate["reached"][0]["verdict"], "ship");
    assert_eq!(reports[0]["looks"]["count"], 4);
    assert!(candidate["findings"][1]["intersection"]["high"].as_f64().unwrap() < 0.0);
}

#[test]
fn several_that_look_at_once_keep_what_they_all_find_once() {
    let store = shadowed(2_000, STEADY, STEADY);
    let ends: Vec<_> = std::thread::scope(|scope| {
        let looks: Vec<_> =
            (0..4).map(|_| scope.spawn(|| report(&["--json"], &store.file()))).collect();
        looks.into_iter().map(|look| look.join().unwrap()).collect()
    });
    for (json, error, code) in ends {
        assert_eq!((error.as_str(), code), ("", 0));
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()[0]["looks"]["count"], 1);
    }
    assert_eq!(store.store.looks("ranker").unwrap().len(), 1);
}

#[test]
fn a_look_that_is_not_to_be_kept_or_begins_somewhere_is_not_kept() {
    let store = shadowed(200, STEADY, STEADY);
    for arguments in [["--no-look", "--json"], ["--since", "2d"]] {
        assert_eq!(report(&arguments, &store.file()).2, 0);
    }
    assert_eq!(store.store.looks("ranker").unwrap(), []);
}

#[test]
fn a_store_of_an_older_program_is_reported_on_and_left_as_it_was() {
    let store = shadowed(200, STEADY, STEADY);
    let connection = rusqlite::Connection::open(store.file()).unwrap();
    let sql = "DROP TABLE plan; DROP TABLE look_series; PRAGMA user_version = 5;";
    connection.execute_batch(sql).unwrap();
    let (text, _, code) = report(&[], &store.file());
    assert!(text.contains("undecided  candidate against stable\n"), "{text}");
    assert_eq!(code, 0);
    let version: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 5);
}
