//! `spearmint demo`.

use crate::support::{run, stderr, stdout};
use serde_json::Value;
use std::collections::BTreeMap;
use tempfile::TempDir;

#[test]
fn the_numbers_of_a_demo_add_up() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    let demo = ["demo", "--requests", "60", "--store", "demo.db", "--json"];
    // A second time into the same store: each shows its own.
    for times in 1..=2 {
        let output = run(&demo, directory);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let outcomes: Vec<Value> = serde_json::from_str(&stdout(&output)).unwrap();
        let names: Vec<_> =
            outcomes.iter().map(|outcome| outcome["experiment"].as_str().unwrap()).collect();
        assert_eq!(names, ["demo-round-robin", "demo-shadow", "demo-multi-branch"]);
        for (outcome, branches) in outcomes.iter().zip([60, 180, 120]) {
            let number = |of: &Value, key: &str| of[key].as_u64().unwrap();
            let callers = &outcome["callers"];
            assert_eq!(number(callers, "requests"), 60);
            assert_eq!(number(callers, "answered") + number(callers, "server_errors"), 60);
            let recorder = &outcome["recorder"];
            assert_eq!(
                (
                    number(recorder, "written"),
                    number(recorder, "lost"),
                    number(recorder, "dropped")
                ),
                (branches, 0, 0)
            );
            let mut sum = BTreeMap::<_, u64>::new();
            for config in outcome["configs"].as_array().unwrap() {
                for key in ["requests", "success", "failed", "skipped", "cancelled"] {
                    *sum.entry(key).or_default() += number(config, key);
                }
            }
            assert_eq!(sum["requests"], branches);
            assert_eq!(
                sum["success"] + sum["failed"] + sum["skipped"] + sum["cancelled"],
                branches
            );
            assert_eq!(sum["cancelled"], 0);
        }
        let output = run(&["branches", "--store", "demo.db", "--json"], directory);
        let rows: Vec<Value> = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(rows.len(), 360 * times);
    }
}

#[test]
fn a_demo_shows_where_its_records_are_and_how_to_look_at_them() {
    let directory = TempDir::new().unwrap();
    let output = run(&["demo", "--requests", "20", "--store", "my demo.db"], directory.path());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert_eq!(text.matches("the callers: 20 requests in ").count(), 3, "{text}");
    for heading in ["requests", "errors", "p50", "p95", "p99"] {
        assert_eq!(
            text.lines().filter(|l| l.contains("config") && l.contains(heading)).count(),
            3,
            "{text}"
        );
    }
    assert_eq!(text.matches("  candidate against stable").count(), 3, "{text}");
    assert!(text.contains("spearmint report --store 'my demo.db'\n"), "{text}");
    assert!(text.contains("spearmint branches --store 'my demo.db' --status failed"), "{text}");
    assert!(text.contains("spearmint report --store 'my demo.db'"), "{text}");
    assert!(!text.contains('\x1b'));
    assert!(text.contains("`spearmint ui --store 'my demo.db'`"), "{text}");
    let meanwhile = "its branches are runs for MLflow's clients, at http://127.0.0.1:";
    assert!(stderr(&output).contains(meanwhile), "{}", stderr(&output));
    let diff = ["diff", "--store", "my demo.db", "--experiment", "demo-shadow"];
    let shown = stdout(&run(&diff, directory.path()));
    assert!(shown.contains(" /at ") && shown.contains("  noise  "), "{shown}");
    // The baseline is the first config of the file, however the requests fell out.
    let shown = stdout(&run(&["report", "--store", "my demo.db"], directory.path()));
    assert_eq!(shown.matches("candidate against stable").count(), 3, "{shown}");
}

/// So many requests that its failures alone decide, however busy the machine is.
#[test]
fn a_demo_of_enough_requests_ends_in_keeping_the_stable_config_under_each_strategy() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    let demo = ["demo", "--requests", "4000", "--store", "demo.db", "--ui", "off", "--json"];
    let output = run(&demo, directory);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let outcomes: Vec<Value> = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(outcomes.len(), 3);
    for outcome in &outcomes {
        let candidates = &outcome["report"]["candidates"];
        assert_eq!(candidates.as_array().unwrap().len(), 1);
        assert_eq!(candidates[0]["config_id"], "candidate");
        assert_eq!(candidates[0]["verdict"], "keep", "{outcome:#}");
    }
    let report = stdout(&run(&["report", "--store", "demo.db"], directory));
    assert_eq!(report.matches("keep  candidate against stable").count(), 3, "{report}");
}

#[test]
fn a_demo_of_no_requests_is_the_users_mistake() {
    let directory = TempDir::new().unwrap();
    let output = run(&["demo", "--requests", "0"], directory.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(std::fs::read_dir(directory.path()).unwrap().next().is_none());
}

#[test]
fn a_demo_whose_store_cannot_be_opened_fails() {
    let directory = TempDir::new().unwrap();
    let output =
        run(&["demo", "--store", "no/such/directory/x.db", "--ui", "off"], directory.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("error: no/such/directory/x.db: "), "{}", stderr(&output));
}
