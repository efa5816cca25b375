//! `spearmint sync --mode traces`, killed in the middle, again and again.

use super::{assert_same, own, sent, stored};
use crate::{
    killed::killed,
    link::{Fault, Link},
    support::shared,
};
use std::{process::Stdio, time::Duration};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_goes_on_and_each_request_is_one_trace() {
    let stored = stored("sync-trace-killed", 60).await;
    killed(&stored, &["--mode", "traces"], 5, |kills| 8 + 3 * kills).await;
    assert_same(&sent("sync-trace-killed").await, &own(&stored, "sync-trace-killed").await);
    assert_eq!(stored.store.stat().unwrap().sync[0].sent, 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_do_not_send_the_same_traces_at_once() {
    let stored = stored("sync-trace-busy", 15).await;
    let link = Link::new(shared().address(), |_, _| Fault::Delay).await;
    let arguments = &["--mode", "traces"];
    let mut first = stored.command(&link.uri(), arguments).stderr(Stdio::piped()).spawn().unwrap();
    while link.requests() == 0 {
        sleep(Duration::from_millis(2)).await;
    }
    let said = stored.run(&link.uri(), arguments).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("another process sends sync-trace-busy"), "{said:?}");
    assert!(tokio::task::spawn_blocking(move || first.wait().unwrap().success()).await.unwrap());
    assert_same(&sent("sync-trace-busy").await, &own(&stored, "sync-trace-busy").await);
}
