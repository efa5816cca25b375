//! Where answers differ.

use super::{HOSTILE, PATIENCE, all, page, record, store};
use crate::support::Server;
use serde_json::json;
use tempfile::{TempDir, tempdir};
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial,
    branch::{BranchId, Role},
    compare::{Comparison, DifferenceKind, Differences},
    record::{LoggerBackend, MemoryBackend},
    service_fn,
};

/// A request whose shadow answers something else, and what of it differs.
async fn compare(directory: &TempDir) -> BranchId {
    record(directory, "ranker", 2, "{\"price\": 1}").await;
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let configs = ["stable", "new"].map(|id| json!({ "config_id": id }));
    let pool = ConfigPool::from_values(configs).unwrap();
    let log =
        LogLayer::new(recorder.clone()).capture(|price: &u32| Some(json!({ "price": price })));
    let service = service_fn(|trial: Trial<u32>| async move { Ok::<_, String>(*trial.request()) });
    let mut service = RoundRobinLayer::new(pool).experiment("ranker").layer(log.layer(service));
    for price in [1, 2] {
        service.ready().await.unwrap().call(price).await.unwrap();
    }
    recorder.drain(PATIENCE).await.unwrap();
    let [primary, mut shadow]: [Branch; 2] = memory.take().try_into().unwrap();
    (shadow.role, shadow.request_id) = (Role::Shadow, primary.id);
    assert!(shadow.metrics.set("tokens", 812.5));
    let mut differences = Differences::default();
    differences.push("/price", DifferenceKind::Changed, Some("1"), Some(HOSTILE));
    let compared = Comparison::new(&primary, &shadow, differences);
    let (store, id) = (store(directory), shadow.id);
    store.log_batch(&[primary, shadow]).await.unwrap();
    store.log_comparisons(&[compared]).await.unwrap();
    id
}

#[tokio::test]
async fn where_answers_differ_both_stand_side_by_side() {
    let directory = tempdir().unwrap();
    let id = compare(&directory).await;
    let server = Server::start(&directory).await;
    let escaped = "<code class=\"sample\">&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&gt;";
    let here = "/experiments/ranker/differences";
    for path in [here, "/experiments/ranker/differences?path=%2Fprice"] {
        let differences = page(&server, path).await;
        for part in [
            "<code>/price</code>",
            "1 pair, 100% of all",
            "1 differ. There is no control, so all of this may be noise",
            "<code class=\"sample\">1</code>",
            escaped,
        ] {
            assert!(differences.contains(part), "{part}: {differences}");
        }
        assert!(all(&differences, "href").contains(&format!("/branches/{id}")));
    }
    // Two requests of the baseline, one of which has a shadow.
    let index = page(&server, "/").await;
    assert!(index.contains("<td class=\"number\">2</td>"), "{index}");
    let elsewhere = page(&server, "/experiments/ranker/differences?path=%2Fname").await;
    assert!(!elsewhere.contains("<code>/price</code>"), "{elsewhere}");
    let experiment = page(&server, "/experiments/ranker").await;
    assert!(
        all(&experiment, "href")
            .contains(&"/experiments/ranker/differences?path=%2Fprice".to_owned())
    );

    let branch = page(&server, &format!("/branches/{id}")).await;
    for part in [
        "they differ in 1 place.",
        "<dt>tokens</dt><dd>812.5</dd>",
        escaped,
        "&quot;price&quot;: 2",
        "&quot;price&quot;: 1",
        "(primary): success",
    ] {
        assert!(branch.contains(part), "{part}: {branch}");
    }
    server.stop().await;
}
