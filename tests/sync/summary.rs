//! One run for a config, role and epoch: its roll-ups as metrics.

use crate::{
    faults::trouble,
    link::Link,
    support::{Stored, backend, branches, shared},
};
use serde_json::Value;
use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};
use tower_spearmint::{
    Branch,
    branch::BranchId,
    mlflow_sync::{MlflowSync, SyncMode},
    store::{Rollup, RollupFilter},
};

/// The branches as if they had been dispatched in that minute since 1970.
fn in_minute(minute: u64, branches: &mut [Branch]) {
    for (n, branch) in branches.iter_mut().enumerate() {
        let mut id = *branch.id.as_bytes();
        let ms = minute * 60_000 + n as u64;
        id[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
        branch.id = BranchId::from_bytes(id);
        branch.request_id = branch.id;
        branch.start_ns = ms * 1_000_000;
        branch.end_ns = branch.start_ns + branch.duration_ns;
    }
}

async fn summaries(experiment: &'static str) -> Vec<Value> {
    let script = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sync/summary.py"));
    let read = move || shared().python(script, &[experiment]);
    let text = tokio::task::spawn_blocking(read).await.unwrap();
    let mut runs: Vec<Value> = serde_json::from_str(&text).unwrap();
    runs.sort_by_key(|run| run["tags"]["spearmint.config_id"].to_string());
    runs
}

/// What counts of a metric: for each step the last by time.
fn points(run: &Value, metric: &str) -> Vec<(u64, f64)> {
    let mut last = std::collections::BTreeMap::new();
    for point in run["metrics"][metric].as_array().unwrap() {
        last.insert(point[0].as_u64().unwrap(), point[2].as_f64().unwrap());
    }
    last.into_iter().collect()
}

fn assert_same(runs: &[Value], stored: &Stored) {
    let mut rollups: Vec<Rollup> =
        stored.store.rollups(&RollupFilter::new()).unwrap().map(Result::unwrap).collect();
    rollups.sort_by_key(|rollup| (rollup.config_id.as_str().to_owned(), rollup.start_ns));
    assert_eq!(runs.len(), 2, "a run for each config");
    for run in runs {
        let own: Vec<_> = rollups
            .iter()
            .filter(|rollup| run["tags"]["spearmint.config_id"] == rollup.config_id.as_str())
            .collect();
        let of = |value: &dyn Fn(&Rollup) -> f64| -> Vec<(u64, f64)> {
            own.iter().map(|rollup| (rollup.start_ns / 60_000_000_000, value(rollup))).collect()
        };
        assert_eq!(points(run, "requests"), of(&|rollup| rollup.requests() as f64));
        assert_eq!(points(run, "failed"), of(&|rollup| rollup.failed as f64));
        let p95 = of(&|rollup| rollup.duration.quantile(0.95).unwrap() as f64 / 1e6);
        assert_eq!(points(run, "duration_ms_p95"), p95);
        let model = if own[0].config_id.as_str() == "stable" { "large" } else { "small" };
        assert_eq!(run["params"]["llm.model"], model);
        assert_eq!(run["tags"]["spearmint.role"], "primary");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_is_one_run_whose_metrics_are_its_minutes_over_any_link() {
    let stored = Stored::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 60;
    let mut all = branches("sync-summary", 90).await;
    for (n, minute) in [now - 9, now - 7, now - 6].into_iter().enumerate() {
        in_minute(minute, &mut all[n * 30..(n + 1) * 30]);
    }
    let late = all.split_off(80);
    stored.add(&all).await;
    let link = Link::new(shared().address(), |n, _| trouble(n + 7)).await;
    let sync = MlflowSync::new(stored.store.clone(), backend(&link.uri()))
        .give_up_after(None)
        .modes(&[SyncMode::Summary]);
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().minutes, 6);
    assert_same(&summaries("sync-summary").await, &stored);
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().minutes, 0);

    // Some of a minute that was sent are recorded now.
    stored.add(&late).await;
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().minutes, 2);
    assert_same(&summaries("sync-summary").await, &stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_minute_under_way_is_sent_when_it_is_over() {
    let stored = Stored::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 60;
    let mut all = branches("sync-minute", 20).await;
    in_minute(now - 2, &mut all[..10]);
    // (Far enough ahead for a slow machine.)
    in_minute(now + 30, &mut all[10..]);
    stored.add(&all).await;
    let to = shared().uri();
    let said = stored.run(&to, &["--mode", "summary,runs", "--json"]).await;
    let said: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((said["minutes"].as_u64(), said["sent"].as_u64()), (Some(2), Some(20)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_that_is_deleted_stays_so_and_holds_up_no_other() {
    let stored = Stored::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 60;
    let mut all = branches("sync-gone", 40).await;
    in_minute(now - 5, &mut all[..20]);
    in_minute(now - 4, &mut all[20..]);
    let later = all.split_off(20);
    stored.add(&all).await;
    let sync =
        MlflowSync::new(stored.store.clone(), backend(&shared().uri())).modes(&[SyncMode::Summary]);
    assert_eq!(sync.run(&mut |_| {}).await.unwrap().minutes, 2);
    let delete = "
import sys
from mlflow.tracking import MlflowClient
client = MlflowClient()
experiment = client.get_experiment_by_name('sync-gone')
[run] = client.search_runs(
    [experiment.experiment_id], \"tags.`spearmint.config_id` = 'stable'\")
client.delete_run(run.info.run_id)
";
    let script = stored.path().with_extension("py");
    std::fs::write(&script, delete).unwrap();
    tokio::task::spawn_blocking(move || shared().python(&script, &[])).await.unwrap();
    stored.add(&later).await;
    sync.run(&mut |_| {}).await.unwrap();
    let runs = summaries("sync-gone").await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(points(&runs[0], "requests"), [(now - 5, 10.0), (now - 4, 10.0)]);
    let stat = &stored.store.stat().unwrap().sync[0];
    assert_eq!((stat.sent, stat.refused, &*stat.mode), (3, 1, "summary"));
}
