//! Answers that are measured, priced and judged on their way.

use crate::support::{Body, PATIENCE, Upstream, ask, full, post, respond, upstream};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tower_spearmint::{
    BoxError, Branch, Recorder,
    branch::Role,
    evaluate::Missed,
    proxy::{ExperimentFile, Proxy, ProxyHandle, ServeReport},
    record::MemoryBackend,
};

/// A proxy in this process that keeps its branches in memory.
struct Served {
    address: SocketAddr,
    handle: ProxyHandle,
    memory: MemoryBackend,
    stop: oneshot::Sender<()>,
    done: JoinHandle<ServeReport>,
}

fn file(yaml: &str, upstreams: &[&Upstream]) -> ExperimentFile {
    let mut text = yaml.to_owned();
    for (letter, upstream) in ('A'..).zip(upstreams) {
        text =
            text.replace(&format!("UPSTREAM_{letter}"), &format!("'http://{}'", upstream.address));
    }
    ExperimentFile::from_yaml_str(&text).unwrap()
}

impl Served {
    async fn start(yaml: &str, upstreams: &[&Upstream]) -> Self {
        let memory = MemoryBackend::new();
        let (recorder, recording) = Recorder::pair(memory.clone());
        tokio::spawn(recording);
        let proxy = Proxy::new(&file(yaml, upstreams), recorder).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let handle = proxy.handle();
        let done = tokio::spawn(proxy.serve(listener, async {
            let _ = stopped.await;
        }));
        Self { address, handle, memory, stop, done }
    }

    /// What became of a metric: how often it was had, and why it was missed.
    fn counted(&self, metric: &str) -> (u64, BTreeMap<Missed, u64>) {
        let stats = self.handle.stats().evaluation.unwrap();
        (stats.metrics[metric].had, stats.metrics[metric].missed.clone())
    }

    /// All branches, in the order of their ids, once all are measured.
    async fn branches(self) -> Vec<Branch> {
        self.stop.send(()).unwrap();
        let report = tokio::time::timeout(PATIENCE, self.done).await.unwrap().unwrap();
        assert_eq!(report.recorder.dropped + report.recorder.lost, 0);
        let mut branches = self.memory.branches();
        branches.sort_by_key(|branch| branch.id);
        branches
    }
}

fn metrics(branch: &Branch) -> Vec<(&str, f64)> {
    branch.metrics.iter().collect()
}

fn json_response(body: &Value) -> Response<Body> {
    let response = Response::builder().header("content-type", "application/json");
    response.body(full(body.to_string())).unwrap()
}

/// Events, each in a frame of its own.
fn events(events: Vec<String>) -> Response<Body> {
    let frames = events.into_iter().map(|data| {
        Ok::<_, BoxError>(hyper::body::Frame::data(Bytes::from(format!("data: {data}\n\n"))))
    });
    let response = Response::builder().header("content-type", "text/event-stream");
    response.body(StreamBody::new(futures_util::stream::iter(frames)).boxed()).unwrap()
}

/// A completion of so many pieces in chunks, with its usage in the last but one.
fn chunks(pieces: usize) -> Vec<String> {
    let chunk = |choices: Value, usage: Value| {
        json!({ "model": "small-2026-01-01", "choices": choices, "usage": usage }).to_string()
    };
    let piece = |n: usize| json!([{ "index": 0, "delta": { "content": format!("piece {n} ") } }]);
    let usage =
        json!({ "prompt_tokens": 10, "completion_tokens": pieces, "total_tokens": pieces + 10 });
    let all = (0..pieces).map(|n| chunk(piece(n), Value::Null));
    all.chain([chunk(json!([]), usage), "[DONE]".to_owned()]).collect()
}

const MEASURED: &str = "
experiment: measured
strategy: single
measure: { tokens: /usage/total_tokens }
prices: { small: { input: 0.5, output: 1.5 } }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
";

#[tokio::test]
async fn numbers_are_read_in_answers_whole_and_streamed_and_what_is_passed_on_is_the_same() {
    let a = upstream(|request: Request<Incoming>| async move {
        let usage = json!({ "prompt_tokens": 600, "completion_tokens": 212, "total_tokens": 812 });
        match request.uri().path() {
            "/whole" => json_response(&json!({ "model": "small", "usage": usage })),
            "/streamed" => events(chunks(3)),
            // Far longer than what is kept.
            "/long" => events(chunks(10_000)),
            "/header" => {
                let mut response = respond(200, "text");
                response.headers_mut().insert("x-spearmint-metric", "score=0.75".parse().unwrap());
                response
            }
            _ => respond(500, "no"),
        }
    })
    .await;
    let served = Served::start(MEASURED, &[&a]).await;
    let direct = |path| ask(a.address, Request::get(path), "");
    for path in ["/whole", "/streamed", "/long", "/header", "/failed"] {
        let answer = ask(served.address, Request::get(path), "").await;
        assert_eq!(answer.body, direct(path).await.body, "{path}");
        assert!(!answer.headers.contains_key("x-spearmint-metric"));
    }
    let branches = served.branches().await;
    let cost = |read: f64, written: f64| ("cost", (read * 0.5 + written * 1.5) / 1e6);
    assert_eq!(metrics(&branches[0]), [cost(600.0, 212.0), ("tokens", 812.0)]);
    assert_eq!(metrics(&branches[1]), [cost(10.0, 3.0), ("tokens", 13.0)]);
    assert_eq!(metrics(&branches[2]), [cost(10.0, 10_000.0), ("tokens", 10_010.0)]);
    assert_eq!(metrics(&branches[3]), [("score", 0.75)]);
    assert_eq!(metrics(&branches[4]), []);
}

#[tokio::test]
async fn an_answer_that_is_packed_is_unpacked_to_be_measured() {
    use std::io::Write;
    let a = upstream(|_| async {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(br#"{"usage":{"total_tokens":7}}"#).unwrap();
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("content-encoding", "gzip");
        response.body(full(packed.finish().unwrap())).unwrap()
    })
    .await;
    let served = Served::start(MEASURED, &[&a]).await;
    ask(served.address, Request::get("/"), "").await;
    assert_eq!(metrics(&served.branches().await[0]), [("tokens", 7.0)]);
}

#[tokio::test]
async fn an_answer_that_is_too_large_to_be_kept_is_passed_on_and_counted() {
    let text = format!(r#"{{"usage":{{"total_tokens":7}},"text":"{}"}}"#, "x".repeat(400_000));
    let body = text.clone();
    let a = upstream(move |_| {
        let body = serde_json::from_str(&body).unwrap();
        async move { json_response(&body) }
    })
    .await;
    let served = Served::start(MEASURED, &[&a]).await;
    let answer = ask(served.address, Request::get("/"), "").await;
    assert_eq!(answer.json(), serde_json::from_str::<Value>(&text).unwrap());
    let handle = served.handle.clone();
    assert_eq!(metrics(&served.branches().await[0]), []);
    let stats = handle.stats().evaluation.unwrap();
    assert_eq!(stats.metrics["tokens"].missed, [(Missed::TooLarge, 1)].into());
    let page = handle.metrics().to_string();
    let line = r#"spearmint_evaluations_total{experiment="measured",metric="tokens",outcome="too_large"} 1"#;
    assert!(page.lines().any(|found| found == line), "{page}");
}

const JUDGED: &str = "
experiment: judged
strategy: shadow
primary: a
shadow: { methods: [POST] }
evaluate:
  same: { kind: exact_match, at: /choices/0/message/content }
  words: { kind: length, unit: words, at: /choices/0/message/content }
  apologises: { kind: regex, pattern: '(?i)sorry', at: /choices/0/message/content }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";

#[tokio::test]
async fn a_shadow_is_judged_by_what_its_primary_answered_streamed_or_not() {
    let a = upstream(|request: Request<Incoming>| async move {
        // A shadow that was faster waits.
        tokio::time::sleep(Duration::from_millis(30)).await;
        drop(request.into_body().collect().await);
        events(chunks(3))
    })
    .await;
    let b = upstream(|request: Request<Incoming>| async move {
        let asked = request.into_body().collect().await.unwrap().to_bytes();
        let content = if asked == "same" { "piece 0 piece 1 piece 2" } else { "Sorry, no." };
        json_response(&json!({ "choices": [{ "message": { "content": content } }] }))
    })
    .await;
    let served = Served::start(JUDGED, &[&a, &b]).await;
    for asked in ["same", "other"] {
        assert_eq!(ask(served.address, post("/"), asked).await.status, 200);
    }
    // It ends by itself, not because the process is stopped.
    let handle = served.handle.clone();
    let counted = || handle.stats().evaluation.unwrap().metrics["same"].had == 2;
    crate::support::eventually("both shadows are judged", counted).await;
    let branches = served.branches().await;
    let of = |role| branches.iter().filter(move |branch| branch.role == role).map(metrics);
    let primaries: Vec<_> = of(Role::Primary).collect();
    assert_eq!(
        primaries,
        [[("apologises", 0.0), ("words", 6.0)], [("apologises", 0.0), ("words", 6.0)]]
    );
    let shadows: Vec<_> = of(Role::Shadow).collect();
    assert_eq!(
        shadows,
        [
            [("apologises", 0.0), ("same", 1.0), ("words", 6.0)],
            [("apologises", 1.0), ("same", 0.0), ("words", 2.0)],
        ]
    );
}

#[tokio::test]
async fn a_request_says_what_should_be_answered_in_a_header_or_in_its_body() {
    let a = crate::support::saying("Paris").await;
    let yaml = |expected| {
        format!(
            "
experiment: labelled
strategy: single
evaluate: {{ correct: {{ kind: exact_match }} }}
evaluation: {{ expected: {expected} }}
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
"
        )
    };
    let served = Served::start(&yaml("header"), &[&a]).await;
    for label in ["Paris", "\"Paris\"", "Rome"] {
        let request = post("/").header("x-spearmint-expected", label);
        ask(served.address, request, "capital of France?").await;
    }
    ask(served.address, post("/"), "capital of France?").await;
    let said: Vec<_> = served.branches().await.iter().map(|b| b.metrics.get("correct")).collect();
    assert_eq!(said, [Some(1.0), Some(1.0), Some(0.0), None]);
    // The upstream cannot copy it.
    let seen = std::mem::take(&mut *a.seen.lock().unwrap());
    assert!(seen.iter().all(|head| !head.headers.contains_key("x-spearmint-expected")));

    let served = Served::start(&yaml("/label"), &[&a]).await;
    for label in ["Paris", "Rome"] {
        let request = post("/").header("content-type", "application/json");
        ask(served.address, request, json!({ "label": label }).to_string()).await;
    }
    ask(served.address, post("/"), "no label").await;
    assert_eq!(served.counted("correct").1.get(&Missed::TooLarge), None);
    let said: Vec<_> = served.branches().await.iter().map(|b| b.metrics.get("correct")).collect();
    assert_eq!(said, [Some(1.0), Some(0.0), None]);
}

#[tokio::test]
async fn another_file_measures_other_things_from_the_next_request_on() {
    let a = upstream(|_| async { json_response(&json!({ "a": 1, "b": 2 })) }).await;
    let yaml = |measure| {
        format!(
            "
experiment: changing
strategy: single
measure: {{ {measure} }}
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
"
        )
    };
    let served = Served::start(&yaml("x: /a"), &[&a]).await;
    ask(served.address, Request::get("/"), "").await;
    let reloaded = served.handle.reload(&file(&yaml("y: /b"), &[&a])).unwrap();
    assert!(reloaded.needs_restart.is_empty());
    ask(served.address, Request::get("/"), "").await;
    let branches = served.branches().await;
    assert_eq!(metrics(&branches[0]), [("x", 1.0)]);
    assert_eq!(metrics(&branches[1]), [("y", 2.0)]);
}

#[test]
fn what_is_wrong_with_it_is_said_with_its_place() {
    let said = |settings: &str| {
        let text = format!(
            "experiment: x\nstrategy: single\n{settings}\nconfigs:\n  - {{ config_id: a, upstream: 'http://127.0.0.1:1' }}\n"
        );
        ExperimentFile::from_yaml_str(&text).unwrap_err().to_string()
    };
    for (settings, expected) in [
        (
            "measure: { tokens: usage/total }",
            "<text>:3:20: `measure.tokens`: `usage/total` is not a JSON pointer; write a path that begins with a slash, as in /usage/total_tokens",
        ),
        (
            "measure: { 'my tokens': /usage/total }",
            "<text>:3:25: `measure.my tokens`: `my tokens` is not the name of a metric; write 1 to 64 letters, digits, `_`, `.`, `/` or `-`",
        ),
        (
            "prices: { small: { input: -1, output: 2 } }",
            "<text>:3:11: `prices.small`: -1 is not a price; write what a million tokens cost, as in 0.15",
        ),
        (
            "evaluate: { polite: { kind: regex } }",
            "<text>:3:13: `evaluate.polite.pattern`: not set; write the regular expression",
        ),
        (
            "evaluate: { polite: { kind: length, pattern: x } }",
            "<text>:3:46: `evaluate.polite.pattern`: means nothing to this kind of evaluator: leave it out",
        ),
        (
            "measure: { n: /n }\nevaluate: { n: { kind: length } }",
            "<text>:4:13: `evaluate.n`: `n` is measured twice; give each metric a name of its own",
        ),
        (
            "evaluation: { expected: primary }",
            "<text>:3:25: `evaluation.expected`: `primary` is for shadows: only they have one to be held against",
        ),
        (
            "evaluation: { expected: label }",
            "<text>:3:25: `evaluation.expected`: `label` is none of `primary`, `header`, and a JSON pointer into the request, as in /expected",
        ),
        (
            "evaluation: { waiting: 0 }",
            "<text>:3:24: `evaluation.waiting`: 0; nothing could be judged",
        ),
    ] {
        assert_eq!(said(settings), expected, "{settings}");
    }
}

/// The real binary, down to what its store holds.
#[tokio::test]
async fn what_is_measured_of_answers_is_in_the_store_of_the_proxy() {
    let a = upstream(|_| async {
        let mut response = events(chunks(3));
        response.headers_mut().insert("x-spearmint-metric", "score=0.75".parse().unwrap());
        response
    })
    .await;
    let directory = tempfile::TempDir::new().unwrap();
    let schema = json!({ "type": "object", "required": ["choices"] }).to_string();
    std::fs::write(directory.path().join("answer.json"), schema).unwrap();
    let yaml =
        format!("{MEASURED}evaluate: {{ valid: {{ kind: json_schema, schema: answer.json }} }}\n");
    let mut proxy = crate::support::Proxy::start_in(directory, &yaml, &[a.address]).await;
    let answer = proxy.get("/").await;
    assert!(answer.text().ends_with("data: [DONE]\n\n"));
    let row = proxy.rows().await.remove(0);
    let said: Vec<_> = row.metrics.iter().collect();
    let cost = (10.0 * 0.5 + 3.0 * 1.5) / 1e6;
    assert_eq!(said, [("cost", cost), ("score", 0.75), ("tokens", 13.0), ("valid", 1.0)]);
}
