//! MLflow goes away in the middle, and comes back.

use crate::{server::Server, support::read_back};
use serde_json::json;
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial, mlflow::MlflowBackend, service_fn,
};

const QUEUE: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_never_notice_an_outage_and_every_branch_is_written_or_counted() {
    let mut server = Server::start();
    let backend = MlflowBackend::new(&server.uri())
        .unwrap()
        .request_timeout(Duration::from_secs(10))
        .give_up_after(Duration::from_secs(2));
    let (recorder, recording) = Recorder::with_capacity(backend, QUEUE);
    tokio::spawn(recording);
    let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })]);
    let echo = service_fn(|trial: Trial<usize>| async move { Ok::<_, String>(*trial.request()) });
    let mut service = RoundRobinLayer::new(pool.unwrap())
        .experiment("outage")
        .layer(LogLayer::new(recorder.clone()).layer(echo));
    let mut send = async |count: usize| {
        let start = Instant::now();
        for n in 0..count {
            assert_eq!(service.call(n).await, Ok(n));
        }
        start.elapsed()
    };

    // Up: all of them arrive.
    send(20).await;
    recorder.drain(Duration::from_secs(60)).await.unwrap();
    assert_eq!(recorder.stats().written, 20);

    // Killed while it is writing a batch; some of it is written, some half, some not at all.
    send(60).await;
    while runs(&server) < 30 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.kill();

    // Down: no request fails or waits, though none of this has a place to go.
    let took = send(2_000).await;
    assert!(took < Duration::from_secs(1), "2,000 requests took {took:?} while MLflow was down");
    recorder.drain(Duration::from_secs(60)).await.unwrap();
    let down = recorder.stats();
    assert_eq!(down.accepted + down.dropped, 2_080);
    assert_eq!(down.written + down.lost, down.accepted);
    assert!(down.dropped > 0 && down.lost > 0, "{down:?}");
    // The queue and the batch in hand: no more was ever held, and so lost late.
    assert!(down.accepted <= 80 + 2 * QUEUE as u64, "{down:?}");
    assert!((20..80).contains(&down.written), "{down:?}");

    // Back: branches arrive again.
    server.resume();
    send(20).await;
    recorder.drain(Duration::from_secs(60)).await.unwrap();
    let back = recorder.stats();
    assert_eq!((back.written, back.lost), (down.written + 20, down.lost));

    // One complete run for each branch that was counted as written, and no other.
    let runs = read_back(&server, "outage");
    assert_eq!(runs.len() as u64, back.written);
    let ids: HashSet<_> = runs.iter().map(|r| r["tags"]["spearmint.branch_id"].as_str()).collect();
    assert_eq!(ids.len(), runs.len());
    for run in &runs {
        assert_eq!(run["status"], "FINISHED");
        assert!(
            run["metrics"]["duration_ms"].is_number() && run["params"]["config_id"].is_string()
        );
    }
}

/// How many runs there are by now, in whatever state.
fn runs(server: &Server) -> usize {
    let body = json!({ "experiment_ids": ["1"], "max_results": 1000 }).to_string();
    let answer = server.ask("POST", "/api/2.0/mlflow/runs/search", &body);
    answer.map_or(0, |text| text.matches("\"run_id\"").count())
}
