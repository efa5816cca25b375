//! What was sent is what is recorded.

use crate::support::{
    PATIENCE, Proxy, at, caller, full, h2_caller, post, read, respond, run, stdout, upstream,
};
use http_body_util::BodyExt;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};
use tokio::task::JoinSet;

const REQUESTS: u64 = 600;

/// Answers 200 with the body, but every seventh with 500 and every eleventh with 404.
async fn moody() -> crate::support::Upstream {
    upstream(|request| async move {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let number: u64 = std::str::from_utf8(&body).unwrap().parse().unwrap();
        respond(status_of(number), body)
    })
    .await
}

const fn status_of(number: u64) -> u16 {
    if number.is_multiple_of(7) {
        500
    } else if number.is_multiple_of(11) {
        404
    } else {
        200
    }
}

fn failing() -> u64 {
    (0..REQUESTS).filter(|number| status_of(*number) == 500).count() as u64
}

/// Sends the requests from 16 callers, and counts the statuses of the answers.
async fn drive(proxy: &Proxy) -> BTreeMap<u16, u64> {
    let (next, statuses) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(BTreeMap::new())));
    let mut callers = JoinSet::new();
    let clients = [caller(), h2_caller()];
    for at_once in 0..16 {
        let (next, statuses) = (next.clone(), statuses.clone());
        let (client, address) = (clients[at_once % 2].clone(), proxy.address);
        callers.spawn(async move {
            loop {
                let number = next.fetch_add(1, SeqCst);
                if number >= REQUESTS {
                    return;
                }
                let request = at(address, post("/"), full(number.to_string()));
                let response = tokio::time::timeout(PATIENCE, client.request(request));
                let answer = read(response.await.unwrap().unwrap()).await;
                *statuses.lock().unwrap().entry(answer.status.as_u16()).or_default() += 1;
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    statuses.lock().unwrap().clone()
}

/// Requests and failures for each config and role, by the command itself.
fn summary(proxy: &Proxy) -> BTreeMap<String, (u64, u64, u64)> {
    let directory = proxy.path("");
    let output = run(&["branches", "--summary", "--json", "--store", "store.db"], &directory);
    assert!(output.status.success());
    let rows: Vec<Value> = serde_json::from_str(&stdout(&output)).unwrap();
    rows.iter()
        .map(|row| {
            let number = |key: &str| row[key].as_u64().unwrap();
            let name =
                format!("{} {}", row["config_id"].as_str().unwrap(), row["role"].as_str().unwrap());
            (name, (number("requests"), number("success"), number("failed")))
        })
        .collect()
}

async fn through(strategy: &str) -> (BTreeMap<u16, u64>, BTreeMap<String, (u64, u64, u64)>) {
    let (a, b) = (moody().await, moody().await);
    let yaml = format!(
        "
experiment: load
{strategy}
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
  - {{ config_id: b, upstream: UPSTREAM_B }}
"
    );
    let mut proxy = Proxy::start(&yaml, &[a.address, b.address]).await;
    let statuses = drive(&proxy).await;
    proxy.signal("TERM");
    assert_eq!(proxy.ended().await, Some(0));
    let summary = summary(&proxy);
    let asked: u64 = summary.values().map(|(requests, _, _)| requests).sum();
    assert_eq!((a.count() + b.count()) as u64, asked, "the upstreams were asked as recorded");
    (statuses, summary)
}

fn direct() -> BTreeMap<u16, u64> {
    let mut statuses = BTreeMap::new();
    for number in 0..REQUESTS {
        *statuses.entry(status_of(number)).or_default() += 1;
    }
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_records_every_request_once() {
    let (statuses, summary) = through("strategy: single").await;
    assert_eq!(statuses, direct());
    assert_eq!(summary["a primary"], (REQUESTS, REQUESTS - failing(), failing()));
    assert_eq!(summary.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn round_robin_records_every_request_once() {
    let (statuses, summary) = through("strategy: round_robin").await;
    assert_eq!(statuses, direct());
    let (a, b) = (summary["a primary"], summary["b primary"]);
    assert_eq!((a.0, b.0), (REQUESTS / 2, REQUESTS / 2));
    assert_eq!(a.2 + b.2, failing());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shadow_records_every_request_and_every_shadow_once() {
    let (statuses, summary) =
        through("strategy: shadow\nprimary: a\nshadow: { methods: [POST] }").await;
    assert_eq!(statuses, direct());
    for name in ["a primary", "b shadow"] {
        assert_eq!(summary[name], (REQUESTS, REQUESTS - failing(), failing()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn multi_branch_records_every_branch_once() {
    let (statuses, summary) = through("strategy: multi_branch").await;
    assert_eq!(statuses, BTreeMap::from([(200, REQUESTS - failing()), (502, failing())]));
    for name in ["a branch", "b branch"] {
        assert_eq!(summary[name], (REQUESTS, REQUESTS - failing(), failing()), "{name}");
    }
}
