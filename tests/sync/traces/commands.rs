//! On the command line, and beside `spearmint serve`.

use super::{assert_same, own, sent, stored};
use crate::{
    link::{Fault, Link},
    proxy::{Proxy, saying},
    support::{assert_each_once, runs, shared},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use tower_spearmint::store::{Filter, SqliteStore};

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_a_trace_and_is_sent_once() {
    let stored = stored("sync-trace-all", 20).await;
    let to = shared().uri();
    let waiting = stored.run(&to, &["--mode", "traces", "--dry-run", "--json"]).await;
    let waiting: Value = serde_json::from_str(&waiting.stdout).unwrap();
    let [line] = &waiting["waiting"].as_array().unwrap()[..] else { panic!("{waiting}") };
    assert_eq!((line["mode"].as_str(), line["waiting"].as_u64()), (Some("traces"), Some(40)));

    let said = stored.run(&to, &["--mode", "traces"]).await;
    assert_eq!((said.code, said.stderr.trim()), (Some(0), "40 branches sent"), "{said:?}");
    let again = stored.run(&to, &["--mode", "traces", "--json"]).await;
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(again["sent"], 0, "{again}");
    assert_same(&sent("sync-trace-all").await, &own(&stored, "sync-trace-all").await);

    // Each mode has a line of its own.
    let said = stored.run(&to, &["--mode", "summary,traces,runs"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("40 branches sent"), "{said:?}");
    assert_each_once(&runs(shared(), "sync-trace-all").await, &stored.rows());
    let stat: Vec<_> = stored.store.stat().unwrap().sync;
    let sent: BTreeMap<_, _> = stat.iter().map(|stat| (&*stat.mode, stat.sent)).collect();
    assert_eq!((sent["runs"], sent["traces"]), (40, 40));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_whole_requests_and_the_same_whenever_it_is_sent() {
    let stored = stored("sync-trace-sample", 60).await;
    let arguments = ["--mode", "traces,runs", "--sample", "0.25", "--json"];
    let said = stored.run(&shared().uri(), &arguments).await;
    let said: Value = serde_json::from_str(&said.stdout).unwrap();
    let (count, left_out) = (said["sent"].as_u64().unwrap(), said["left_out"].as_u64().unwrap());
    assert_eq!(count + left_out, 240, "{said}");
    assert!((20..160).contains(&count), "{said}");
    let traces = sent("sync-trace-sample").await;
    assert_eq!(traces.len() as u64 * 4, count, "two branches each, as runs and as spans");
    let ids: Vec<_> = traces.iter().map(|trace| trace["id"].clone()).collect();
    let mut own = own(&stored, "sync-trace-sample").await;
    own.retain(|trace| ids.contains(&trace["id"]));
    assert_same(&traces, &own);
    // The same requests as runs.
    let mut requests: Vec<_> = runs(shared(), "sync-trace-sample")
        .await
        .iter()
        .map(|run| {
            let id = run["tags"]["spearmint.request_id"].as_str().unwrap();
            Value::from(format!("tr-{}", id.replace('-', "")))
        })
        .collect();
    requests.sort_by_key(Value::to_string);
    requests.dedup();
    assert_eq!(requests, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept() {
    let stored = stored("sync-trace-rate", 9).await;
    let began = Instant::now();
    let said = stored.run(&shared().uri(), &["--mode", "traces", "--rate", "4"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    // Eight pauses between nine traces.
    assert!(began.elapsed().as_millis() >= 2_000, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_serve_an_mlflow_that_is_away_gets_every_trace_when_it_is_back() {
    let link = Link::new(shared().address(), |_, _| Fault::Pass).await;
    link.set_down(true);
    let upstream = saying("fine").await;
    let yaml = format!(
        "
experiment: sync-trace-beside
strategy: shadow
primary: stable
shadow: {{ methods: [GET] }}
sync: {{ to: '{}', mode: [traces, summary] }}
configs:
  - {{ config_id: stable, upstream: UPSTREAM_A }}
  - {{ config_id: candidate, upstream: UPSTREAM_A }}
watch: false
",
        link.uri()
    );
    let mut proxy = Proxy::start(&yaml, &[upstream.address]).await;
    for _ in 0..10 {
        assert_eq!(proxy.get("/").await.text(), "fine");
    }
    until(&proxy, "waiting", 20).await;
    link.set_down(false);
    until(&proxy, "waiting", 0).await;
    until(&proxy, "sent_total", 20).await;
    proxy.signal("TERM");
    assert_eq!(proxy.ended().await, Some(0), "{}", proxy.log());
    let store = SqliteStore::open(proxy.path("store.db")).unwrap();
    let rows: Vec<_> = store.branches(&Filter::new()).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 20);
    let traces = sent("sync-trace-beside").await;
    assert_eq!(traces.len(), 10);
    let mut spans: Vec<_> = traces
        .iter()
        .flat_map(|trace| trace["spans"].as_array().unwrap())
        .filter_map(|span| span["attributes"]["spearmint.branch_id"].as_str())
        .collect();
    spans.sort_unstable();
    let expected: Vec<_> = rows.iter().map(|row| row.id.to_string()).collect();
    assert_eq!(spans, expected);
}

async fn until(proxy: &Proxy, name: &str, expected: u64) {
    let series =
        format!("spearmint_sync_{name}{{experiment=\"sync-trace-beside\",mode=\"traces\"}} ");
    let wanted = format!("{series}{expected}");
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let page = proxy.admin("/metrics").await.text().to_owned();
        if page.lines().any(|line| line == wanted) {
            return;
        }
        let now = page.lines().find(|line| line.starts_with(&series));
        assert!(Instant::now() < deadline, "{now:?}, not {wanted}:\n{}", proxy.log());
        sleep(Duration::from_millis(100)).await;
    }
}
