//! Two HTTP answers are compared by what they mean.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_layer::Layer;
use tower_service::Service;
use tower_spearmint::{
    compare::{Differences, Tolerance},
    http::{CompareRules, Settled},
};

pub type Answer = Response<Settled>;

pub fn answer(media_type: &str, body: impl Into<Bytes>) -> Answer {
    let response = Response::builder().header("content-type", media_type);
    response.body(Settled::whole(body)).unwrap()
}

pub fn with(mut answer: Answer, headers: &[(&'static str, &'static str)]) -> Answer {
    for (name, value) in headers {
        answer.headers_mut().append(*name, HeaderValue::from_static(value));
    }
    answer
}

pub fn json_answer(body: &Value) -> Answer {
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
pub fn lines(differences: &Differences) -> Vec<String> {
    let sample = |sample: &Option<String>| sample.clone().unwrap_or_else(|| "-".to_owned());
    let differences = differences.list().iter();
    differences
        .map(|it| {
            format!("{} {} {} | {}", it.path, it.kind, sample(&it.primary), sample(&it.shadow))
        })
        .collect()
}

pub fn diff(primary: &Answer, shadow: &Answer) -> Vec<String> {
    lines(&CompareRules::default().compare(primary, shadow))
}

pub fn paths(primary: &Answer, shadow: &Answer) -> Vec<String> {
    let differences = CompareRules::default().compare(primary, shadow);
    differences.list().iter().map(|difference| difference.path.clone()).collect()
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
