//! What `spearmint serve` keeps for reports.

use crate::support::{Proxy, eventually, run, saying, stderr, stdout};
use serde_json::Value;
use tower_spearmint::{
    report::{Measure, Metric, Plan},
    store::SqliteStore,
};

const FILE: &str = "
experiment: ranker
strategy: shadow
primary: stable
watch: false
metrics:
  error_rate: { role: guardrail, margin: 2% }
configs:
  - { config_id: stable, upstream: UPSTREAM_A }
  - { config_id: candidate, upstream: UPSTREAM_B }
";

fn kept(proxy: &Proxy) -> Option<Plan> {
    let store = SqliteStore::open_read_only(proxy.path("store.db")).unwrap();
    Plan::kept(&store, "ranker").unwrap()
}

fn plan(metrics: impl IntoIterator<Item = Metric>) -> Plan {
    Plan::new().experiment("ranker").baseline("stable").metrics(metrics)
}

#[tokio::test]
async fn the_plan_of_the_file_is_kept_and_that_of_another_file_takes_its_place() {
    let (stable, candidate) = (saying("a").await, saying("a").await);
    let mut proxy = Proxy::start(FILE, &[stable.address, candidate.address]).await;
    let errors = plan([Metric::guardrail(Measure::ErrorRate, 0.02)]);
    eventually("the plan is kept", || kept(&proxy).as_ref() == Some(&errors)).await;
    let file = std::fs::read_to_string(proxy.path("experiment.yaml")).unwrap();
    let changed = file.replace(
        "error_rate: { role: guardrail, margin: 2% }",
        "latency_p99: { role: success, mde: 5% }",
    );
    std::fs::write(proxy.path("experiment.yaml"), changed).unwrap();
    proxy.signal("HUP");
    let latency = plan([Metric::success(Measure::LatencyP99, 0.05)]);
    eventually("the other plan is kept", || kept(&proxy).as_ref() == Some(&latency)).await;
    assert_eq!(proxy.get("/").await.text(), "a");
    proxy.stores(2).await;
    let store = proxy.path("store.db");
    let reported = || {
        let output = run(&["report", "--json", "--store", "store.db"], store.parent().unwrap());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_str::<Value>(&stdout(&output)).unwrap()
    };
    let report = reported();
    let findings = report[0]["candidates"][0]["findings"].as_array().unwrap();
    assert_eq!((findings.len(), &findings[0]["measure"]), (1, &"latency_p99".into()));
    assert_eq!(report[0]["looks"]["count"], 1);
    // Nothing of it is left behind.
    proxy.signal("TERM");
    assert_eq!(proxy.ended().await, Some(0), "{}", proxy.log());
    assert!(!proxy.path("store.db-wal").exists());
    assert_eq!(reported()[0]["looks"]["count"], 1);
}
