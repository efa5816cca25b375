//! Bad answers, lost answers, and who we say we are.

use crate::{
    server::ask,
    stub::{Answer, Stub, healthy},
    support::{Fate, read_back, serve, shared},
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tower_spearmint::{
    ConfigPool,
    branch::FailureKind,
    mlflow::MlflowBackend,
    record::{LoggerBackend, MemoryBackend, RecorderStats},
};

fn pool() -> ConfigPool {
    ConfigPool::from_values([json!({ "config_id": "a" })]).unwrap()
}

async fn serve_to(backend: MlflowBackend, fates: &[Fate]) -> RecorderStats {
    serve("faults", pool(), backend, fates).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_says_who_we_are() {
    let stub = Stub::start(|request, _| healthy(request));
    let with_user = stub.uri().replace("http://", "http://ann:p%40ss@");
    for (backend, expected) in [
        (MlflowBackend::new(&stub.uri()).unwrap().basic_auth("ann", "p@ss"), "Basic YW5uOnBAc3M="),
        (MlflowBackend::new(&with_user).unwrap(), "Basic YW5uOnBAc3M="),
        (MlflowBackend::new(&stub.uri()).unwrap().bearer_token("t0ken"), "Bearer t0ken"),
    ] {
        let before = stub.requests().len();
        assert_eq!(serve_to(backend, &[Ok("1")]).await.written, 1);
        let requests = stub.requests().split_off(before);
        assert_eq!(requests.len(), 4, "{requests:#?}");
        for request in requests {
            let line = format!("authorization: {expected}\r\n");
            assert!(request.head.contains(&line), "{request:?}");
        }
    }
    assert!(!stub.requests()[0].head.contains("ann"));
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_answers_are_tried_again_after_the_time_they_ask_for() {
    let stub = Stub::start(|request, earlier| match earlier {
        0 => Answer::Status(429, "retry-after: 1\r\n", String::new()),
        1 => Answer::Status(503, "", r#"{"error_code":"TEMPORARILY_UNAVAILABLE"}"#.into()),
        _ => healthy(request),
    });
    let stats = serve_to(MlflowBackend::new(&stub.uri()).unwrap(), &[Ok("1")]).await;
    assert_eq!((stats.written, stats.lost), (1, 0));
    for path in ["/runs/create", "/runs/log-batch", "/runs/update"] {
        let tries = stub.requests_to(path);
        assert_eq!(tries.len(), 3, "{path}");
        assert!(tries[1].at - tries[0].at >= Duration::from_millis(990), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_loses_the_branch_at_once() {
    let stub = Stub::start(|request, _| match request.path.ends_with("/runs/create") {
        true => Answer::Status(403, "", r#"{"error_code":"PERMISSION_DENIED"}"#.into()),
        false => healthy(request),
    });
    let start = Instant::now();
    let stats = serve_to(MlflowBackend::new(&stub.uri()).unwrap(), &[Ok("1"); 20]).await;
    assert_eq!((stats.written, stats.lost), (0, 20));
    assert_eq!(stub.requests_to("/runs/create").len(), 20);
    assert_eq!(stub.requests_to("/runs/log-batch").len(), 0);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_refused_half_way_is_deleted() {
    let stub = Stub::start(|request, _| {
        if request.path.ends_with("/runs/log-batch") {
            return Answer::Status(400, "", r#"{"error_code":"INVALID_PARAMETER_VALUE"}"#.into());
        }
        if request.path.ends_with("/runs/search") {
            return Answer::Status(200, "", r#"{"runs":[{"info":{"run_id":"r1"}}]}"#.into());
        }
        healthy(request)
    });
    let stats = serve_to(MlflowBackend::new(&stub.uri()).unwrap(), &[Ok("1")]).await;
    assert_eq!((stats.written, stats.lost), (0, 1));
    assert_eq!(stub.requests_to("/runs/delete")[0].body, r#"{"run_id":"r1"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_for_too_long_loses_the_batch_in_bounded_time() {
    let stub = Stub::start(|_, _| Answer::Hangup);
    let backend =
        MlflowBackend::new(&stub.uri()).unwrap().give_up_after(Duration::from_millis(500));
    let start = Instant::now();
    let stats = serve_to(backend, &[Ok("1"); 2_000]).await;
    assert_eq!((stats.written, stats.lost), (0, 2_000));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_artifact_proxy_the_trace_is_a_tag() {
    let stub = Stub::start(|request, _| healthy(request));
    let backend = MlflowBackend::new(&stub.uri()).unwrap();
    serve_to(backend, &[Err(FailureKind::Error)]).await;
    assert!(stub.requests().iter().all(|request| request.method != "PUT"));
    let body = &stub.requests_to("/runs/log-batch")[0].body;
    assert!(
        body.contains(r#""key":"spearmint.failure_trace""#) && body.contains("GPU 3"),
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_a_creation_makes_no_second_run() {
    let real = shared().address();
    let forward = move |request: &crate::stub::Request| {
        let answer = ask(real, &request.method, &request.path, &request.body).unwrap();
        Answer::Whole(answer)
    };
    // The run is made, and the connection breaks before anybody hears of it.
    let stub = Stub::start(move |request, earlier| {
        let answer = forward(request);
        let lost = request.path.ends_with("/runs/create") && earlier < 3;
        if lost { Answer::Hangup } else { answer }
    });
    let backend = MlflowBackend::new(&stub.uri()).unwrap().max_concurrency(3);
    let stats = serve("lost answers", pool(), backend, &[Ok("1"); 5]).await;
    assert_eq!((stats.written, stats.lost), (5, 0));

    let runs = read_back(shared(), "lost answers");
    assert_eq!(runs.len(), 5);
    assert!(runs.iter().all(|run| run["status"] == "FINISHED"));
    assert_eq!(stub.requests_to("/runs/create").len(), 5);
    assert_eq!(stub.requests_to("/runs/delete").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_made_twice_all_the_same_is_deleted() {
    let real = shared().address();
    // The server is so slow that the first creation is taken for lost before it has its effect.
    let stub = Stub::start(move |request, earlier| {
        let send = || ask(real, &request.method, &request.path, &request.body).unwrap();
        if request.path.ends_with("/runs/search") && earlier == 0 {
            return Answer::Status(200, "", "{}".into());
        }
        let answer = send();
        let lost = request.path.ends_with("/runs/create") && earlier == 0;
        if lost { Answer::Hangup } else { Answer::Whole(answer) }
    });
    let backend = MlflowBackend::new(&stub.uri()).unwrap();
    let stats = serve("made twice", pool(), backend, &[Ok("1")]).await;
    assert_eq!((stats.written, stats.lost), (1, 0));
    assert_eq!(stub.requests_to("/runs/create").len(), 2);
    let runs = read_back(shared(), "made twice");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["status"], "FINISHED");
}

#[tokio::test(flavor = "current_thread")]
async fn an_outage_is_one_warning_however_many_branches_it_costs() {
    let stub = Stub::start(|request, earlier| match request.path.ends_with("/runs/create") {
        true if earlier < 30 => Answer::Status(401, "", String::new()),
        _ => healthy(request),
    });
    let warnings = Warnings::default();
    let counted = warnings.0.clone();
    // With one dispatcher alone, whoever meets an event first decides for all who listens to it: here
    // a test on another thread, where nobody does. With two, both are asked.
    let _second = tracing::Dispatch::new(Warnings::default());
    let _guard = tracing::subscriber::set_default(warnings);
    let backend = MlflowBackend::new(&stub.uri()).unwrap();
    let memory = MemoryBackend::new();
    serve("warnings", pool(), memory.clone(), &[Ok("1"); 40]).await;
    let branches = memory.branches();
    // Two batches of refused branches and one that is taken.
    for (batch, lost) in [(&branches[..10], 10), (&branches[10..30], 20), (&branches[30..], 0)] {
        assert_eq!(backend.log_batch(batch).await.map_or_else(|error| error.lost, |()| 0), lost);
    }
    assert_eq!(counted.load(Relaxed), 1);
}

/// Counts the warnings of the backend.
#[derive(Default)]
struct Warnings(Arc<AtomicUsize>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("tower_spearmint::mlflow")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        if *event.metadata().level() == tracing::Level::WARN {
            self.0.fetch_add(1, Relaxed);
        }
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
