//! `spearmint sync`, killed in the middle, again and again.

use crate::{
    link::{Fault, Link},
    support::{Said, Stored, assert_same, runs, shared},
};
use std::{process::Stdio, time::Duration};
use tokio::time::sleep;

/// Sends what waits; the process is killed so many times before it may end, each time after so
/// many requests more.
pub(crate) async fn killed(
    stored: &Stored,
    arguments: &[&str],
    times: u64,
    after: impl Fn(u64) -> u64,
) {
    // Slow enough to be killed between a request and its answer.
    let link = Link::new(shared().address(), |n, _| match n % 3 {
        0 => Fault::Delay,
        _ => Fault::Pass,
    });
    let link = link.await;
    let start = || {
        let mut command = stored.command(&link.uri(), arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for kills in 0..times {
        let mut child = start();
        // Never at the same place.
        let enough = link.requests() + after(kills);
        while link.requests() < enough && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(2)).await;
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let child = start();
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap());
    let said = Said::of(&output.await.unwrap());
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_goes_on_and_each_branch_is_one_run() {
    let stored = Stored::with("sync-killed", 150).await;
    killed(&stored, &[], 6, |kills| 12 + 7 * kills).await;
    assert_same(&runs(shared(), "sync-killed").await, &stored.rows());
    assert_eq!(stored.store.stat().unwrap().sync[0].sent, 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_do_not_send_the_same_at_once() {
    let stored = Stored::with("sync-busy", 30).await;
    let link = Link::new(shared().address(), |_, _| Fault::Delay).await;
    let mut first = stored.command(&link.uri(), &[]).stderr(Stdio::piped()).spawn().unwrap();
    while link.requests() == 0 {
        sleep(Duration::from_millis(2)).await;
    }
    let said = stored.run(&link.uri(), &[]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("another process sends sync-busy"), "{said:?}");
    assert!(tokio::task::spawn_blocking(move || first.wait().unwrap().success()).await.unwrap());
    assert_same(&runs(shared(), "sync-busy").await, &stored.rows());
}
