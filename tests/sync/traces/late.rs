//! Branches that are recorded when the others of their request were sent.

use super::{assert_same, is_shadow, own, requests, sent, sync};
use crate::{
    link::{Fault, Link},
    support::{Stored, shared},
};
use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};
use tokio::time::sleep;
use tower_spearmint::{branch::Role, mlflow_sync::SyncWatch};

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
async fn a_call_that_comes_through_after_it_was_given_up_does_not_undo_a_later_one() {
    let stored = Stored::new();
    let mut branches = requests("sync-trace-stale", 1).await;
    // The second answer of the same request, a minute later.
    let mut second = branches.pop().unwrap();
    second.role = Role::Branch;
    second.start_ns += 60_000_000_000;
    second.end_ns += 60_000_000_000;
    stored.add(&branches).await;
    let first = AtomicBool::new(true);
    let link = Link::new(shared().address(), move |_, request| {
        if request.starts_with("POST /api/3.0/mlflow/traces ") && first.swap(false, Relaxed) {
            return Fault::Later(Duration::from_secs(5));
        }
        Fault::Pass
    });
    let sync = sync(&stored, &link.await.uri()).experiment("sync-trace-stale");
    let following = sync.follow(SyncWatch::default());
    let watching = async {
        let sent_so_far = || stored.store.stat().unwrap().sync.first().map_or(0, |stat| stat.sent);
        while sent_so_far() < 1 {
            sleep(Duration::from_millis(10)).await;
        }
        stored.add(&[second]).await;
        let minute =
            |traces: &[serde_json::Value]| traces[0]["duration_ms"].as_u64() >= Some(60_000);
        let deadline = Instant::now() + Duration::from_secs(120);
        let (mut seen, mut undone) = (false, false);
        // It is there, it is undone, and it is there again.
        loop {
            assert!(Instant::now() < deadline, "seen: {seen}, undone: {undone}");
            let is_there = minute(&sent("sync-trace-stale").await);
            undone |= seen && !is_there;
            seen |= is_there;
            if undone && is_there {
                break;
            }
        }
    };
    tokio::select! {
        () = following => panic!("it ended"),
        () = watching => {}
    }
    assert_same(&sent("sync-trace-stale").await, &own(&stored, "sync-trace-stale").await);
}
