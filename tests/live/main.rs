//! The file changes under load: no request fails, none sees a mixture of two files. A target of
//! its own, since it takes the whole machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub, clippy::print_stdout)]

mod callers;
mod changes;
mod echo;
#[path = "../support/proxy.rs"]
mod support;

use callers::Callers;
use changes::{CHANGES, Changes};
use serde_json::json;
use std::time::Instant;
use support::Proxy;

/// How many rounds of changes: one, unless `SPEARMINT_SOAK_ROUNDS` says more.
fn rounds() -> usize {
    std::env::var("SPEARMINT_SOAK_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_file_changes_under_load_no_request_fails_and_none_sees_a_mixture() {
    let upstreams = [echo::start("even").await, echo::start("odd").await];
    let mut changes = Changes::new(upstreams);
    let mut proxy = Proxy::start(&changes.first(), &[]).await;
    let callers = Callers::start(proxy.address);
    let began = Instant::now();
    for _ in 0..rounds() * CHANGES {
        changes.next(&proxy).await;
    }
    let took = began.elapsed();
    let stats = proxy.admin("/stats").await.json();
    // Each was seen to hold the order of generations on its connection.
    let seen = callers.stop().await;
    let rate = seen.requests as f64 / took.as_secs_f64();
    println!(
        "{} requests in {:.1} s ({rate:.0}/s) on {} connections while the file changed {} times, \
         {} of them with a mistake; {} generations were seen",
        seen.requests,
        took.as_secs_f64(),
        callers::CONNECTIONS,
        changes.made(),
        changes.wrong,
        seen.generations.len(),
    );
    assert_eq!(changes.wrong, rounds() * CHANGES / 10);
    assert_eq!(stats["reloads"], json!(changes.made() - changes.wrong));
    assert_eq!(stats["rejected"], json!(changes.wrong));
    assert_eq!(stats["epoch"]["number"], json!(1 + changes.made() - changes.wrong));
    // None that was wrong answered anybody, and most that were right did.
    assert!(seen.generations.is_disjoint(&changes.wrong_generations));
    assert!(seen.generations.len() > rounds() * CHANGES / 2, "{}", seen.generations.len());

    let rows = proxy.rows().await;
    let lost = stats["recorder"]["dropped"].as_u64().unwrap();
    assert!(rows.len() as u64 + lost >= seen.requests, "{} {lost} {}", rows.len(), seen.requests);
    assert!(rows.iter().all(|row| support::end(row).ends_with(" primary success")));
}
