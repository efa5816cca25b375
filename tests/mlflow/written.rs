//! What a run holds.

use crate::support::{read_back, serve, shared};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    Config, ConfigPool, LogLayer, Recorder, ShadowLayer, SingleLayer, Trial,
    branch::FailureKind,
    mlflow::MlflowBackend,
    record::{LoggerBackend, MemoryBackend},
    service_fn,
};

fn pool() -> ConfigPool {
    ConfigPool::from_values([
        json!({
            "config_id": "stable",
            "llm": { "model": "small", "temperature": 0.5, "stop": ["a", "b"], "api_key": "sk-hidden" },
            "database": "postgres://ann:sk-hidden@db/x",
        }),
        json!({ "config_id": "candidate", "llm": { "model": "gro\u{df}", "password": "sk-hidden" } }),
    ])
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_has_the_params_tags_metrics_and_status_of_its_branch() {
    let server = shared();
    let backend = MlflowBackend::new(&server.uri()).unwrap();
    let before = now_ms();
    let fates =
        [Ok(r#"{"score":0.75,"text":"hi","token":"sk-hidden"}"#), Err(FailureKind::Timeout)];
    let stats = serve("written", pool(), backend, &fates).await;
    assert_eq!((stats.written, stats.lost, stats.dropped), (2, 0, 0));

    let runs = read_back(server, "written");
    assert_eq!(runs.len(), 2);
    let (stable, candidate) = (&runs[0], &runs[1]);

    assert_eq!(
        stable["params"],
        json!({
            "config_id": "stable", "llm.model": "small", "llm.temperature": "0.5",
            "llm.stop.0": "a", "llm.stop.1": "b", "llm.api_key": "[redacted]",
            "database": "postgres://[redacted]@db/x",
        })
    );
    assert_eq!(candidate["params"]["llm.model"], "groß");
    for (run, config, status) in [(stable, "stable", "success"), (candidate, "candidate", "failed")]
    {
        let tags = &run["tags"];
        assert_eq!(tags["spearmint.experiment"], "written");
        assert_eq!(tags["spearmint.strategy"], "round_robin");
        assert_eq!(tags["spearmint.role"], "primary");
        assert_eq!(tags["spearmint.config_id"], config);
        assert_eq!(tags["spearmint.status"], status);
        assert_eq!(tags["spearmint.request_id"], tags["spearmint.branch_id"]);
        let request = tags["spearmint.request_id"].as_str().unwrap();
        assert_eq!(tags["spearmint.trace_id"], request.replace('-', ""));
        assert_eq!(tags["mlflow.source.name"], "tower-spearmint");
        let branch = tags["spearmint.branch_id"].as_str().unwrap();
        assert_eq!(run["name"], format!("{config} primary {}", &branch[..18]));

        let metrics = run["metrics"].as_object().unwrap();
        assert!(metrics["duration_ms"].as_f64().unwrap() > 0.0);
        assert_eq!((&metrics["retry_count"], &metrics["probability"]), (&json!(0.0), &json!(0.5)));
        let (start, end) = (run["start_ms"].as_u64().unwrap(), run["end_ms"].as_u64().unwrap());
        assert!(before <= start && start <= end && end <= now_ms(), "{start} {end}");
    }
    assert_eq!(stable["status"], "FINISHED");
    assert_eq!(stable["metrics"]["output.score"], 0.75);
    assert_eq!(stable["artifacts"], json!({}));

    assert_eq!(candidate["status"], "FAILED");
    assert_eq!(candidate["tags"]["spearmint.failure_kind"], "timeout");
    assert_eq!(candidate["tags"]["spearmint.failure_type"], "ModelError");
    assert_eq!(candidate["tags"]["spearmint.failure_message"], "the model is gone");
    let text = "kind: timeout\ntype: ModelError\nmessage: the model is gone\n\n\
                the model is gone\ncaused by: GPU 3 fell out\n";
    assert_eq!(candidate["artifacts"], json!({ "failure.txt": text }));

    let everything = json!(runs).to_string();
    assert!(!everything.contains("sk-hidden"), "{everything}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_branch_is_a_killed_run() {
    let server = shared();
    let (recorder, recording) = Recorder::pair(MlflowBackend::new(&server.uri()).unwrap());
    tokio::spawn(recording);
    let hangs = service_fn(|_: Trial<()>| std::future::pending::<Result<(), String>>());
    let logged = LogLayer::new(recorder.clone()).layer(hangs);
    let stable = pool().get("stable").unwrap().clone();
    let mut service = SingleLayer::new(stable).experiment("cancelled").layer(logged);
    drop(service.call(()));
    recorder.drain(Duration::from_secs(60)).await.unwrap();

    let runs = read_back(server, "cancelled");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["status"], "KILLED");
    assert_eq!(runs[0]["tags"]["spearmint.status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn shadows_skips_and_nested_branches_are_runs_of_their_own() {
    let server = shared();
    let backend = MlflowBackend::new(&server.uri()).unwrap().experiment("nested");
    let (recorder, recording) = Recorder::pair(backend);
    tokio::spawn(recording);
    // Of the inner experiment, `candidate` hangs: the first shadow times out, and while it is in
    // flight the second is refused.
    let inner = service_fn(|trial: Trial<()>| async move {
        if trial.config().id().as_str() == "candidate" {
            std::future::pending::<()>().await;
        }
        Ok::<_, String>(())
    });
    let shadow = ShadowLayer::new(pool().primary("stable").unwrap())
        .experiment("inner")
        .max_in_flight(1)
        .timeout(Duration::from_millis(100))
        .nested();
    let inner = shadow.layer(LogLayer::new(recorder.clone()).layer(inner));
    let outer = Config::new(json!({ "config_id": "outer" })).unwrap();
    let mut service = SingleLayer::new(outer)
        .experiment("outer")
        .layer(LogLayer::new(recorder.clone()).layer(inner));
    service.call(()).await.unwrap();
    service.call(()).await.unwrap();
    shadow.drain(Duration::from_secs(5)).await;
    recorder.drain(Duration::from_secs(60)).await.unwrap();

    let runs = read_back(server, "nested");
    let of = |config: &str, experiment: &str| {
        let mut found = runs.clone();
        found.retain(|run| {
            run["tags"]["spearmint.config_id"] == config
                && run["tags"]["spearmint.experiment"] == experiment
        });
        found
    };
    let (outer, stable, shadows) =
        (of("outer", "outer"), of("stable", "inner"), of("candidate", "inner"));
    assert_eq!((runs.len(), outer.len(), stable.len(), shadows.len()), (6, 2, 2, 2));
    for inner in [&stable, &shadows] {
        for at in 0..2 {
            let (tags, parent) = (&inner[at]["tags"], &outer[at]["tags"]);
            assert_eq!(tags["spearmint.parent"], parent["spearmint.branch_id"]);
            assert_eq!(tags["spearmint.parent_config_id"], "outer");
            assert_eq!(tags["spearmint.request_id"], parent["spearmint.request_id"]);
        }
    }
    let end = |run: &serde_json::Value| {
        let tags = &run["tags"];
        let of = |name: &str| tags[name].as_str().unwrap_or("-").to_owned();
        let why = [of("spearmint.failure_kind"), of("spearmint.skip")];
        (run["status"].as_str().unwrap().to_owned(), of("spearmint.role"), why)
    };
    let text = |a: &str, b: &str, c: [&str; 2]| (a.to_owned(), b.to_owned(), c.map(str::to_owned));
    assert_eq!(end(&shadows[0]), text("FAILED", "shadow", ["timeout", "-"]));
    assert_eq!(end(&shadows[1]), text("KILLED", "shadow", ["-", "max_in_flight"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_four_calls_write_what_a_batch_writes() {
    let server = shared();
    // A failed branch, as a recorder would hand it on.
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let fails = service_fn(|_: Trial<()>| async { Err::<(), _>("no such model".to_owned()) });
    let logged = LogLayer::new(recorder.clone()).layer(fails);
    let stable = pool().get("stable").unwrap().clone();
    let mut service = SingleLayer::new(stable).layer(logged);
    service.call(()).await.unwrap_err();
    recorder.drain(Duration::from_secs(5)).await.unwrap();
    let branch = &memory.branches()[0];

    let one = |name| MlflowBackend::new(&server.uri()).unwrap().experiment(name);
    one("batch").log_batch(std::slice::from_ref(branch)).await.unwrap();
    let backend = one("calls");
    let run = backend.start_run(branch).await.unwrap();
    backend.log_params(&run, branch.config.redacted()).await.unwrap();
    backend.log_exception(&run, branch.failure.as_ref().unwrap()).await.unwrap();
    backend.log_status(&run, branch).await.unwrap();

    let (batch, calls) = (read_back(server, "batch"), read_back(server, "calls"));
    assert_eq!(batch.len(), 1);
    assert!(batch[0]["artifacts"]["failure.txt"].as_str().unwrap().contains("no such model"));
    assert_eq!(batch, calls);
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}
