//! Over links that do everything wrong, and to servers that are others in the middle.

use super::{assert_same, own, read, sent, stored, sync};
use crate::{
    faults::trouble,
    link::{Fault, Link},
    server::Server,
    support::shared,
};
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_link_that_loses_repeats_and_garbles_each_request_is_one_trace() {
    let stored = stored("sync-trace-faults", 100).await;
    let link = Link::new(shared().address(), |n, _| trouble(n + 3)).await;
    let sync = sync(&stored, &link.uri()).give_up_after(None);
    let done = sync.run(&mut |_| {}).await.unwrap();
    assert_eq!((done.sent, done.refused, done.removed, done.left_out), (200, 0, 0, 0));
    assert_same(&sent("sync-trace-faults").await, &own(&stored, "sync-trace-faults").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_through_an_outage_is_sent_when_it_is_over() {
    let stored = stored("sync-trace-outage", 40).await;
    let link = Link::new(shared().address(), |_, _| Fault::Pass).await;
    let sync = sync(&stored, &link.uri()).give_up_after(None);
    let outage = async {
        while link.requests() < 20 {
            sleep(Duration::from_millis(5)).await;
        }
        link.set_down(true);
        sleep(Duration::from_secs(3)).await;
        let waiting = stored.store.stat().unwrap().sync[0].waiting;
        assert!(waiting > 0, "all was sent before the outage");
        link.set_down(false);
    };
    let mut nothing = |_| {};
    let (done, ()) = tokio::join!(sync.run(&mut nothing), outage);
    assert_eq!(done.unwrap().sent, 80);
    assert_same(&sent("sync-trace-outage").await, &own(&stored, "sync-trace-outage").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_mlflow_with_another_database_gets_whole_traces_of_what_is_not_sent_yet() {
    let stored = stored("sync-trace-moved", 40).await;
    let other = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let link = Link::new(shared().address(), |_, _| Fault::Pass).await;
    let sync = sync(&stored, &link.uri()).give_up_after(None);
    let move_on = async {
        while link.requests() < 31 {
            sleep(Duration::from_millis(5)).await;
        }
        link.lead_to(other.address());
    };
    let mut nothing = |_| {};
    let (done, ()) = tokio::join!(sync.run(&mut nothing), move_on);
    assert_eq!(done.unwrap().sent, 80);
    let there = read(&other.uri(), "sync-trace-moved").await;
    assert!(!there.is_empty());
    // Those that were being sent when it changed are whole on the other, and begun on this one.
    let is_there = |id: &serde_json::Value| there.iter().any(|trace| trace["id"] == *id);
    let mut all = sent("sync-trace-moved").await;
    all.retain(|trace| !is_there(&trace["id"]));
    all.extend(there.iter().cloned());
    all.sort_by_key(|trace| trace["id"].to_string());
    assert_same(&all, &own(&stored, "sync-trace-moved").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_mlflow_does_not_take_is_counted_and_holds_up_no_other() {
    let stored = stored("sync-trace-refused", 6).await;
    let rows = stored.rows();
    let bad = rows[4].request_id.to_string().replace('-', "");
    let of_bad = format!(r#""traceId":"{bad}""#);
    let link = Link::new(shared().address(), move |_, request| {
        let is_bad = request.starts_with("POST /v1/traces ") && request.contains(&of_bad);
        if is_bad { Fault::Answer400 } else { Fault::Pass }
    });
    let link = link.await;
    let said = stored.run(&link.uri(), &["--mode", "traces"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("10 branches sent, 2 refused"), "{said:?}");
    assert!(said.stderr.contains("MLflow answered 400 to /v1/traces"), "{said:?}");
    assert!(said.stderr.contains("MLflow does not take a request"), "{said:?}");
    let mut others = own(&stored, "sync-trace-refused").await;
    others.retain(|trace| trace["id"] != format!("tr-{bad}"));
    assert_same(&sent("sync-trace-refused").await, &others);
    // It is dealt with.
    assert_eq!(stored.run(&link.uri(), &["--mode", "traces"]).await.code, Some(0));
    let stat = &stored.store.stat().unwrap().sync[0];
    assert_eq!((stat.waiting, stat.sent, stat.refused, &*stat.mode), (0, 10, 2, "traces"));
}
