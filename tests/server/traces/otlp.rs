//! Spans as OpenTelemetry sends them.

use super::{id, request, send, send_spans, span, whole};
use crate::support::Server;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;
use tempfile::tempdir;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// A field of a message in protocol buffers.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
    bytes.extend_from_slice(content);
    bytes
}

fn fixed(number: u8, value: u64) -> Vec<u8> {
    [&[number << 3 | 1][..], &value.to_le_bytes()].concat()
}

fn pair(key: &str, value: &[u8]) -> Vec<u8> {
    [field(1, key.as_bytes()), field(2, value)].concat()
}

/// A request with one span, which has a value of each type.
fn message() -> Vec<u8> {
    let list = field(5, &[field(1, &[3 << 3, 1]), field(1, &field(1, b"x"))].concat());
    let map = field(6, &field(1, &pair("in", &field(1, b"y"))));
    let span = [
        field(1, &[7; 16]),
        field(2, &[8; 8]),
        field(4, &[9; 8]),
        field(5, "née".as_bytes()),
        fixed(7, 1_000_000_000),
        fixed(8, 1_005_000_000),
        field(9, &pair("text", &field(1, b"t"))),
        field(9, &pair("yes", &[2 << 3, 1])),
        field(
            9,
            &pair("number", &[3 << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ),
        field(9, &pair("half", &fixed(4, 0.5_f64.to_bits()))),
        field(9, &pair("nan", &fixed(4, f64::NAN.to_bits()))),
        field(9, &pair("list", &list)),
        field(9, &pair("map", &map)),
        field(9, &pair("bytes", &field(7, &[0, 255]))),
        field(9, &pair("said", &field(1, br#"{"x": [1]}"#))),
        field(
            11,
            &[fixed(1, 5), field(2, b"noticed"), field(3, &pair("q", &field(1, b"z")))].concat(),
        ),
        field(13, &[field(1, &[1; 16]), field(2, &[2; 8])].concat()),
        // What is not known (here field 16) is passed over.
        vec![0x80, 1, 0],
        field(15, &[field(2, b"bad"), vec![3 << 3, 2]].concat()),
    ]
    .concat();
    // (Longer than a byte can say.)
    let long = |number: u8, content: &[u8]| {
        let length = content.len();
        let mut bytes = vec![number << 3 | 2, (length & 0x7f) as u8 | 0x80, (length >> 7) as u8];
        bytes.extend_from_slice(content);
        bytes
    };
    long(1, &long(2, &long(2, &span)))
}

#[tokio::test]
async fn a_span_is_answered_as_it_was_sent() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let answer = send(&server, "0", PROTOBUF, message().into()).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, PROTOBUF));
    assert!(answer.body.is_empty());
    let trace = whole(&server, &id(7)).await;
    let pair = |key: &str, value: Value| json!({ "key": key, "value": value });
    let text = |text: &str| json!({ "string_value": text });
    assert_eq!(
        trace["spans"],
        json!([{
            "trace_id": "BwcHBwcHBwcHBwcHBwcHBw==", "span_id": "CAgICAgICAg=",
            "parent_span_id": "CQkJCQkJCQk=", "name": "née",
            "start_time_unix_nano": 1_000_000_000, "end_time_unix_nano": 1_005_000_000,
            "attributes": [
                pair("mlflow.traceRequestId", text(&id(7))),
                pair("text", text("t")),
                pair("yes", json!({ "bool_value": true })),
                pair("number", json!({ "int_value": -1 })),
                pair("half", json!({ "double_value": 0.5 })),
                pair("nan", json!({ "double_value": "NaN" })),
                pair("list", json!({ "array_value": { "values": [
                    { "int_value": 1 }, { "string_value": "x" },
                ]}})),
                pair("map", json!({ "kvlist_value": { "values": [pair("in", text("y"))] } })),
                pair("bytes", json!({ "bytes_value": "AP8=" })),
                pair("said", json!({ "kvlist_value": { "values": [
                    pair("x", json!({ "array_value": { "values": [{ "int_value": 1 }] } })),
                ]}})),
            ],
            "events": [{
                "time_unix_nano": 5, "name": "noticed", "attributes": [pair("q", text("z"))],
            }],
            "links": [{
                "trace_id": "AQEBAQEBAQEBAQEBAQEBAQ==", "span_id": "AgICAgICAgI=", "attributes": [],
            }],
            "status": { "code": "STATUS_CODE_ERROR", "message": "bad" },
        }])
    );
    server.stop().await;
}

#[tokio::test]
async fn what_is_packed_is_unpacked_up_to_a_bound() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let packed = |content: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    };
    let sent = |body: Vec<u8>| {
        let headers = [
            ("content-type", PROTOBUF),
            ("content-encoding", "gzip"),
            ("x-mlflow-experiment-id", "0"),
        ];
        let body = http_body_util::Full::new(bytes::Bytes::from(body));
        let server = &server;
        async move { server.try_call_with("POST", "/v1/traces", &headers, body).await.unwrap() }
    };
    assert_eq!(sent(packed(&message())).await.status, 200);
    assert_eq!(whole(&server, &id(7)).await["spans"][0]["name"], "née");
    let bomb = sent(packed(&vec![0; 70 * 1024 * 1024])).await.error();
    assert_eq!((bomb.0, &*bomb.1), (413, "RESOURCE_LIMIT_EXCEEDED"));
    assert_eq!(sent(message()).await.error().0, 400);
    server.stop().await;
}

#[tokio::test]
async fn what_are_no_spans_is_refused_as_a_whole() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    for (content_type, body, message) in [
        ("text/plain", &b"x"[..], "Invalid Content-Type: text/plain"),
        (PROTOBUF, b"", "no spans found"),
        (PROTOBUF, b"\xff\xff", "Invalid OpenTelemetry format"),
        (JSON, b"{}", "no spans found"),
        (JSON, b"{", "Invalid OpenTelemetry format"),
    ] {
        let (status, code, said) =
            send(&server, "0", content_type, body.to_vec().into()).await.error();
        assert_eq!((status, &*code), (400, "BAD_REQUEST"));
        assert!(said.contains(message), "{said}");
    }
    let mut nameless = span(2, "b", 1, 2);
    nameless["traceId"] = "0".repeat(32).into();
    let spans = json!([span(1, "a", 1, 2), nameless]);
    assert_eq!(send(&server, "0", JSON, request(&spans)).await.error().0, 400);
    let spans = json!([span(1, "a", 1, 2)]);
    assert_eq!(send(&server, "77", JSON, request(&spans)).await.error().0, 404);
    assert_eq!(send(&server, "word", JSON, request(&spans)).await.error().0, 400);
    let none = json!({ "locations": [super::location("0")] });
    assert!(super::found(&server, none).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn spans_beyond_the_room_of_a_trace_are_refused_and_counted() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let many: Vec<_> = (0..10_002_u64)
        .map(|n| {
            let mut span = span(1, "b", 1, 2);
            span["spanId"] = format!("{:016x}", n + 1).into();
            span["attributes"] = json!([]);
            span
        })
        .collect();
    let (first, rest) = many.split_at(9_999);
    send_spans(&server, json!(first)).await;
    let answer = send(&server, "0", JSON, request(&json!(rest))).await;
    assert_eq!(
        answer.json(),
        json!({ "partialSuccess": {
            "rejectedSpans": "2", "errorMessage": "a trace has at most 10000 spans",
        }})
    );
    // One that is there is replaced.
    send_spans(&server, json!(first[..1])).await;
    server.stop().await;
}

#[tokio::test]
async fn a_root_says_tags_of_its_trace() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let mut root = span(1, "a", 1, 2);
    root["attributes"] = json!([
        { "key": "mlflow.traceTag.color", "value": { "stringValue": "red" } },
        { "key": "mlflow.traceTag.bad$", "value": { "stringValue": "red" } },
        { "key": "session.id", "value": { "stringValue": "s" } },
        { "key": "user.id", "value": { "intValue": "5" } },
        { "key": "mlflow.spanInputs", "value": { "stringValue": "{\"x\":3}" } },
    ]);
    send_spans(&server, json!([root])).await;
    let info = &whole(&server, &id(1)).await["trace_info"];
    assert_eq!((&info["tags"]["color"], &info["tags"]["bad$"]), (&json!("red"), &Value::Null));
    assert_eq!(
        info["trace_metadata"],
        json!({ "mlflow.trace.session": "s", "mlflow.trace.user": "5" })
    );
    assert_eq!(info["request_preview"], "{\"x\": 3}");
    server.stop().await;
}

#[tokio::test]
async fn spans_that_are_sent_with_a_run_are_found_by_it() {
    let directory = tempdir().unwrap();
    let server = Server::start(&directory).await;
    let run = super::post(&server, "/api/2.0/mlflow/runs/create", json!({})).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap();
    let headers =
        [("content-type", JSON), ("x-mlflow-experiment-id", "0"), ("x-mlflow-run-id", run)];
    let body = http_body_util::Full::new(request(&json!([span(1, "a", 1, 2)])));
    let answer = server.try_call_with("POST", "/v1/traces", &headers, body).await.unwrap();
    assert_eq!(answer.status, 200);
    let search = json!({
        "locations": [super::location("0")], "filter": format!("run_id = '{run}'"),
    });
    assert_eq!(super::found(&server, search).await, [id(1)]);
    server.stop().await;
}
