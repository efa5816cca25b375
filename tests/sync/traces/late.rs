//! Branches that are recorded when the others of their request were sent.

use super::{assert_same, is_shadow, own, requests, sent, sync};
use crate::{
    link::{Fault, Link},
    support::{Stored, shared},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::sleep;
use tower_spearmint::{
    branch::{Failure, FailureKind, Status},
    record::{LoggerBackend, RunId},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_that_ends_after_its_primary_was_sent_is_a_span_of_the_same_trace() {
    let stored = Stored::new();
    let (late, early): (Vec<_>, Vec<_>) =
        requests("sync-trace-late", 20).await.into_iter().partition(is_shadow);
    let sync = sync(&stored, &shared().uri());
    stored.add(&early).await;
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().sent, 20);
    let before = sent("sync-trace-late").await;
    assert_same(&before, &own(&stored, "sync-trace-late").await);
    stored.add(&late).await;
    let waiting = stored.store.stat().unwrap().sync[0].clone();
    assert_eq!(waiting.waiting, 20);
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().sent, 20);
    let after = sent("sync-trace-late").await;
    assert_same(&after, &own(&stored, "sync-trace-late").await);
    // The caller had its answer when it had it, whatever the shadow did.
    assert_eq!(before[0]["duration_ms"], after[0]["duration_ms"]);
    assert_eq!(
        (before[0]["spans"].as_array().unwrap().len(), 3),
        (2, { after[0]["spans"].as_array().unwrap().len() })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_recorded_after_its_shadow_was_sent_gives_the_trace_its_name_and_times() {
    let stored = Stored::new();
    let (early, late): (Vec<_>, Vec<_>) =
        requests("sync-trace-last", 10).await.into_iter().partition(is_shadow);
    let sync = sync(&stored, &shared().uri());
    stored.add(&early).await;
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().sent, 10);
    stored.add(&late).await;
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().sent, 10);
    assert_same(&sent("sync-trace-last").await, &own(&stored, "sync-trace-last").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_changes_after_it_was_sent_changes_its_span_and_its_trace() {
    let stored = Stored::new();
    let branches = requests("sync-trace-changed", 3).await;
    stored.add(&branches).await;
    let sync = sync(&stored, &shared().uri());
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().sent, 6);
    let mut changed = branches.into_iter().find(|branch| !is_shadow(branch)).unwrap();
    changed.status = Status::Failed;
    changed.failure = Some(Failure::new(FailureKind::Error, "it was wrong after all"));
    changed.duration_ns += 5_000_000_000;
    changed.end_ns += 5_000_000_000;
    let run = RunId(changed.id.to_string());
    stored.store.log_status(&run, &changed).await.unwrap();
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().sent, 1);
    let sent = sent("sync-trace-changed").await;
    assert_eq!((sent.len(), &sent[0]["state"]), (3, &"ERROR".into()));
    assert!(sent[0]["duration_ms"].as_u64() >= Some(5_000), "{}", sent[0]);
    let mut own = own(&stored, "sync-trace-changed").await;
    // MLflow keeps the preview of an answer that there was.
    own[0]["response_preview"] = sent[0]["response_preview"].clone();
    assert_same(&sent, &own);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_comes_through_after_it_was_given_up_does_not_undo_a_later_one() {
    let stored = Stored::new();
    let (early, late): (Vec<_>, Vec<_>) =
        requests("sync-trace-stale", 1).await.into_iter().partition(is_shadow);
    // What is said of the trace goes through at first; later it does too, and no answer comes.
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let link = Link::new(shared().address(), move |_, request| {
        if !request.starts_with("POST /api/3.0/mlflow/traces ") {
            return Fault::Pass;
        }
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        let mut heard = heard.lock().unwrap();
        heard.push(body.to_owned());
        if heard.len() == 2 { Fault::LoseAnswer } else { Fault::Pass }
    });
    let sync = sync(&stored, &link.await.uri());
    stored.add(&early).await;
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().sent, 1);
    stored.add(&late).await;
    let state = |trace: String| {
        let path = format!("/api/3.0/mlflow/traces/{trace}");
        shared().ask("GET", &path, "").unwrap()
    };
    let trace = format!("tr-{}", early[0].request_id.to_string().replace('-', ""));
    let earlier_comes_again = async {
        while stored.store.stat().unwrap().sync[0].sent < 2 {
            sleep(Duration::from_millis(5)).await;
        }
        let body = said.lock().unwrap()[0].clone();
        let answered = tokio::task::spawn_blocking(move || {
            assert!(state(trace.clone()).contains("\"OK\""));
            shared().ask("POST", "/api/3.0/mlflow/traces", &body).unwrap();
            state(trace)
        });
        assert!(!answered.await.unwrap().contains("\"OK\""), "it is undone");
    };
    let mut nothing = |_| {};
    let (done, ()) = tokio::join!(sync.run(&mut nothing), earlier_comes_again);
    assert_eq!(done.unwrap().sent, 1);
    assert_same(&sent("sync-trace-stale").await, &own(&stored, "sync-trace-stale").await);
}
