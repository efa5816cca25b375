//! `spearmint sync` over a good link, and what it says of mistakes.

use crate::{
    link::{Fault, Link},
    support::{Stored, assert_same, backend, branches, runs, shared},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tower_spearmint::mlflow_sync::{MlflowSync, SyncError, SyncMode};

#[tokio::test(flavor = "multi_thread")]
async fn every_branch_is_a_run_with_its_content_and_is_sent_once() {
    let stored = Stored::with("sync-all", 60).await;
    let to = shared().uri();
    let waiting = stored.run(&to, &["--dry-run", "--json"]).await;
    let waiting: Value = serde_json::from_str(&waiting.stdout).unwrap();
    assert_eq!(waiting["waiting"][0]["waiting"], 60, "{waiting}");

    let said = stored.run(&to, &[]).await;
    assert_eq!((said.code, said.stderr.trim()), (Some(0), "60 branches sent"), "{said:?}");
    assert_same(&runs(shared(), "sync-all").await, &stored.rows());

    let again = stored.run(&to, &["--json"]).await;
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(again["sent"], 0, "{again}");
    assert_eq!(runs(shared(), "sync-all").await.len(), 60);
    let stat = &stored.store.stat().unwrap().sync[0];
    assert_eq!((stat.waiting, stat.sent, &*stat.mode), (0, 60, "runs"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_the_same_requests_whenever_it_is_sent() {
    let stored = Stored::with("sync-sample", 80).await;
    let link = Link::new(shared().address(), |_, _| Fault::Pass).await;
    for to in [shared().uri(), link.uri()] {
        let said = stored.run(&to, &["--sample", "0.25", "--json"]).await;
        let said: Value = serde_json::from_str(&said.stdout).unwrap();
        let (sent, left_out) = (said["sent"].as_u64().unwrap(), said["left_out"].as_u64().unwrap());
        assert_eq!(sent + left_out, 80, "{said}");
        assert!((5..40).contains(&sent), "{said}");
    }
    // The same server under two addresses: the same branches, twice.
    let found = runs(shared(), "sync-sample").await;
    let requests: BTreeSet<_> =
        found.iter().map(|run| run["tags"]["spearmint.request_id"].to_string()).collect();
    assert_eq!(requests.len() * 2, found.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept() {
    let stored = Stored::with("sync-rate", 12).await;
    let began = std::time::Instant::now();
    let said = stored.run(&shared().uri(), &["--rate", "4"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    // Eleven pauses between twelve runs.
    assert!(began.elapsed().as_millis() >= 2_750, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_with_what_to_do() {
    let stored = Stored::with("sync-wrong", 3).await;
    let said = stored.run("ftp://u:hidden@host/", &[]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("expected http://"), "{said:?}");
    assert!(!said.stderr.contains("hidden"), "{said:?}");

    let said = stored.run(&shared().uri(), &["--experiment", "nobody"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.stderr.contains("no experiment is named `nobody`; there is sync-wrong"),
        "{said:?}"
    );

    for (arguments, message) in [
        (["--sample", "2"], "write a number from 0 to 1"),
        (["--rate", "0"], "write a number of runs a second above 0"),
        (["--mode", "walks"], "`walks` is not a mode"),
    ] {
        let said = stored.run(&shared().uri(), &arguments).await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.stderr.contains(message), "{said:?}");
    }

    let link = Link::new(shared().address(), |_, _| Fault::Pass).await;
    link.set_down(true);
    let said = stored.run(&link.uri(), &["--give-up-after", "1s"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("what waits stays in the store"), "{said:?}");
    assert!(said.stderr.contains("0 branches sent"), "{said:?}");
    assert_eq!(stored.store.stat().unwrap().sync[0].waiting, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_that_is_deleted_while_others_of_it_are_sent_loses_nothing() {
    for mode in [SyncMode::Runs, SyncMode::Traces] {
        let name = format!("sync-deleted-{mode}");
        let mut all = branches(&name, 8).await;
        let later = all.split_off(4);
        let stored = Stored::new();
        stored.add(&all).await;
        let sync = MlflowSync::new(stored.store.clone(), backend(&shared().uri())).modes(&[mode]);
        assert_eq!(sync.run(&mut |_| {}).await.unwrap().sent, 4);
        let ask = |method, path: String, body: String| {
            tokio::task::spawn_blocking(move || shared().ask(method, &path, &body).unwrap())
        };
        let find = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=";
        let answer = ask("GET", format!("{find}{name}"), String::new()).await.unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let found: Value = serde_json::from_str(body).unwrap();
        let named = json!({ "experiment_id": found["experiment"]["experiment_id"] }).to_string();
        ask("POST", "/api/2.0/mlflow/experiments/delete".into(), named.clone()).await.unwrap();
        stored.add(&later).await;
        let error = sync.run(&mut |_| {}).await.unwrap_err();
        assert!(matches!(error, SyncError::Denied { .. }), "{error:?}");
        let stat = stored.store.stat().unwrap().sync[0].clone();
        assert_eq!((stat.sent, stat.waiting, stat.refused), (4, 4, 0), "{mode}");
        ask("POST", "/api/2.0/mlflow/experiments/restore".into(), named).await.unwrap();
        assert_eq!(sync.run(&mut |_| {}).await.unwrap().sent, 4, "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_that_is_deleted_in_mlflow_holds_everything_up_and_loses_nothing() {
    let stored = Stored::with("sync-deleted", 6).await;
    let ask = |path: &'static str, body: String| {
        tokio::task::spawn_blocking(move || shared().ask("POST", path, &body).unwrap())
    };
    let create = ask("/api/2.0/mlflow/experiments/create", r#"{"name":"sync-deleted"}"#.into());
    let answer = create.await.unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let id = body.split('"').nth(3).unwrap().to_owned();
    let named = format!(r#"{{"experiment_id":"{id}"}}"#);
    ask("/api/2.0/mlflow/experiments/delete", named.clone()).await.unwrap();
    let said = stored.run(&shared().uri(), &[]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("restore it, or choose another name"), "{said:?}");

    ask("/api/2.0/mlflow/experiments/restore", named).await.unwrap();
    let said = stored.run(&shared().uri(), &[]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_same(&runs(shared(), "sync-deleted").await, &stored.rows());
}
