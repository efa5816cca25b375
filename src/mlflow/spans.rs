//! Spans in OpenTelemetry's protocol, as JSON
//! (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>): ids are hexadecimal, names
//! in camel case, and 64-bit numbers texts.

use crate::as_trace::{Attributes, Span, plain};
use serde_json::{Value, json};

/// A body is ended when it has so many bytes; spans beyond go into the next one. (Proxies in front
/// of MLflow often take a megabyte.)
const ENOUGH: usize = 750_000;
/// How deep values may be nested: MLflow reads messages up to 100 levels, of which each level of a
/// value takes three. What is deeper goes as the text of its JSON.
const MAX_DEPTH: usize = 24;

/// The bodies in which these spans are sent.
pub(super) fn bodies(spans: impl Iterator<Item = Span>) -> Vec<Vec<u8>> {
    const BEGIN: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":["#;
    const END: &str = "]}]}]}";
    let mut bodies = Vec::new();
    let mut body = String::new();
    for span in spans {
        body += if body.is_empty() { BEGIN } else { "," };
        body += &written(&span).to_string();
        if body.len() >= ENOUGH {
            bodies.push((std::mem::take(&mut body) + END).into_bytes());
        }
    }
    if !body.is_empty() {
        bodies.push((body + END).into_bytes());
    }
    bodies
}

fn written(span: &Span) -> Value {
    let mut json = json!({
        "traceId": format!("{:032x}", u128::from_be_bytes(span.trace_id)),
        "spanId": hex(span.span_id),
        "name": span.name,
        "startTimeUnixNano": span.start_ns.to_string(),
        "endTimeUnixNano": span.end_ns.to_string(),
        "attributes": attributes(&span.attributes),
        "events": span.events.iter().map(event).collect::<Vec<_>>(),
        "status": {
            "code": span.status.code(),
            "message": span.status_message,
        },
    });
    if let Some(parent) = span.parent {
        json["parentSpanId"] = hex(parent).into();
    }
    json
}

fn event(event: &Value) -> Value {
    let attributes = event["attributes"].as_array().map(attributes);
    json!({
        "timeUnixNano": event["time_unix_nano"].to_string(),
        "name": event["name"],
        "attributes": attributes,
    })
}

fn attributes(list: &Attributes) -> Vec<Value> {
    list.iter().map(|pair| key_value(pair, MAX_DEPTH)).collect()
}

fn key_value(pair: &Value, depth: usize) -> Value {
    json!({ "key": pair["key"], "value": any_value(&pair["value"], depth) })
}

fn any_value(value: &Value, depth: usize) -> Value {
    let Some((kind, held)) = value.as_object().and_then(|map| map.iter().next()) else {
        return json!({});
    };
    let values = || held["values"].as_array().into_iter().flatten();
    match &**kind {
        "string_value" => json!({ "stringValue": held }),
        "bool_value" => json!({ "boolValue": held }),
        "int_value" => json!({ "intValue": held.to_string() }),
        "double_value" => json!({ "doubleValue": held }),
        "array_value" | "kvlist_value" if depth == 0 => {
            json!({ "stringValue": plain(value).to_string() })
        }
        "array_value" => {
            let values: Vec<_> = values().map(|value| any_value(value, depth - 1)).collect();
            json!({ "arrayValue": { "values": values } })
        }
        "kvlist_value" => {
            let values: Vec<_> = values().map(|pair| key_value(pair, depth - 1)).collect();
            json!({ "kvlistValue": { "values": values } })
        }
        _ => json!({}),
    }
}

fn hex(id: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::Status;

    fn body(span: Span) -> Value {
        let [body] = &bodies([span].into_iter())[..] else { panic!("one body") };
        serde_json::from_slice::<Value>(body).unwrap()["resourceSpans"][0]["scopeSpans"][0]["spans"]
            [0]
        .take()
    }

    #[test]
    fn a_span_is_written_as_the_protocol_has_it() {
        let mut span = Span {
            trace_id: [1; 16],
            span_id: [2; 8],
            parent: Some([3; 8]),
            name: "candidate".to_owned(),
            start_ns: 1_700_000_000_000_000_001,
            end_ns: u64::MAX,
            status: Status::Error,
            status_message: "gone".to_owned(),
            ..Span::default()
        };
        span.set("a", &json!({ "n": -1, "f": 0.5, "t": [true, null, "x"] }));
        span.event("exception", 7, &[("exception.type", "E")]);
        let list = json!({ "arrayValue": { "values": [
            { "boolValue": true }, {}, { "stringValue": "x" },
        ] } });
        let expected = json!({
            "traceId": "01".repeat(16),
            "spanId": "02".repeat(8),
            "parentSpanId": "03".repeat(8),
            "name": "candidate",
            "startTimeUnixNano": "1700000000000000001",
            "endTimeUnixNano": "18446744073709551615",
            "attributes": [{ "key": "a", "value": { "kvlistValue": { "values": [
                { "key": "f", "value": { "doubleValue": 0.5 } },
                { "key": "n", "value": { "intValue": "-1" } },
                { "key": "t", "value": list },
            ] } } }],
            "events": [{
                "timeUnixNano": "7",
                "name": "exception",
                "attributes": [{ "key": "exception.type", "value": { "stringValue": "E" } }],
            }],
            "status": { "code": 2, "message": "gone" },
        });
        assert_eq!(body(span), expected);
    }

    #[test]
    fn what_is_nested_too_deep_goes_as_text() {
        let deep = (0..MAX_DEPTH + 2).fold(json!(1), |inner, _| json!([inner]));
        let mut span = Span::default();
        span.set("deep", &deep);
        let mut value = &body(span)["attributes"][0]["value"];
        for _ in 0..MAX_DEPTH {
            value = &value["arrayValue"]["values"][0];
        }
        assert_eq!(value, &json!({ "stringValue": "[[1]]" }));
    }

    #[test]
    fn many_spans_go_in_several_bodies_and_each_in_one() {
        let spans = (0..40_u8).map(|n| {
            let mut span = Span { span_id: [n; 8], ..Span::default() };
            span.set("text", &json!("x".repeat(100_000)));
            span
        });
        let bodies = bodies(spans);
        assert_eq!(bodies.len(), 5);
        let count = |body: &Vec<u8>| {
            let body: Value = serde_json::from_slice(body).unwrap();
            body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().len()
        };
        assert_eq!(bodies.iter().map(count).sum::<usize>(), 40);
        assert!(bodies.iter().all(|body| body.len() < 1_000_000));
        assert!(super::bodies(std::iter::empty()).is_empty());
    }
}
