//! Plans that the store keeps.

use super::support::{STEADY, Store, only, shadowed, split};
use tower_spearmint::{
    report::{Measure, Metric, Plan, Report},
    store::{Snapshot, Snapshots, SqliteStore},
};

fn plan() -> Plan {
    Plan::new().experiment("ranker").baseline("candidate").metrics([
        Metric::guardrail(Measure::ErrorRate, 0.02),
        Metric::success(Measure::Mean("stars".into()), 0.05).increasing(),
    ])
}

#[test]
fn a_plan_is_kept_as_it_is_and_another_one_takes_its_place() {
    let holder = shadowed(10, STEADY, STEADY);
    let store = &holder.store;
    assert_eq!(Plan::kept(store, "ranker").unwrap(), None);
    plan().keep(store).unwrap();
    assert_eq!(Plan::kept(store, "ranker").unwrap(), Some(plan()));
    let other = Plan::new().experiment("ranker");
    other.keep(store).unwrap();
    assert_eq!(Plan::kept(store, "ranker").unwrap(), Some(other));
}

#[test]
fn a_report_decides_by_the_plan_that_is_kept_unless_it_is_told_another() {
    let store = split(2_000, [("stable", 0.9, STEADY, 0.0), ("candidate", 0.1, STEADY, 0.0)]);
    plan().keep(&store.store).unwrap();
    // That of another experiment has no part in it.
    let other = Plan::new().experiment("other").metrics([Metric::quality(Measure::LatencyP99)]);
    other.keep(&store.store).unwrap();
    let said = |plan: &Plan| {
        let report = store.report(plan);
        let metrics: Vec<_> = only(&report).findings.iter().map(|f| f.metric.clone()).collect();
        (report.baseline.config_id.to_string(), metrics)
    };
    let kept = plan();
    assert_eq!(said(&Plan::new()), ("candidate".to_owned(), kept.metrics.clone()));
    assert_eq!(said(&Plan::new().baseline("stable")), ("stable".to_owned(), kept.metrics));
    let metrics = vec![Metric::guardrail(Measure::LatencyP95, 0.1)];
    let asked = Plan::new().metrics(metrics.clone());
    assert_eq!(said(&asked), ("candidate".to_owned(), metrics));
}

fn snapshots(stores: &[&Store]) -> Snapshots {
    let mut snapshots = Snapshots::new();
    for store in stores {
        let json = serde_json::to_vec(&store.store.snapshot().unwrap()).unwrap();
        snapshots.add(Snapshot::from_json(&json).unwrap());
    }
    snapshots
}

#[test]
fn of_the_plans_that_several_replicas_keep_the_newest_decides() {
    let replica = || split(2_000, [("stable", 0.9, STEADY, 0.0), ("candidate", 0.1, STEADY, 0.0)]);
    let [none, one, other] = [replica(), replica(), replica()];
    let said = |asked: &Plan| {
        let report = Report::merged(&snapshots(&[&none, &one, &other]), asked).unwrap().remove(0);
        let metrics: Vec<_> = only(&report).findings.iter().map(|f| f.metric.clone()).collect();
        (report.baseline.config_id.to_string(), metrics)
    };
    assert_eq!(said(&Plan::new().baseline("stable")).0, "stable");
    plan().keep(&one.store).unwrap();
    assert_eq!(said(&Plan::new()), ("candidate".to_owned(), plan().metrics));
    plan().keep(&other.store).unwrap();
    assert!(Plan::differing(&snapshots(&[&none, &one, &other])).is_empty());
    let newer = plan().metrics([Metric::guardrail(Measure::ErrorRate, 0.3)]);
    newer.keep(&one.store).unwrap();
    // What is kept already is no newer for being kept again.
    plan().keep(&other.store).unwrap();
    assert_eq!(said(&Plan::new()), ("candidate".to_owned(), newer.metrics));
    assert_eq!(Plan::differing(&snapshots(&[&one, &other, &none])), ["ranker"]);
    let asked = plan().baseline("stable");
    assert_eq!(said(&asked), ("stable".to_owned(), asked.metrics));
}

#[test]
fn plans_of_which_nothing_says_the_newest_are_an_error_that_says_what_to_do() {
    let [one, other] = [shadowed(10, STEADY, STEADY), shadowed(10, STEADY, STEADY)];
    plan().baseline("stable").keep(&one.store).unwrap();
    plan().keep(&other.store).unwrap();
    for store in [&one, &other] {
        // As an older program kept it.
        let connection = rusqlite::Connection::open(store.store.path()).unwrap();
        connection.execute("UPDATE plan SET kept_ns = NULL", []).unwrap();
    }
    let snapshots = snapshots(&[&one, &other]);
    let names: Vec<_> = snapshots.iter().map(|one| format!("replica {}", one.replica())).collect();
    assert_eq!(
        Report::merged(&snapshots, &Plan::new()).unwrap_err().to_string(),
        format!(
            "{}, {} keep different plans for `ranker`, and nothing says which is the newest; name the file that holds \
             with `--file`, or let `spearmint serve` of this version keep it again",
            names[0], names[1]
        )
    );
    assert_eq!(Report::merged(&snapshots, &plan().baseline("stable")).unwrap().len(), 1);
}

#[test]
fn an_experiment_whose_kept_baseline_has_answered_nobody_is_left_out_unless_it_is_asked_for() {
    let store = shadowed(10, STEADY, STEADY);
    plan().baseline("gone").keep(&store.store).unwrap();
    assert!(Report::read(&store.store, &Plan::new()).unwrap().is_empty());
    let asked = Plan::new().experiment("ranker");
    assert_eq!(
        Report::read(&store.store, &asked).unwrap_err().to_string(),
        "no config's id is or begins with `gone`; there is stable"
    );
}

#[test]
fn a_plan_is_for_one_experiment() {
    let store = shadowed(10, STEADY, STEADY);
    let error = Plan::new().keep(&store.store).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a plan is kept for one experiment; say which with `Plan::experiment`"
    );
}

#[test]
fn a_plan_that_a_newer_program_kept_is_an_error_that_says_what_to_do() {
    let store = shadowed(10, STEADY, STEADY);
    let connection = rusqlite::Connection::open(store.store.path()).unwrap();
    let metric =
        r#"{"measure":"error_rate","role":"hope","increase":false,"margin":0.1,"mde":0.0}"#;
    for (content, reason) in [
        (r#"{"version":2}"#.to_owned(), "it has version 2, and this program knows version 1"),
        (
            r#"{"version":1,"baseline":null,"metrics":[],"mood":"good"}"#.to_owned(),
            "unknown field `mood`, expected one of `version`, `baseline`, `metrics`",
        ),
        (
            format!(r#"{{"version":1,"baseline":null,"metrics":[{metric}]}}"#),
            "role: `hope` is not one of success, guardrail, quality",
        ),
    ] {
        let sql = "INSERT OR REPLACE INTO plan (experiment, content) VALUES ('ranker', ?1)";
        connection.execute(sql, [content]).unwrap();
        let error = Report::read(&store.store, &Plan::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{}: cannot use the plan that is kept for `ranker`: {reason}; use the program that kept \
                 it, name its file with `--file`, or let `spearmint serve` of this version keep it again",
                store.store.path().display()
            )
        );
        // Whoever says all of it does not need it.
        let all = plan().baseline("stable");
        assert_eq!(Report::read(&store.store, &all).unwrap().len(), 1);
    }
}

#[test]
fn a_plan_cannot_be_kept_in_a_store_that_was_opened_for_reading() {
    let store = shadowed(10, STEADY, STEADY);
    let reader = SqliteStore::open_read_only(store.store.path()).unwrap();
    let error = plan().keep(&reader).unwrap_err().to_string();
    assert!(error.ends_with("opened for reading only; open it with `SqliteStore::open` to record"));
}
