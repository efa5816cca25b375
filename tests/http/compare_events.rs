//! Event streams are compared by their data, however it was cut.

use crate::compare::{Answer, answer, diff, lines, paths};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_spearmint::http::CompareRules;

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

proptest! {
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
}
