//! The file changes while it is served, and nobody says so.

use crate::support::{Proxy, Upstream, eventually, saying};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

fn single(upstream: &Upstream, more: &str) -> String {
    format!(
        "
experiment: changing
strategy: single
configs: [{{ config_id: a, upstream: 'http://{}' }}]
{more}
",
        upstream.address
    )
}

/// Waits until the counters are as they should be.
async fn stats(proxy: &Proxy, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + crate::support::PATIENCE;
    loop {
        let stats = proxy.admin("/stats").await.json();
        if is_so(&stats) {
            return stats;
        }
        assert!(tokio::time::Instant::now() < deadline, "not in time: {what}\n{stats:#}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_changes_in_the_file_is_in_use_and_in_the_log() {
    let (a, b) = (saying("a").await, saying("b").await);
    let proxy = Proxy::start(&single(&a, ""), &[]).await;
    // It begins beside the first requests.
    eventually("it watches", || proxy.is_watching()).await;
    assert_eq!(proxy.get("/").await.text(), "a");
    fs::write(proxy.path("experiment.yaml"), single(&b, "rewrite_limit: 2MiB")).unwrap();
    let stats = stats(&proxy, "a reload", |stats| stats["epoch"]["number"] == 2).await;
    assert_eq!((&stats["reloads"], &stats["rejected"]), (&json!(1), &json!(0)));
    assert_eq!(stats["last_error"], Value::Null);
    assert_eq!(proxy.get("/").await.text(), "b");
    let upstreams =
        format!("~ configs[a].upstream: \"http://{}\" → \"http://{}\"", a.address, b.address);
    for said in ["reloaded epoch=2-", "+ rewrite_limit: \"2MiB\"", &upstreams] {
        eventually(said, || proxy.log().contains(said)).await;
    }
}

#[tokio::test]
async fn a_mistake_is_told_and_counted_until_it_is_mended() {
    let a = saying("a").await;
    let proxy = Proxy::start(&single(&a, ""), &[]).await;
    let mistakes = [
        (single(&a, "thraeds: 2"), "experiment.yaml:5:10: `thraeds`: unknown key `thraeds`"),
        // This shows only when it is put to use.
        (single(&a, "tls: { certificate: none.pem, key: none.pem }"), "experiment.yaml:5:21: "),
    ];
    for (at, (yaml, said)) in mistakes.iter().enumerate() {
        fs::write(proxy.path("experiment.yaml"), yaml).unwrap();
        let stats = stats(&proxy, "a rejection", |stats| stats["rejected"] == at + 1).await;
        assert_eq!((&stats["epoch"]["number"], &stats["reloads"]), (&json!(1), &json!(0)));
        assert!(stats["last_error"].as_str().unwrap().starts_with(said), "{stats:#}");
        let said = format!("the file was not reloaded; the one before stays in use error={said}");
        eventually("the log says so, too", || proxy.log().contains(&said)).await;
        assert_eq!(proxy.get("/").await.text(), "a");
    }
    fs::write(proxy.path("experiment.yaml"), single(&a, "threads: 2")).unwrap();
    let stats = stats(&proxy, "a reload", |stats| stats["epoch"]["number"] == 2).await;
    assert_eq!((&stats["rejected"], &stats["last_error"]), (&json!(2), &Value::Null));
}

#[tokio::test]
async fn what_a_secret_was_is_not_logged() {
    let a = saying("a").await;
    let yaml = |key| single(&a, "secrets: [salt]").replace(" }]", &format!(", salt: {key} }}]"));
    let proxy = Proxy::start(&yaml("k-secret"), &[]).await;
    fs::write(proxy.path("experiment.yaml"), yaml("n-secret")).unwrap();
    let said = "~ configs[a].salt: [redacted] → [redacted]";
    eventually(said, || proxy.log().contains(said)).await;
    assert!(!proxy.log().contains("-secret"), "{}", proxy.log());
}

#[tokio::test]
async fn a_file_is_not_followed_if_it_says_so_or_the_command_does() {
    let a = saying("a").await;
    let proxy = Proxy::start(&single(&a, "watch: false"), &[]).await;
    assert!(!proxy.is_watching());
    let directory = TempDir::new().unwrap();
    let proxy = Proxy::start_with(directory, &single(&a, ""), &[], &["--no-watch"]).await;
    assert!(!proxy.is_watching());
}

#[tokio::test]
async fn a_secret_that_is_mounted_anew_is_in_use() {
    let a = saying("a").await;
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("api_key"), "key-1\n").unwrap();
    let yaml = "
experiment: changing
strategy: single
configs: [{ config_id: a, upstream: UPSTREAM_A, request: { headers: { x-api-key: '${file:api_key}' } } }]
";
    let mut proxy = Proxy::start_in(directory, yaml, &[a.address]).await;
    let sent = |at: usize| a.seen.lock().unwrap()[at].headers["x-api-key"].clone();
    proxy.get("/").await;
    assert_eq!(sent(0), "key-1");
    fs::write(proxy.path("api_key~"), "key-2\n").unwrap();
    fs::rename(proxy.path("api_key~"), proxy.path("api_key")).unwrap();
    stats(&proxy, "a reload", |stats| stats["reloads"] == 1).await;
    proxy.get("/").await;
    assert_eq!(sent(1), "key-2");
    assert!(!proxy.log().contains("key-"), "{}", proxy.log());
    proxy.rows().await;
}
