//! Over a link that does everything wrong: each branch is one run in the end.

use crate::{
    link::{Fault, Link},
    support::{Stored, assert_same, backend, runs, shared},
};
use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};
use tower_spearmint::mlflow_sync::MlflowSync;

/// A number that looks like chance, and is the same each time (SplitMix64).
fn mixed(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Two of five requests have trouble.
pub(crate) fn trouble(n: u64) -> Fault {
    match mixed(n) % 50 {
        0..3 => Fault::Refuse,
        3..6 => Fault::LoseAnswer,
        6..8 => Fault::Hurry,
        8..10 => Fault::HalfAnswer,
        10..12 => Fault::DoneAnd500,
        12..14 => Fault::Answer500,
        14 => Fault::Answer429,
        15 => Fault::Noise,
        16 => Fault::Page,
        17..20 => Fault::Delay,
        20 if mixed(n + 1).is_multiple_of(4) => Fault::Stall,
        _ => Fault::Pass,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_link_that_loses_repeats_and_garbles_each_branch_is_one_run() {
    let stored = Stored::with("sync-faults", 200).await;
    let link = Link::new(shared().address(), |n, _| trouble(n)).await;
    let sync = MlflowSync::new(stored.store.clone(), backend(&link.uri())).give_up_after(None);
    let sent = sync.run(&mut |_| {}).await.unwrap();
    assert_eq!((sent.sent, sent.refused, sent.removed, sent.left_out), (200, 0, 0, 0));
    assert_same(&runs(shared(), "sync-faults").await, &stored.rows());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_comes_through_after_it_was_given_up_leaves_no_second_run() {
    let stored = Stored::with("sync-later", 4).await;
    let first = AtomicBool::new(true);
    let link = Link::new(shared().address(), move |_, request| {
        if request.contains("/runs/create ") && first.swap(false, Relaxed) {
            return Fault::Later(Duration::from_secs(3));
        }
        Fault::Pass
    });
    let link = link.await;
    let sync = MlflowSync::new(stored.store.clone(), backend(&link.uri()));
    let sent = sync.run(&mut |_| {}).await.unwrap();
    assert_eq!((sent.sent, sent.deleted), (4, 1));
    assert_same(&runs(shared(), "sync-later").await, &stored.rows());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_mlflow_does_not_take_is_counted_and_holds_up_no_other() {
    let stored = Stored::with("sync-refused", 9).await;
    let rows = stored.rows();
    let bad = rows[2].id.to_string();
    let link = Link::new(shared().address(), move |_, request| {
        let is_its_creation = request.contains("/runs/create ")
            && request.contains(&format!(r#""spearmint.branch_id","value":"{bad}""#));
        if is_its_creation { Fault::Answer400 } else { Fault::Pass }
    });
    let link = link.await;
    let said = stored.run(&link.uri(), &[]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("8 branches sent, 1 refused"), "{said:?}");
    assert!(said.stderr.contains("MLflow answered 400 to /api/2.0/mlflow/runs/create"), "{said:?}");
    let others: Vec<_> = rows.iter().filter(|row| row.id != rows[2].id).cloned().collect();
    assert_same(&runs(shared(), "sync-refused").await, &others);
    // It is dealt with.
    assert_eq!(stored.run(&link.uri(), &[]).await.code, Some(0));
    let stat = &stored.store.stat().unwrap().sync[0];
    assert_eq!((stat.waiting, stat.sent, stat.refused), (0, 8, 1));
}
