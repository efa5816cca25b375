//! `spearmint report --fixed`, as it is run.

use super::{
    means,
    support::{Behaviour, STEADY, Store, split},
};
use serde_json::Value;
use std::process::Command;

const SLOWER: Behaviour = Behaviour { ms: 12.0, ..STEADY };

fn fixed(arguments: &[&str], store: &Store) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_spearmint"))
        .args(["report", "--fixed"])
        .args(arguments)
        .arg("--store")
        .arg(store.file())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// A slower candidate, whose answers are scored.
fn scored() -> Store {
    means::split(300, |at, random, branch| {
        branch.duration_ns += at as u64 * 1_000_000;
        branch.end_ns = branch.start_ns + branch.duration_ns;
        branch.metrics.set("score", 0.5 + 0.5 * random.unit());
    })
}

#[test]
fn each_metric_has_its_test_and_the_first_line_says_for_whom() {
    let (text, error, code) = fixed(&["--baseline", "stable", "--bounds", "score=0..1"], &scored());
    assert_eq!((error.as_str(), code), ("", 0));
    assert_eq!(text, include_str!("fixed.txt"));
}

#[test]
fn the_json_has_the_same_and_more_digits() {
    let (json, _, code) = fixed(&["--baseline", "stable", "--json"], &scored());
    assert_eq!(code, 0);
    let printed: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        printed["note"],
        "For data that is complete, looked at once. Looking again and again makes these wrong; the verdict of \
         `spearmint report` is not."
    );
    let candidate = &printed["experiments"][0]["candidates"][0];
    assert_eq!(candidate["config_id"], "candidate");
    let keys =
        |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        keys(&printed["experiments"][0]),
        "aside baseline branches candidates experiment removed strategy"
    );
    assert_eq!(keys(candidate), "config_id epoch role tests");
    let errors = &candidate["tests"][0];
    assert_eq!(
        keys(errors),
        "also baseline baseline_count by candidate candidate_count detectable difference increase interval margin \
         mde measure method note p p_benjamini_hochberg p_holm role sampled"
    );
    assert_eq!((&errors["measure"], &errors["by"]), (&"error_rate".into(), &"requests".into()));
    let scores = candidate["tests"].as_array().unwrap().last().unwrap();
    assert_eq!(keys(&scores["also"][0]), "difference interval method p");
    assert_eq!(scores["also"][1]["interval"]["low"], Value::Null);
}

#[test]
fn there_is_no_verdict_that_a_pipeline_could_ask_for() {
    let store = split(40, [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, SLOWER, 0.0)]);
    let (_, error, code) = fixed(&["--fail-on", "keep"], &store);
    assert_eq!(
        (error.as_str(), code),
        (
            "error: --fail-on: there is no verdict with --fixed: a pipeline that asks again and again until one pleases \
             would be wrong more often than 5% of the time; leave out one of both\n",
            2
        )
    );
    let (_, error, code) = fixed(&["--snapshot", "a.json"], &store);
    assert_eq!(
        (error.as_str(), code),
        ("error: --fixed reads branches, and a snapshot has none; name stores with --store\n", 2)
    );
    let (_, error, code) = fixed(&["--bounds", "score=1"], &store);
    assert_eq!(code, 2);
    assert!(error.contains("write name=lowest..highest, as in score=0..1"), "{error}");
}

#[test]
fn only_branches_until_then_are_read_and_that_is_for_fixed_alone() {
    let (json, _, code) = fixed(&["--until", "2000-01-01T00:00:00Z", "--json"], &scored());
    let printed: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&printed["experiments"], code), (&serde_json::json!([]), 0));
    let (_, error, code) = fixed(&["--until", "1m", "--json"], &scored());
    assert_eq!((error.as_str(), code), ("", 0));
}
