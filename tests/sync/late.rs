//! Branches that are written behind others that were sent.

use crate::support::{Stored, assert_same, backend, branches, runs, shared};
use tower_spearmint::mlflow_sync::MlflowSync;

#[tokio::test(flavor = "multi_thread")]
async fn branches_that_come_late_are_sent_once_they_are_there() {
    let stored = Stored::new();
    let all = branches("sync-late", 60).await;
    let sync = MlflowSync::new(stored.store.clone(), backend(&shared().uri()));
    // Every third is still under way when the others are sent, the first among them.
    let (late, early): (Vec<_>, Vec<_>) =
        all.iter().cloned().enumerate().partition(|(n, _)| n % 3 == 0);
    let only =
        |part: Vec<(usize, _)>| part.into_iter().map(|(_, branch)| branch).collect::<Vec<_>>();
    let (late, early) = (only(late), only(early));
    stored.add(&early).await;
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().sent, 40);
    stored.add(&late).await;
    let waiting = stored.store.stat().unwrap().sync[0].clone();
    assert_eq!(waiting.waiting, 20);
    assert_eq!(waiting.oldest_waiting_ms, Some(late[0].start_ns / 1_000_000));
    // Written twice is late once.
    stored.add(&all).await;
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().sent, 20);
    assert_same(&runs(shared(), "sync-late").await, &stored.rows());
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_that_come_while_others_are_sent_are_not_passed_over() {
    let stored = Stored::new();
    let mut all = branches("sync-meanwhile", 120).await;
    let sync = MlflowSync::new(stored.store.clone(), backend(&shared().uri()));
    // They end in another order than they began.
    let half = all.split_off(60);
    let mixed: Vec<_> = half.into_iter().rev().zip(all).flat_map(|(a, b)| [a, b]).collect();
    let writing = async {
        for batch in mixed.chunks(4) {
            stored.add(batch).await;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let sending = async {
        let mut sent = 0;
        while sent < 120 {
            sent += sync.run(&mut |_| {}).await.unwrap().sent;
        }
        sent
    };
    stored.add(&mixed[..1]).await;
    let ((), sent) = tokio::join!(writing, sending);
    assert_eq!(sent, 120);
    assert_same(&runs(shared(), "sync-meanwhile").await, &stored.rows());
}
