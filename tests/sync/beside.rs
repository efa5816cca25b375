//! Sending beside `spearmint serve`.

use crate::{
    link::{Fault, Link},
    proxy::{Proxy, saying},
    support::{assert_each_once, runs, shared},
};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tower_spearmint::store::{Filter, SqliteStore};

/// One value of the page of metrics; `None` as long as it is not there.
async fn value(proxy: &Proxy, name: &str) -> Option<f64> {
    let page = proxy.admin("/metrics").await.text().to_owned();
    let series = format!("spearmint_sync_{name}{{experiment=\"sync-beside\",mode=\"runs\"}} ");
    page.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok())
}

async fn until(proxy: &Proxy, name: &str, expected: f64) {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let now = value(proxy, name).await;
        if now == Some(expected) {
            return;
        }
        assert!(Instant::now() < deadline, "{name} is {now:?}, not {expected}:\n{}", proxy.log());
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_mlflow_that_is_away_changes_nothing_and_gets_everything_when_it_is_back() {
    let link = Link::new(shared().address(), |_, _| Fault::Pass).await;
    link.set_down(true);
    let upstream = saying("fine").await;
    let yaml = format!(
        "
experiment: sync-beside
strategy: round_robin
sync: {{ to: '{}', mode: [runs, summary] }}
configs:
  - {{ config_id: stable, upstream: UPSTREAM_A }}
  - {{ config_id: candidate, upstream: UPSTREAM_A }}
watch: false
",
        link.uri()
    );
    let mut proxy = Proxy::start(&yaml, &[upstream.address]).await;
    for _ in 0..40 {
        assert_eq!(proxy.get("/").await.text(), "fine");
    }
    until(&proxy, "waiting", 40.0).await;
    assert_eq!(value(&proxy, "sent_total").await, Some(0.0));
    assert!(value(&proxy, "behind_seconds").await.unwrap() > 0.0);

    link.set_down(false);
    until(&proxy, "waiting", 0.0).await;
    assert_eq!(value(&proxy, "sent_total").await, Some(40.0));
    // What comes now is sent as well.
    assert_eq!(proxy.get("/").await.text(), "fine");
    until(&proxy, "sent_total", 41.0).await;
    proxy.signal("TERM");
    assert_eq!(proxy.ended().await, Some(0), "{}", proxy.log());
    let store = SqliteStore::open(proxy.path("store.db")).unwrap();
    let rows: Vec<_> = store.branches(&Filter::new()).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 41);
    assert_each_once(&runs(shared(), "sync-beside").await, &rows);
}
