//! An MLflow that is away, and one that comes back as another.

use crate::{
    link::{Fault, Link},
    server::Server,
    support::{Stored, assert_same, backend, runs, runs_of, shared},
};
use std::time::Duration;
use tokio::time::sleep;
use tower_spearmint::mlflow_sync::MlflowSync;

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_through_an_outage_is_sent_when_it_is_over() {
    let stored = Stored::with("sync-outage", 80).await;
    let link = Link::new(shared().address(), |_, _| Fault::Pass).await;
    let sync = MlflowSync::new(stored.store.clone(), backend(&link.uri())).give_up_after(None);
    let outage = async {
        while link.requests() < 60 {
            sleep(Duration::from_millis(5)).await;
        }
        link.set_down(true);
        sleep(Duration::from_secs(5)).await;
        let waiting = stored.store.stat().unwrap().sync[0].waiting;
        assert!(waiting > 0, "all was sent before the outage");
        link.set_down(false);
    };
    let mut nothing = |_| {};
    let (sent, ()) = tokio::join!(sync.run(&mut nothing), outage);
    assert_eq!(sent.unwrap().sent, 80);
    assert_same(&runs(shared(), "sync-outage").await, &stored.rows());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_mlflow_with_another_database_gets_the_experiment_again_and_what_is_not_sent_yet() {
    let stored = Stored::with("sync-moved", 60).await;
    let other = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let link = Link::new(shared().address(), |_, _| Fault::Pass).await;
    let sync = MlflowSync::new(stored.store.clone(), backend(&link.uri())).give_up_after(None);
    let move_on = async {
        while link.requests() < 40 {
            sleep(Duration::from_millis(5)).await;
        }
        link.lead_to(other.address());
    };
    let mut nothing = |_| {};
    let (sent, ()) = tokio::join!(sync.run(&mut nothing), move_on);
    assert_eq!(sent.unwrap().sent, 60);
    let rows = stored.rows();
    let there = tokio::task::spawn_blocking(move || runs_of(&other, "sync-moved")).await.unwrap();
    assert!(!there.is_empty());
    let here = runs(shared(), "sync-moved").await;
    // Those that were being written when it changed are whole on the other, and begun on this one.
    let is_there =
        |id: String| there.iter().filter(|run| run["tags"]["spearmint.branch_id"] == *id).count();
    let mut whole: Vec<_> = here
        .into_iter()
        .filter(|run| {
            is_there(run["tags"]["spearmint.branch_id"].as_str().unwrap().to_owned()) == 0
        })
        .collect();
    whole.extend(there.iter().cloned());
    whole.sort_by_key(|run| run["tags"]["spearmint.branch_id"].to_string());
    assert_same(&whole, &rows);
}
