//! All configs at once.

use crate::support::{behaving, echo, end, poll_once, pool, records};
use futures_util::{Stream, StreamExt};
use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tower::{Layer, Service};
use tower_spearmint::MultiBranchLayer;

const SECOND: Duration = Duration::from_secs(1);

/// `slow3` takes three seconds.
async fn as_named(id: String) -> Result<(), tower::BoxError> {
    if let Some(seconds) = id.strip_prefix("slow") {
        sleep(seconds.parse::<u32>()? * SECOND).await;
    }
    match id.as_str() {
        "fails" => Err("it fails".into()),
        "panics" => panic!("it panics"),
        "hangs" => pending().await,
        _ => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn branches_come_in_the_order_of_the_pool_whatever_finishes_first() {
    let layer = MultiBranchLayer::new(pool(&["slow3", "slow1", "quick", "slow2"]));
    let start = Instant::now();
    let branches = layer.layer(behaving(as_named)).call(()).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 3);
    let ids: Vec<_> = branches.iter().map(|branch| branch.config_id.as_str()).collect();
    assert_eq!(ids, ["slow3", "slow1", "quick", "slow2"]);
    assert_eq!(branches.get("slow1").unwrap().output.as_deref(), Some("slow1"));
    let request = branches[0].request_id;
    assert_eq!(request, branches[0].id);
    assert!(branches.iter().all(|branch| branch.request_id == request));
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_panics_or_hangs_never_fails_the_others() {
    let records = records();
    let layer =
        MultiBranchLayer::new(pool(&["a", "fails", "panics", "hangs", "b"])).timeout(SECOND);
    let mut service = layer.layer(records.layer.layer(behaving(as_named)));
    let branches = service.call(()).await.unwrap();
    let expected = [
        "a branch success",
        "fails branch failed/error",
        "panics branch failed/panic",
        "hangs branch failed/timeout",
        "b branch success",
    ];
    assert_eq!(branches.iter().map(end).collect::<Vec<_>>(), expected);
    assert_eq!(branches[2].failure.as_ref().unwrap().message, "it panics");
    assert_eq!(branches.successes().count(), 2);
    // What is recorded is what was returned.
    let recorded = records.all().await;
    assert_eq!(recorded.len(), 5);
    for branch in &branches {
        let record = recorded.iter().find(|record| record.id == branch.id).unwrap();
        assert_eq!(end(record), end(branch));
        assert_eq!(record.failure, branch.failure);
    }
    assert_eq!(branches.into_first_output().as_deref(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn no_more_run_at_once_than_are_allowed_and_they_begin_in_order() {
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let begun = Arc::new(Mutex::new(Vec::new()));
    let (r, m, b) = (running.clone(), most.clone(), begun.clone());
    let service = behaving(move |id: String| {
        let (r, m, b) = (r.clone(), m.clone(), b.clone());
        async move {
            b.lock().unwrap().push(id);
            m.fetch_max(r.fetch_add(1, SeqCst) + 1, SeqCst);
            sleep(SECOND).await;
            r.fetch_sub(1, SeqCst);
            Ok(())
        }
    });
    let ids = ["a", "b", "c", "d", "e"];
    let layer = MultiBranchLayer::new(pool(&ids)).max_concurrent(2);
    let start = Instant::now();
    let branches = layer.layer(service).call(()).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!(most.load(SeqCst), 2);
    assert_eq!(*begun.lock().unwrap(), ids);
    assert_eq!(branches.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_branch_begins_when_its_turn_comes() {
    let layer = MultiBranchLayer::new(pool(&["slow2", "slow1", "hangs"]))
        .max_concurrent(1)
        .timeout(SECOND * 5 / 2);
    let branches = layer.layer(behaving(as_named)).call(()).await.unwrap();
    let expected = ["slow2 branch success", "slow1 branch success", "hangs branch failed/timeout"];
    assert_eq!(branches.iter().map(end).collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_stream_yields_each_branch_as_it_finishes() {
    let layer = MultiBranchLayer::new(pool(&["slow3", "slow1", "slow2"])).streaming();
    let start = Instant::now();
    let mut branches = layer.layer(behaving(as_named)).call(()).await.unwrap();
    assert_eq!(branches.size_hint(), (3, Some(3)));
    let mut seen = Vec::new();
    while let Some(branch) = branches.next().await {
        seen.push((branch.config_id.to_string(), start.elapsed().as_secs()));
    }
    let expected = [("slow1", 1), ("slow2", 2), ("slow3", 3)];
    assert_eq!(seen, expected.map(|(id, second)| (id.to_owned(), second)));
    assert_eq!(branches.remaining(), 0);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_stream_cancels_the_branches_that_have_not_ended() {
    let records = records();
    let layer = MultiBranchLayer::new(pool(&["quick", "slow2", "never_begun"]))
        .max_concurrent(2)
        .streaming();
    let mut service = layer.layer(records.layer.layer(behaving(as_named)));
    let mut branches = service.call(()).await.unwrap();
    assert_eq!(branches.next().await.unwrap().config_id.as_str(), "quick");
    drop(branches);
    // What was never begun was on its way to a logging layer nobody has seen on that arm yet.
    service.call(()).await.unwrap().count().await;
    assert_eq!(
        records.ends().await,
        [
            "never_begun branch cancelled",
            "never_begun branch success",
            "quick branch success",
            "quick branch success",
            "slow2 branch cancelled",
            "slow2 branch success",
        ]
    );
}

#[test]
fn without_a_runtime_branches_run_all_the_same() {
    let layer = MultiBranchLayer::new(pool(&["a", "b"]));
    let Poll::Ready(Ok(branches)) = poll_once(layer.layer(echo()).call(())) else { panic!() };
    assert_eq!(branches.successes().count(), 2);
}

#[test]
fn without_a_runtime_a_branch_with_a_time_limit_is_skipped_not_a_panic() {
    let layer = MultiBranchLayer::new(pool(&["a", "b"])).timeout(SECOND);
    let Poll::Ready(Ok(branches)) = poll_once(layer.layer(echo()).call(())) else { panic!() };
    let ends: Vec<_> = branches.iter().map(end).collect();
    assert_eq!(ends, ["a branch skipped/no_runtime", "b branch skipped/no_runtime"]);
}
