//! The same in JSON, where ids are hexadecimal, names are in camel case, and a 64-bit number may be
//! a text (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).

use super::{request::ResourceSpans, value};
use crate::{
    as_trace::Span,
    otlp::{Status, protobuf::Malformed},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// Reads a request.
pub(super) fn read(body: &[u8]) -> Result<Vec<ResourceSpans>, Malformed> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Malformed)?;
    list(&body["resourceSpans"])?.iter().map(resource_spans).collect()
}

fn resource_spans(sent: &Value) -> Result<ResourceSpans, Malformed> {
    let mut found = ResourceSpans {
        resource: attributes(&sent["resource"]["attributes"])?,
        ..ResourceSpans::default()
    };
    for scope in list(&sent["scopeSpans"])? {
        for sent in list(&scope["spans"])? {
            found.spans.push(span(sent)?);
        }
    }
    Ok(found)
}

fn span(sent: &Value) -> Result<Span, Malformed> {
    let event = |sent: &Value| {
        Ok(json!({
            "time_unix_nano": number(&sent["timeUnixNano"])?,
            "name": text(&sent["name"])?,
            "attributes": attributes(&sent["attributes"])?,
        }))
    };
    let link = |sent: &Value| {
        Ok(json!({
            "trace_id": STANDARD.encode(id::<16>(&sent["traceId"])?),
            "span_id": STANDARD.encode(id::<8>(&sent["spanId"])?),
            "attributes": attributes(&sent["attributes"])?,
        }))
    };
    let status = &sent["status"];
    Span {
        trace_id: id(&sent["traceId"])?,
        span_id: id(&sent["spanId"])?,
        parent: match &sent["parentSpanId"] {
            Value::Null => None,
            Value::String(none) if none.is_empty() => None,
            parent => Some(id(parent)?),
        },
        name: text(&sent["name"])?,
        start_ns: number(&sent["startTimeUnixNano"])?,
        end_ns: number(&sent["endTimeUnixNano"])?,
        attributes: attributes(&sent["attributes"])?,
        events: list(&sent["events"])?.iter().map(event).collect::<Result<_, _>>()?,
        links: list(&sent["links"])?.iter().map(link).collect::<Result<_, _>>()?,
        status: match status["code"].as_str() {
            Some("STATUS_CODE_OK") => Status::Ok,
            Some("STATUS_CODE_ERROR") => Status::Error,
            Some(_) => Status::Unset,
            None => Status::of_code(number(&status["code"])?),
        },
        status_message: text(&status["message"])?,
    }
    .named()
}

fn attributes(sent: &Value) -> Result<Vec<Value>, Malformed> {
    let pair = |sent: &Value| {
        let (key, value) = (text(&sent["key"])?, any_value(&sent["value"])?);
        Ok(json!({ "key": key, "value": value }))
    };
    list(sent)?.iter().map(pair).collect()
}

/// (`serde_json` bounds how deep JSON is nested.)
fn any_value(sent: &Value) -> Result<Value, Malformed> {
    let Some((kind, sent)) = sent.as_object().and_then(|map| map.iter().next()) else {
        return Ok(json!({}));
    };
    Ok(match &**kind {
        "stringValue" => value::of_text(text(sent)?),
        "boolValue" => json!({ "bool_value": sent.as_bool().ok_or(Malformed)? }),
        "intValue" => json!({ "int_value": match sent {
            Value::String(text) => text.parse::<i64>().map_err(|_| Malformed)?,
            number => number.as_i64().ok_or(Malformed)?,
        } }),
        "doubleValue" => match sent {
            Value::Number(_) => json!({ "double_value": sent }),
            Value::String(text) if matches!(&**text, "NaN" | "Infinity" | "-Infinity") => {
                json!({ "double_value": text })
            }
            _ => return Err(Malformed),
        },
        "arrayValue" => {
            let values: Vec<_> =
                list(&sent["values"])?.iter().map(any_value).collect::<Result<_, _>>()?;
            json!({ "array_value": { "values": values } })
        }
        "kvlistValue" => json!({ "kvlist_value": { "values": attributes(&sent["values"])? } }),
        "bytesValue" => json!({ "bytes_value": text(sent)? }),
        _ => json!({}),
    })
}

fn list(sent: &Value) -> Result<&[Value], Malformed> {
    match sent {
        Value::Null => Ok(&[]),
        Value::Array(list) => Ok(list),
        _ => Err(Malformed),
    }
}

fn text(sent: &Value) -> Result<String, Malformed> {
    match sent {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        _ => Err(Malformed),
    }
}

fn number(sent: &Value) -> Result<u64, Malformed> {
    match sent {
        Value::Null => Ok(0),
        Value::String(text) => text.parse().map_err(|_| Malformed),
        number => number.as_u64().ok_or(Malformed),
    }
}

fn id<const N: usize>(sent: &Value) -> Result<[u8; N], Malformed> {
    let text = sent.as_str().ok_or(Malformed)?;
    if text.len() != 2 * N {
        return Err(Malformed);
    }
    let mut id = [0; N];
    for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(Malformed);
        *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Ok(id)
}
