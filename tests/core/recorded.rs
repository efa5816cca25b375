//! What stands in the record of a branch.

use crate::support::{SECOND, behaving, call, echo, end, pool, records, single};
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tower::{BoxError, Layer, Service, retry::Policy};
use tower_spearmint::{
    Config, LogLayer, Recorder, RoundRobinLayer, SingleLayer, Trial, branch::Status,
    record::MemoryBackend,
};

#[tokio::test(start_paused = true)]
async fn the_hook_sees_each_branch_as_it_ends() {
    let records = records();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let log = records.layer.clone().on_branch(move |branch| sink.lock().unwrap().push(end(branch)));
    let service = behaving(|id| async move { if id == "b" { Err("no".into()) } else { Ok(()) } });
    let mut service = RoundRobinLayer::new(pool(&["a", "b"])).layer(log.layer(service));
    service.call(()).await.unwrap();
    service.call(()).await.unwrap_err();
    drop(service.call(()));
    assert_eq!(
        *seen.lock().unwrap(),
        ["a primary success", "b primary failed/error", "a primary cancelled"]
    );
    assert_eq!(records.all().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn capture_keeps_the_output_without_its_secrets() {
    let records = records();
    let log = records
        .layer
        .clone()
        .capture(|answer: &String| Some(json!({ "answer": answer, "access_token": "hunter2" })));
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(log.layer(echo()));
    service.call(()).await.unwrap();
    assert_eq!(
        records.all().await[0].output,
        Some(json!({ "answer": "a", "access_token": "[redacted]" }))
    );
}

#[tokio::test(start_paused = true)]
async fn which_keys_of_an_output_are_secret_can_be_said() {
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    let keys = tower_spearmint::config::SecretKeys::none().and(["pin"]);
    tokio::spawn(recording.secret_keys(keys));
    let log = LogLayer::new(recorder.clone())
        .capture(|_: &String| Some(json!([{ "pin": 1234, "token": 3 }])));
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(log.layer(echo()));
    service.call(()).await.unwrap();
    recorder.drain(SECOND).await.unwrap();
    assert_eq!(memory.branches()[0].output, Some(json!([{ "pin": "[redacted]", "token": 3 }])));
}

/// Tries three times.
#[derive(Clone)]
struct ThreeTimes(u32);

impl Policy<Trial<()>, String, BoxError> for ThreeTimes {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        trial: &mut Trial<()>,
        result: &mut Result<String, BoxError>,
    ) -> Option<Self::Future> {
        self.0 -= 1;
        (result.is_err() && self.0 > 0).then(|| {
            trial.place().count_retry();
            std::future::ready(())
        })
    }

    fn clone_request(&mut self, trial: &Trial<()>) -> Option<Trial<()>> {
        Some(trial.clone())
    }
}

#[tokio::test(start_paused = true)]
async fn retries_under_the_logging_layer_are_one_branch() {
    let records = records();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let service = behaving(move |_| {
        let try_number = counted.fetch_add(1, SeqCst);
        async move { if try_number < 2 { Err("not yet".into()) } else { Ok(()) } }
    });
    let service = tower::retry::Retry::new(ThreeTimes(3), service);
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(records.layer.layer(service));
    service.call(()).await.unwrap();
    assert_eq!(tries.load(SeqCst), 3);
    assert_eq!(records.ends().await, ["a primary success"]);
    assert_eq!(records.all().await[0].retry_count, 2);
}

#[tokio::test(start_paused = true)]
async fn two_logging_layers_record_a_branch_once() {
    let (outside, inside) = (records(), records());
    let service = outside.layer.layer(inside.layer.layer(echo()));
    let mut service = RoundRobinLayer::new(pool(&["a"])).layer(service);
    service.call(()).await.unwrap();
    drop(service.call(()));
    assert_eq!(outside.ends().await, ["a primary cancelled", "a primary success"]);
    assert!(inside.ends().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_error_keeps_its_type_its_text_and_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot rank")]
    struct CannotRank(#[source] std::io::Error);

    let records = records();
    let typed = tower_spearmint::service_fn(|_: Trial<()>| async {
        Err::<(), _>(CannotRank(std::io::Error::other("disk full")))
    });
    let boxed = behaving(|_| async { Err(CannotRank(std::io::Error::other("disk full")).into()) });
    let layer = RoundRobinLayer::new(pool(&["a"]));
    layer.layer(records.layer.layer(typed)).call(()).await.unwrap_err();
    layer.layer(records.layer.layer(boxed)).call(()).await.unwrap_err();
    let all = records.all().await;
    let failures: Vec<_> = all.iter().map(|branch| branch.failure.as_ref().unwrap()).collect();
    assert!(failures[0].type_name.ends_with("CannotRank"));
    assert_eq!(failures[0].message, "cannot rank");
    assert!(failures[0].trace.contains("disk full"));
    assert_eq!(failures[1].message, "cannot rank");
    assert_eq!(failures[1].trace, "cannot rank\ncaused by: disk full");
}

#[tokio::test(start_paused = true)]
async fn times_are_in_nanoseconds_since_the_epoch_and_agree() {
    let before = std::time::SystemTime::now();
    let records = records();
    call(&mut single(&records.recorder));
    let branch = &records.all().await[0];
    let start = std::time::UNIX_EPOCH + Duration::from_nanos(branch.start_ns);
    assert!(start + SECOND > before && start < std::time::SystemTime::now() + SECOND);
    assert_eq!(branch.end_ns, branch.start_ns + branch.duration_ns);
    assert_eq!(branch.status, Status::Success);
}

#[tokio::test(start_paused = true)]
async fn a_branch_serialises_to_the_documented_names() {
    let records = records();
    let config = Config::new(json!({ "config_id": "a", "api_key": "hunter2", "top": 3 })).unwrap();
    let failing = behaving(|_| async { Err("it fails".into()) });
    let layer = SingleLayer::new(config).experiment("ranker");
    layer.layer(records.layer.layer(failing)).call(()).await.unwrap_err();
    let branch = records.all().await.remove(0);
    let mut value = serde_json::to_value(&branch).unwrap();
    assert_eq!(value["id"], value["request_id"]);
    for replaced in ["id", "request_id", "start_ns", "end_ns", "duration_ns"] {
        assert!(!value[replaced].is_null());
        value[replaced] = json!(format!("<{replaced}>"));
    }
    assert_eq!(
        serde_json::to_string_pretty(&value).unwrap(),
        r#"{
  "bytes_in": null,
  "bytes_out": null,
  "config": {
    "api_key": "[redacted]",
    "config_id": "a",
    "top": 3
  },
  "config_id": "a",
  "duration_ns": "<duration_ns>",
  "end_ns": "<end_ns>",
  "epoch": {
    "fingerprint": "a5eb7d4cc25462bc",
    "number": 1
  },
  "experiment": "ranker",
  "failure": {
    "kind": "error",
    "message": "it fails",
    "trace": "it fails",
    "type": "Error"
  },
  "first_byte_ns": null,
  "id": "<id>",
  "output": null,
  "parent": null,
  "parent_config_id": null,
  "probability": 1.0,
  "reason": "primary",
  "request_id": "<request_id>",
  "retry_count": 0,
  "role": "primary",
  "skip": null,
  "start_ns": "<start_ns>",
  "status": "failed",
  "strategy": "single",
  "trace": null,
  "unit": null
}"#
    );
}
