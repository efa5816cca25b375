//! One report on several stores, as it is run.

use super::support::{Behaviour, STEADY, Store, shadowed, split};
use std::{path::Path, process::Command};
use tower_spearmint::report::{Measure, Metric, Plan};

fn spearmint(arguments: &[&str]) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_spearmint"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn name(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

const FASTER: Behaviour = Behaviour { ms: 8.0, ..STEADY };

/// Another tenth of the same traffic.
fn replicas() -> [Store; 2] {
    let arms = [("stable", 0.5, STEADY, 0.0), ("candidate", 0.5, FASTER, 0.0)];
    [split(2_000, arms), split(1_000, arms)]
}

#[test]
fn stores_and_snapshots_of_replicas_make_one_report_and_a_store_that_is_named_twice_counts_once() {
    let [one, other] = replicas();
    let (snapshot, _, code) = spearmint(&["store", "snapshot", "--store", &name(&other.file())]);
    assert_eq!(code, 0);
    let json = name(&other.write("other.json", &snapshot));
    let (one, other) = (name(&one.file()), name(&other.file()));
    let both = format!("{one},{other}");
    let (text, error, code) = spearmint(&["report", "--store", &both]);
    assert_eq!((error.as_str(), code), ("", 0));
    assert!(text.contains("split of 3000 requests: as it should be"), "{text}");
    for again in [
        &["report", "--store", &one, "--snapshot", &json][..],
        &["report", "--store", &other, "--store", &one, "--snapshot", &json, "--snapshot", &json],
    ] {
        assert_eq!(spearmint(again), (text.clone(), String::new(), 0));
    }
    let (text, ..) = spearmint(&["report", "--snapshot", &json]);
    assert!(text.contains("split of 1000 requests"), "{text}");
}

#[test]
fn replicas_that_keep_different_plans_are_named_and_the_newest_decides() {
    let [one, other] = replicas();
    let plan = |margin| {
        let metrics = [Metric::guardrail(Measure::ErrorRate, margin)];
        Plan::new().experiment("ranker").baseline("stable").metrics(metrics)
    };
    plan(0.1).keep(&one.store).unwrap();
    plan(0.2).keep(&other.store).unwrap();
    let both = format!("{},{}", name(&one.file()), name(&other.file()));
    let (text, error, code) = spearmint(&["report", "--store", &both, "--json"]);
    assert!(text.contains("\"margin\": 0.2") && !text.contains("\"margin\": 0.1"), "{text}");
    let expected = "warning: replicas keep different plans for `ranker`; the newest decides (name another with --file)\n";
    assert_eq!((error.as_str(), code), (expected, 0));
    plan(0.2).keep(&one.store).unwrap();
    assert_eq!(spearmint(&["report", "--store", &both, "--json"]).1, "");
}

#[test]
fn looks_at_several_stores_are_kept_in_the_one_that_is_named() {
    let [one, other] = replicas();
    let looks = name(&one.file().with_file_name("looks.db"));
    let (one, other) = (name(&one.file()), name(&other.file()));
    let both = format!("{one},{other}");
    let alone =
        "this look stands alone: --looks FILE keeps those at several stores, to decide together";
    assert!(spearmint(&["report", "--store", &both]).0.contains(alone));
    let (text, error, code) = spearmint(&["report", "--store", &both, "--looks", &looks]);
    assert_eq!((error.as_str(), code), ("", 0));
    assert!(text.contains("\n1 look, at ") && !text.contains(alone), "{text}");
    let html = ["report", "--store", &both, "--looks", &looks, "--format", "html"];
    let (page, error, code) = spearmint(&html);
    assert_eq!((error.as_str(), code), ("", 0));
    assert!(page.contains("1 look"), "{page}");

    // Of one of both there is less than before.
    let (snapshot, ..) = spearmint(&["store", "snapshot", "--store", &one]);
    let json = format!("{one}.json");
    std::fs::write(&json, snapshot).unwrap();
    let (text, error, code) = spearmint(&["report", "--snapshot", &json, "--looks", &looks]);
    let expected = "warning: this look at `ranker` is not kept, and stands alone: there was more of some store at a look \
        before (name all of them, with their newest snapshots)\n";
    assert_eq!((error.as_str(), code), (expected, 0));
    assert!(!text.contains("1 look"), "{text}");

    let (_, error, code) = spearmint(&["report", "--store", &one, "--looks", &looks]);
    let expected =
        "error: --looks is for several stores; the looks at a single one are kept in it\n";
    assert_eq!((error.as_str(), code), (expected, 2));
    let nowhere = spearmint(&["report", "--store", &both, "--looks", &looks, "--no-look"]).1;
    assert!(nowhere.contains("cannot be used with"), "{nowhere}");
}

#[test]
fn what_is_wrong_with_a_snapshot_is_said_with_its_name() {
    let store = shadowed(10, STEADY, STEADY);
    let broken = name(&store.write("broken.json", "{\"version\": 2, \"replica\": 3}"));
    let (_, error, code) = spearmint(&["report", "--snapshot", &broken]);
    let expected = format!(
        "error: {broken}: not a snapshot, as `spearmint store snapshot` writes it: invalid type: integer `3`, \
         expected a string at line 1 column 27\n"
    );
    assert_eq!((error, code), (expected, 2));
    let (_, error, code) = spearmint(&["report", "--snapshot", "a.json", "--since", "1h"]);
    assert_eq!(code, 2);
    assert!(error.contains("cannot be used with"), "{error}");
    let snapshot = spearmint(&["store", "snapshot", "--store", &name(&store.file())]).0;
    let json = name(&store.write("a.json", &snapshot));
    let (_, error, code) = spearmint(&["report", "rankr", "--snapshot", &json]);
    let expected = "error: no experiment is named `rankr`; there is ranker\n";
    assert_eq!((error.as_str(), code), (expected, 2));
}
