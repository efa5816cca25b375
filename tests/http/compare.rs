//! Two HTTP answers are compared by what they mean.

use bytes::Bytes;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use http::{HeaderMap, HeaderValue, Response, header};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};
use std::io::Write;
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    compare::{Differences, Tolerance},
    http::{CompareRules, Settled},
};

type Answer = Response<Settled>;

fn answer(media_type: &str, body: impl Into<Bytes>) -> Answer {
    let response = Response::builder().header("content-type", media_type);
    response.body(Settled::whole(body)).unwrap()
}

fn with(mut answer: Answer, headers: &[(&'static str, &'static str)]) -> Answer {
    for (name, value) in headers {
        answer.headers_mut().append(*name, HeaderValue::from_static(value));
    }
    answer
}

fn json_answer(body: &Value) -> Answer {
    answer("application/json", body.to_string())
}

/// A body of which only the beginning is kept.
async fn kept(kept: usize, media_type: &str, body: impl Into<Bytes>) -> Answer {
    use http_body_util::Full;
    use tower_spearmint::{http::ShadowLayer, service_fn};
    let pool = super::support::pool(&["a", "b"]);
    let shadow = ShadowLayer::new(pool.primary("a").unwrap()).capture_bytes(kept);
    let body = body.into();
    let mut service = shadow.layer(service_fn(move |_request: http::Request<_>| {
        let body: Full<Bytes> = Full::new(body.clone());
        async move { Ok::<_, std::convert::Infallible>(Response::new(body)) }
    }));
    service.call(http::Request::new(Full::<Bytes>::default())).await.unwrap();
    shadow.drain(std::time::Duration::from_secs(5)).await;
    let settled = shadow.shadow_results::<Answer>().pop().unwrap().output.unwrap();
    let mut settled = settled;
    settled.headers_mut().insert("content-type", media_type.parse().unwrap());
    settled
}

/// Path, kind and samples, as one line each.
fn lines(differences: &Differences) -> Vec<String> {
    let sample = |sample: &Option<String>| sample.clone().unwrap_or_else(|| "-".to_owned());
    let differences = differences.list().iter();
    differences
        .map(|it| {
            format!("{} {} {} | {}", it.path, it.kind, sample(&it.primary), sample(&it.shadow))
        })
        .collect()
}

fn diff(primary: &Answer, shadow: &Answer) -> Vec<String> {
    lines(&CompareRules::default().compare(primary, shadow))
}

fn paths(primary: &Answer, shadow: &Answer) -> Vec<String> {
    let differences = CompareRules::default().compare(primary, shadow);
    differences.list().iter().map(|difference| difference.path.clone()).collect()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn br(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    brotli::CompressorWriter::new(&mut out, 4096, 5, 22).write_all(body).unwrap();
    out
}

fn zstd(body: &[u8]) -> Vec<u8> {
    compress_to_vec(body, CompressionLevel::Fastest)
}

type Encode = fn(&[u8]) -> Vec<u8>;

const CODECS: [(&str, Encode); 5] =
    [("gzip", gzip), ("deflate", zlib), ("deflate", bare_deflate), ("br", br), ("zstd", zstd)];

fn encoded(coding: &'static str, media_type: &str, body: impl Into<Bytes>) -> Answer {
    with(answer(media_type, body), &[("content-encoding", coding)])
}

#[test]
fn the_status_and_the_chosen_headers_are_compared_and_no_others() {
    let primary = with(answer("text/plain", "x"), &[("date", "now"), ("x-a", "1"), ("x-a", "2")]);
    let mut shadow =
        with(answer("text/plain; charset=utf-8", "x"), &[("date", "then"), ("x-b", "1")]);
    *shadow.status_mut() = http::StatusCode::BAD_GATEWAY;
    assert_eq!(
        diff(&primary, &shadow),
        [
            "status changed 200 | 502",
            "header:content-type changed text/plain | text/plain; charset=utf-8"
        ]
    );
    let rules = CompareRules::default().headers(["x-a", "x-b"].map(|name| name.parse().unwrap()));
    assert_eq!(
        lines(&rules.compare(&primary, &shadow))[1..],
        ["header:x-a missing 1, 2 | -", "header:x-b added - | 1"]
    );
    let swapped = with(answer("text/plain", "x"), &[("x-a", "2"), ("x-a", "1")]);
    assert_eq!(lines(&rules.compare(&primary, &swapped)), ["header:x-a changed 1, 2 | 2, 1"]);
}

#[test]
fn credentials_are_found_but_not_shown() {
    let names = ["set-cookie", "authorization", "x-api-key", "proxy-authorization", "x-user"];
    let rules = CompareRules::default()
        .headers(names.map(|name| name.parse().unwrap()))
        .redact_headers(["x-user".parse().unwrap()]);
    for name in names {
        let primary = with(answer("text/plain", ""), &[(name, "SECRET")]);
        let shadow = with(answer("text/plain", ""), &[(name, "SECRET2")]);
        assert_eq!(
            lines(&rules.compare(&primary, &shadow)),
            [format!("header:{name} changed [redacted] | [redacted]")]
        );
    }
}

#[test]
fn a_grpc_status_is_compared_in_the_trailers_or_in_the_headers() {
    let grpc = |status: &'static str| {
        let mut answer = answer("application/grpc", "");
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static(status));
        answer.body_mut().trailers = Some(trailers);
        answer
    };
    assert!(diff(&grpc("0"), &grpc("0")).is_empty());
    let same = |a: &Answer, b: &Answer| CompareRules::default().is_same(a, b);
    assert!(same(&grpc("0"), &grpc("0")) && !same(&grpc("0"), &grpc("5")));
    assert_eq!(diff(&grpc("0"), &grpc("5")), ["trailer:grpc-status changed 0 | 5"]);
    let only_headers = |status| with(answer("application/grpc", ""), &[("grpc-status", status)]);
    assert!(diff(&grpc("0"), &only_headers("0")).is_empty());
    assert_eq!(diff(&grpc("0"), &only_headers("14")), ["trailer:grpc-status changed 0 | 14"]);
    assert_eq!(
        diff(&grpc("0"), &answer("application/grpc", "")),
        ["trailer:grpc-status missing 0 | -"]
    );
}

#[test]
fn json_is_compared_by_its_structure_whatever_kind_of_json_it_is() {
    for media_type in [
        "application/json",
        "application/problem+json; charset=utf-8",
        "text/json",
        "Application/JSON",
    ] {
        let primary = answer(media_type, r#"{ "a": 1, "b": [1, 2] }"#);
        let same = answer(media_type, "{\"b\":[1.0,2],\n\"a\":1}");
        assert!(diff(&primary, &same).is_empty(), "{media_type}");
        let other = answer(media_type, r#"{"a":1,"b":[1,3]}"#);
        assert_eq!(diff(&primary, &other), ["/b/* changed 2 | 3"]);
    }
    let plain = |body: &'static str| answer("text/plain", body);
    assert_eq!(paths(&plain("{\"a\":1}"), &plain("{ \"a\":1}")), ["body"]);
}

#[test]
fn json_and_what_is_no_json_differ_and_nothing_unparsed_is_shown() {
    let json = answer("application/json", r#"{"token":"SECRET","a":1}"#);
    let cut = answer("application/json", r#"{"token":"SECRET","a""#);
    assert_eq!(
        diff(&json, &cut),
        ["body changed {\"a\":1,\"token\":[redacted]} | 21 bytes that are not JSON: \
             EOF while parsing an object at line 1 column 21"]
    );
    let html = answer("text/html", "<h1>Bad Gateway</h1>");
    assert_eq!(paths(&json, &html), ["header:content-type", "body"]);
    let deep = answer("application/json", "[".repeat(60_000));
    assert_eq!(paths(&json, &deep), ["body"]);
    assert_eq!(paths(&deep, &answer("application/json", "[".repeat(59_999))), ["body"]);
}

#[test]
fn rules_hold_for_json_answers() {
    let rules = CompareRules::default()
        .ignore(["/id"])
        .unwrap()
        .tolerance(Tolerance::absolute(0.1))
        .tolerances([("/exact", Tolerance::EXACT)])
        .unwrap()
        .unordered(["/tags"])
        .unwrap()
        .redact(["/user"])
        .unwrap();
    let primary = json_answer(
        &json!({ "id": 1, "n": 1.0, "exact": 1, "tags": ["a", "b"], "user": "SECRET" }),
    );
    let shadow =
        json_answer(&json!({ "id": 2, "n": 1.05, "exact": 1.05, "tags": ["b", "a"], "user": "S" }));
    assert_eq!(
        lines(&rules.compare(&primary, &shadow)),
        ["/exact changed 1 | 1.05", "/user changed [redacted] | [redacted]"]
    );
}

#[test]
fn ndjson_is_compared_line_by_line() {
    let lines_of = |body: &'static str| answer("application/x-ndjson", body);
    let primary = lines_of("{\"a\":1}\n{\"a\":2}\n");
    assert!(diff(&primary, &lines_of("{ \"a\": 1 }\r\n\r\n{ \"a\": 2.0 }")).is_empty());
    assert_eq!(
        diff(&primary, &lines_of("{\"a\":1}\n{\"a\":3}\n{}\n")),
        ["/*/a changed 2 | 3", "/* added - | {}"]
    );
    assert_eq!(
        diff(&primary, &lines_of("{\"a\":1}\n{\"a\":")),
        [
            "body changed [{\"a\":1},{\"a\":2}] | 13 bytes that are not NDJSON: EOF while parsing a value at \
             line 1 column 5 of line 2"
        ]
    );
}

#[test]
fn other_bodies_are_compared_by_their_bytes_and_show_where_they_part() {
    let text = |body: String| answer("text/plain", body);
    assert_eq!(
        diff(&text(format!("{}tea", "x".repeat(100))), &text(format!("{}coffee", "x".repeat(100)))),
        [format!(
            "body changed 103 bytes, from byte 76: {0}tea | 106 bytes, from byte 76: {0}coffee",
            "x".repeat(24)
        )]
    );
    let binary = |bytes: &'static [u8]| answer("image/png", bytes);
    assert_eq!(
        diff(&binary(b"\xff\x00\xfe"), &binary(b"\xff")),
        ["body changed 3 bytes, from byte 0: \u{fffd}\0\u{fffd} | 1 bytes, from byte 0: \u{fffd}"]
    );
    let hidden = CompareRules::default().redact([""]).unwrap();
    assert_eq!(
        lines(&hidden.compare(&text("a".to_owned()), &text("b".to_owned()))),
        ["body changed [redacted] | [redacted]"]
    );
    let ignored = CompareRules::default().ignore([""]).unwrap();
    assert!(ignored.compare(&text("a".to_owned()), &text("b".to_owned())).is_empty());
}

#[tokio::test]
async fn bodies_beyond_what_was_kept_are_equal_by_their_hash_and_never_without_it() {
    let long = |end: &str| format!("{}{end}", "x".repeat(1000));
    for media_type in ["text/plain", "application/json", "text/event-stream"] {
        let primary = kept(100, media_type, long("a")).await;
        assert!(!primary.body().is_whole());
        assert!(diff(&primary, &kept(100, media_type, long("a")).await).is_empty());
        assert!(diff(&primary, &kept(5000, media_type, long("a")).await).is_empty());
        for (shadow, len) in [
            (kept(100, media_type, long("b")).await, 1001),
            (kept(5000, media_type, long("b")).await, 1001),
            (kept(100, media_type, long("")).await, 1000),
            (kept(100, media_type, "x".repeat(50)).await, 50),
            (kept(100, media_type, "").await, 0),
        ] {
            let [line] = &*diff(&primary, &shadow) else { panic!("{media_type}") };
            assert!(line.starts_with("body changed 1001 bytes"), "{line}");
            assert!(line.contains(&format!(" | {len} bytes")), "{line}");
        }
    }
    // The same bytes, and one of them says that they mean something else.
    let primary = kept(100, "text/plain", long("a")).await;
    let shadow = with(kept(100, "text/plain", long("a")).await, &[("content-encoding", "gzip")]);
    assert_eq!(paths(&primary, &shadow), ["body"]);
}

#[test]
fn how_a_body_is_encoded_does_not_count() {
    let body = format!("{{\"text\":\"{}\"}}", "one two three ".repeat(500));
    let plain = answer("application/json", body.clone());
    let other = answer("application/json", body.replace("two", "tow"));
    for (coding, encode) in CODECS {
        let same = encoded(coding, "application/json", encode(body.as_bytes()));
        assert!(diff(&plain, &same).is_empty(), "{coding}");
        assert!(diff(&same, &plain).is_empty(), "{coding}");
        assert_eq!(paths(&other, &same), ["/text"], "{coding}");
        for (second, encode_again) in CODECS {
            let twice = encoded(coding, "application/json", encode_again(&encode(body.as_bytes())));
            let twice = with(twice, &[("content-encoding", second)]);
            assert!(diff(&plain, &twice).is_empty(), "{coding}, {second}");
        }
    }
    let stacked = encoded("identity,  X-GZIP ,br", "application/json", br(&gzip(body.as_bytes())));
    assert!(diff(&plain, &stacked).is_empty());
    // Several members, several frames.
    let members = |encode: Encode| [encode(b"{\"a\":"), encode(b"1}")].concat();
    let short = answer("application/json", "{\"a\":1}");
    assert!(diff(&short, &encoded("gzip", "application/json", members(gzip))).is_empty());
    assert!(diff(&short, &encoded("zstd", "application/json", members(zstd))).is_empty());
}

#[test]
fn the_same_bytes_said_to_be_encoded_otherwise_differ_unless_there_are_none() {
    let body = gzip(b"hello");
    assert_eq!(
        paths(&encoded("gzip", "text/plain", body.clone()), &answer("text/plain", body)),
        ["body"]
    );
    assert!(diff(&encoded("gzip", "text/plain", ""), &answer("text/plain", "")).is_empty());
    assert!(
        !CompareRules::default()
            .is_same(&encoded("gzip", "text/plain", "x"), &answer("text/plain", "x"))
    );
    assert!(
        CompareRules::default()
            .is_same(&encoded("gzip", "text/plain", ""), &answer("text/plain", ""))
    );
    let unknown = |body: &'static str| encoded("rot13", "text/plain", body);
    assert!(diff(&unknown("a"), &unknown("a")).is_empty());
    assert_eq!(
        diff(&unknown("a"), &unknown("b")),
        ["body changed 1 bytes in an unknown coding | 1 bytes in an unknown coding"]
    );
}

#[test]
fn a_body_that_is_cut_off_damaged_or_followed_by_more_is_not_decoded() {
    let body = b"one two three one two three one two three";
    let plain = answer("text/plain", body.as_slice());
    for (coding, encode) in CODECS {
        let whole = encode(body);
        for len in 0..whole.len() {
            let cut = encoded(coding, "text/plain", whole[..len].to_vec());
            assert_eq!(paths(&plain, &cut), ["body"], "{coding} cut to {len}");
        }
        let longer = encoded(coding, "text/plain", [whole.as_slice(), b"trailing"].concat());
        assert_eq!(paths(&plain, &longer), ["body"], "{coding}");
    }
    // The checksum of a zstd frame, and that of a gzip member.
    for (coding, encode) in [("zstd", zstd as Encode), ("gzip", gzip)] {
        let mut damaged = encode(body);
        let at = damaged.len() - if coding == "gzip" { 6 } else { 1 };
        damaged[at] ^= 1;
        assert_eq!(paths(&plain, &encoded(coding, "text/plain", damaged)), ["body"], "{coding}");
    }
    let often = encoded("gzip, gzip, gzip, gzip, gzip", "text/plain", gzip(body));
    assert_eq!(
        diff(&plain, &often)[0].split(" | ").last().unwrap(),
        format!("{} bytes, encoded too often", gzip(body).len())
    );
}

#[test]
fn a_bomb_is_not_unpacked() {
    let zeros = vec![0; 64 << 20];
    for (coding, encode) in CODECS {
        let bomb = encode(&zeros);
        assert!(bomb.len() < 1 << 20, "{coding}: {}", bomb.len());
        let primary = answer("text/plain", "hello");
        let shadow = encoded(coding, "text/plain", bomb.clone());
        let line = format!("{} bytes of {coding}, too large when decoded", bomb.len());
        assert!(diff(&primary, &shadow)[0].ends_with(&line), "{coding}");

        // In layers, each of which is small.
        let bomb = encode(&bomb);
        let shadow = encoded(coding, "text/plain", bomb);
        let shadow = with(shadow, &[("content-encoding", coding)]);
        assert!(diff(&primary, &shadow)[0].ends_with("too large when decoded"), "{coding}");
    }
}

#[test]
fn the_bound_is_exact() {
    let body = vec![b'x'; 1000];
    let plain = answer("text/plain", body.clone());
    for (coding, encode) in CODECS {
        let same = encoded(coding, "text/plain", encode(&body));
        assert!(
            CompareRules::default().max_decoded(1000).compare(&plain, &same).is_empty(),
            "{coding}"
        );
        assert!(
            !CompareRules::default().max_decoded(999).compare(&plain, &same).is_empty(),
            "{coding}"
        );
    }
}

fn stream(events: &[impl AsRef<str>]) -> Answer {
    let body: String = events.iter().map(|data| format!("data: {}\n\n", data.as_ref())).collect();
    answer("text/event-stream", body)
}

#[test]
fn events_of_text_are_equal_if_their_data_is_however_it_was_cut() {
    let primary = stream(&["Hello", ", ", "world"]);
    assert!(diff(&primary, &stream(&["Hello, wor", "ld"])).is_empty());
    let other = answer(
        "text/event-stream",
        ": hi\r\nid: 7\r\nretry: 5\r\nevent: message\r\ndata: Hello\r\n\r\ndata: , world\r\r",
    );
    assert!(diff(&primary, &other).is_empty());
    assert_eq!(
        diff(&primary, &stream(&["Hello, ", "mars"])),
        ["data changed \"Hello, world\" | \"Hello, mars\""]
    );
    // An event that was never ended is none.
    let cut = answer("text/event-stream", "data: Hello\n\ndata: , world\n");
    assert_eq!(
        diff(&primary, &cut),
        ["data changed \"Hello, world\" | \"Hello\"", "data:unfinished changed - | 7 bytes"]
    );
    let never_ended = |data| answer("text/event-stream", format!("data: {data}"));
    assert_eq!(paths(&never_ended("a"), &never_ended("b")), ["data:unfinished"]);
    assert!(diff(&never_ended("a\n"), &never_ended("a")).is_empty());
    assert_eq!(
        paths(&never_ended("a"), &answer("text/event-stream", "data: b\n\n")),
        ["data", "data:unfinished"]
    );
    let named = |body: &'static str| answer("text/event-stream", body);
    assert_eq!(
        diff(&primary, &named("event: error\ndata: overloaded\n\n")),
        ["data:error added - | \"overloaded\"", "data missing \"Hello, world\" | -"]
    );
    assert_eq!(
        paths(
            &named("event: a\ndata: 1\n\nevent: b\ndata: 2\n\n"),
            &named("event: b\ndata: 2\n\nevent: a\ndata: 1\n\n")
        ),
        ["event"]
    );
    // Anything at all can be read as a stream of no events.
    let page = answer("text/html", "<h1>Sorry</h1>");
    assert_eq!(paths(&named(": nothing yet\n\n"), &page), ["header:content-type", "body"]);
    assert_eq!(paths(&named("<h1>Sorry</h1>"), &named("<h1>Hello</h1>")), ["body"]);
}

#[test]
fn events_of_json_are_compared_one_by_one_under_the_rules() {
    let primary = stream(&[r#"{"at":1,"step":"a"}"#, r#"{"at":2,"step":"b"}"#]);
    let shadow = stream(&[r#"{"at":3,"step":"a"}"#, r#"{"at":4,"step":"c"}"#]);
    assert_eq!(paths(&primary, &shadow), ["/*/at", "/*/step"]);
    let rules = CompareRules::default().ignore(["/*/at"]).unwrap();
    assert_eq!(lines(&rules.compare(&primary, &shadow)), ["/*/step changed \"b\" | \"c\""]);
    let named = |name| answer("text/event-stream", format!("event: {name}\ndata: {{}}\n\n"));
    assert_eq!(diff(&named("done"), &named("error")), ["event changed \"done\" | \"error\""]);
    let mixed = stream(&[r#"{"token":"SECRET"}"#, "oops"]);
    let lines = diff(&stream(&[r#"{"token":"SECRET"}"#]), &mixed);
    assert_eq!(
        lines,
        ["body changed [{\"token\":[redacted]}] | 38 bytes of events that are not all JSON"]
    );
}

/// A completion as OpenAI's API streams it, cut into these pieces.
fn chunks(id: &str, pieces: &[&str], finish_reason: &str) -> Vec<String> {
    let chunk = |delta: Value, finish: Value| {
        json!({
            "id": id, "object": "chat.completion.chunk", "created": id.len(), "model": "m",
            "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }],
        })
        .to_string()
    };
    let mut events = vec![chunk(json!({ "role": "assistant", "content": "" }), Value::Null)];
    events.extend(pieces.iter().map(|piece| chunk(json!({ "content": piece }), Value::Null)));
    events.push(chunk(json!({}), json!(finish_reason)));
    events.push(
        json!({ "id": id, "choices": [], "usage": { "total_tokens": pieces.len() } }).to_string(),
    );
    events.push("[DONE]".to_owned());
    events
}

#[test]
fn a_completion_is_compared_by_what_its_chunks_add_up_to() {
    let primary = stream(&chunks("chatcmpl-1", &["Hel", "lo", ", world"], "stop"));
    let mut other = chunks("chatcmpl-22", &["Hello, ", "world"], "stop");
    assert!(diff(&primary, &stream(&other)).is_empty());
    other.pop();
    assert!(diff(&primary, &stream(&other)).is_empty());
    assert_eq!(
        diff(&primary, &stream(&chunks("2", &["Hello, ", "mars"], "length"))),
        [
            "/choices/*/delta/content changed \"Hello, world\" | \"Hello, mars\"",
            "/choices/*/finish_reason changed \"stop\" | \"length\"",
        ]
    );
    let cut = &chunks("2", &["Hello, world"], "stop")[..2];
    assert_eq!(diff(&primary, &stream(cut)), ["/choices/*/finish_reason missing \"stop\" | -"]);
    let failed = [
        chunks("2", &["Hello, world"], "stop"),
        vec![json!({ "error": { "code": 500 } }).to_string()],
    ];
    assert_eq!(
        diff(&primary, &stream(&failed.concat())),
        ["/* added - | {\"error\":{\"code\":500}}"]
    );
    assert_eq!(paths(&primary, &answer("text/event-stream", "")), ["/choices/*"]);
    let rules = CompareRules::default().redact(["/choices/*/delta"]).unwrap();
    assert_eq!(
        lines(&rules.compare(&primary, &stream(&chunks("2", &["Hi"], "stop")))),
        ["/choices/*/delta/content changed [redacted] | [redacted]"]
    );
}

#[test]
fn several_choices_and_tool_calls_are_told_by_their_index() {
    let text = |index: u64, text: &str| {
        json!({ "choices": [{ "index": index, "text": text }] }).to_string()
    };
    let primary = stream(&[text(0, "a"), text(1, "x"), text(0, "b")]);
    assert!(diff(&primary, &stream(&[text(1, "x"), text(0, "ab")])).is_empty());
    assert_eq!(
        diff(&primary, &stream(&[text(0, "ab"), text(1, "y")])),
        ["/choices/*/text changed \"x\" | \"y\""]
    );

    let call = |calls: Value| {
        json!({ "choices": [{ "index": 0, "delta": { "tool_calls": calls } }] }).to_string()
    };
    let whole = |id: &str, city: &str| {
        call(json!([{ "index": 0, "id": id, "type": "function",
            "function": { "name": "weather", "arguments": format!("{{\"city\":\"{city}\"}}") } }]))
    };
    let pieces = [
        call(
            json!([{ "index": 0, "id": "call_1", "type": "function", "function": { "name": "weather", "arguments": "" } }]),
        ),
        call(json!([{ "index": 0, "function": { "arguments": "{\"city\":" } }])),
        call(json!([{ "index": 0, "function": { "arguments": "\"Rome\"}" } }])),
    ];
    assert!(diff(&stream(&pieces), &stream(&[whole("call_2", "Rome")])).is_empty());
    assert_eq!(
        paths(&stream(&pieces), &stream(&[whole("call_2", "Oslo")])),
        ["/choices/*/delta/tool_calls/*/function/arguments"]
    );
}

#[test]
fn rules_are_read_from_a_file_with_the_names_of_the_methods() {
    let read = |value: Value| serde_json::from_value::<CompareRules>(value);
    let rules = read(json!({
        "headers": ["Content-Type", "x-a"], "trailers": [], "ignore": ["/id", "/items/*/at"],
        "tolerance": 1e-6, "tolerances": { "/score": { "relative": 0.1 } }, "unordered": ["/tags"],
        "redact": ["/user"], "redact_headers": ["x-user"], "max_decoded": "64KiB",
    }));
    let expected = CompareRules::default()
        .headers([header::CONTENT_TYPE, "x-a".parse().unwrap()])
        .trailers([])
        .ignore(["/id", "/items/*/at"])
        .unwrap()
        .tolerance(Tolerance::absolute(1e-6))
        .tolerances([("/score", Tolerance::relative(0.1))])
        .unwrap()
        .unordered(["/tags"])
        .unwrap()
        .redact(["/user"])
        .unwrap()
        .redact_headers(["x-user".parse().unwrap()])
        .max_decoded(65_536);
    assert_eq!(rules.unwrap(), expected);
    assert_eq!(read(json!({})).unwrap(), CompareRules::default());
    assert_eq!(
        read(json!({ "unordered": true })).unwrap(),
        CompareRules::default().unordered_everywhere()
    );
    for (wrong, said) in [
        (
            json!({ "ignore": ["id"] }),
            "`id` is not a path; write a JSON pointer, as in /id or /items/*/id",
        ),
        (json!({ "unordered": ["tags"] }), "`tags` is not a path"),
        (json!({ "unordered": "/tags" }), "is not a list of paths, as in [/tags], nor `true`"),
        (json!({ "tolerance": "much" }), "`\"much\"` is not a tolerance; write a number from 0"),
        (json!({ "headers": ["a b"] }), "`a b` is not the name of a header, as in content-type"),
        (json!({ "max_decoded": "much" }), "`much` is not a size"),
        (json!({ "ignored": [] }), "unknown field `ignored`"),
    ] {
        let error = read(wrong).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_said_to_be_encoded_are_never_more_than_the_bound_and_never_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        headers in proptest::sample::subsequence(vec!["gzip", "deflate", "br", "zstd"], 1..4),
        media_type in prop_oneof![
            Just("application/json"), Just("text/event-stream"), Just("application/x-ndjson"), Just("text/plain"),
        ],
    ) {
        let mut shadow = answer(media_type, bytes.clone());
        for coding in headers {
            shadow.headers_mut().append("content-encoding", HeaderValue::from_static(coding));
        }
        let primary = answer(media_type, "no body above starts like this one");
        prop_assert!(!diff(&primary, &shadow).is_empty());
        prop_assert!(!diff(&answer(media_type, bytes), &primary).is_empty());
        prop_assert!(diff(&shadow, &shadow.clone()).is_empty());
        prop_assert!(CompareRules::default().is_same(&shadow, &shadow.clone()));
        prop_assert!(!CompareRules::default().is_same(&shadow, &primary));
    }

    #[test]
    fn damaged_bodies_are_never_a_panic(
        body in proptest::collection::vec(prop_oneof![Just(b'a'), any::<u8>()], 0..2000),
        codec in 0..CODECS.len(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (coding, encode) = CODECS[codec];
        let mut damaged = encode(&body);
        for (at, byte) in damage {
            let at = at.index(damaged.len());
            damaged[at] ^= byte;
        }
        let shadow = encoded(coding, "text/plain", damaged);
        // What comes out of it is either the same or a difference.
        CompareRules::default().max_decoded(4096).compare(&answer("text/plain", body), &shadow);
    }

    #[test]
    fn however_a_stream_is_cut_it_is_equal_and_its_end_counts(
        text in "[a-zé \\PC]{1,60}",
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        end in prop_oneof![Just("\n"), Just("\r"), Just("\r\n")],
    ) {
        let characters: Vec<char> = text.chars().collect();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(characters.len() + 1)).collect();
        at.extend([0, characters.len()]);
        at.sort_unstable();
        let pieces: Vec<String> = at.windows(2).map(|w| characters[w[0]..w[1]].iter().collect()).collect();

        let plain = |pieces: &[String]| {
            let body: String = pieces.iter().map(|piece| format!("id: {}{end}data: {piece}{end}{end}", piece.len())).collect();
            answer("text/event-stream", body)
        };
        prop_assert!(diff(&stream(&[&text]), &plain(&pieces)).is_empty());
        let longer = format!("{text}!");
        prop_assert!(!diff(&stream(&[&longer]), &plain(&pieces)).is_empty());

        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let whole = stream(&chunks("1", &[&text], "stop"));
        let cut = stream(&chunks("22", &pieces, "stop"));
        prop_assert!(diff(&whole, &cut).is_empty());
        prop_assert_eq!(
            paths(&stream(&chunks("1", &[&text, "!"], "stop")), &cut),
            ["/choices/*/delta/content"]
        );
    }

    #[test]
    fn a_secret_under_a_key_that_says_so_is_in_no_sample(
        key in prop_oneof![Just("token"), Just("apiKey"), Just("db_password"), Just("hidden")],
        media_type in prop_oneof![
            Just("application/json"), Just("text/event-stream"), Just("application/x-ndjson"), Just("text/plain"),
        ],
        shadow in prop_oneof![Just("same"), Just("{"), Just("{}"), Just("[]"), Just("oops"), Just("")],
        cut in 0_usize..80,
    ) {
        const SECRET: &str = "SESAME";
        let rules = CompareRules::default().redact(["/a/hidden", "/*/a/hidden"]).unwrap();
        let wrap = |body: String| match media_type {
            "text/event-stream" => format!("data: {body}\n\ndata: {body}\n\n"),
            _ => body,
        };
        let body = json!({ "a": { key: [SECRET], "open": 1 } }).to_string();
        let primary = answer(media_type, wrap(body.clone()));
        let shadow = match shadow {
            "same" => body.replace("open", "shut"),
            other => format!("{}{other}", &body[..cut.min(body.len())]),
        };
        let shadow = answer(media_type, wrap(shadow));
        for (primary, shadow) in [(&primary, &shadow), (&shadow, &primary)] {
            let text = serde_json::to_string(&rules.compare(primary, shadow)).unwrap();
            prop_assert!(!text.contains(SECRET), "{text}");
        }
    }
}
