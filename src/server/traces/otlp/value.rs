//! The values of attributes.

use crate::{
    as_trace::{Attributes, double, of_json, plain},
    otlp::{
        number::{any_value as of_value, key_value as of_pair, list as of_list},
        protobuf::{Field, Malformed, Reader, text},
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// How deep values may be nested. (Each is three levels of the JSON that is kept, which is read
/// back up to 128 levels.)
const MAX_DEPTH: usize = 32;

/// Reads a `KeyValue`.
pub(super) fn attribute(message: &[u8]) -> Result<Value, Malformed> {
    key_value(message, MAX_DEPTH)
}

fn key_value(message: &[u8], depth: usize) -> Result<Value, Malformed> {
    let (mut key, mut value) = (String::new(), json!({}));
    let mut reader = Reader::new(message);
    while let Some(field) = reader.next()? {
        match field {
            (of_pair::KEY, Field::Bytes(bytes)) => key = text(bytes),
            (of_pair::VALUE, Field::Bytes(message)) => value = any_value(message, depth)?,
            _ => {}
        }
    }
    Ok(json!({ "key": key, "value": value }))
}

fn any_value(message: &[u8], depth: usize) -> Result<Value, Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed)?;
    let mut found = json!({});
    let mut reader = Reader::new(message);
    while let Some(field) = reader.next()? {
        found = match field {
            (of_value::TEXT, Field::Bytes(bytes)) => of_text(text(bytes)),
            (of_value::BOOL, Field::Varint(number)) => json!({ "bool_value": number != 0 }),
            (of_value::INT, Field::Varint(number)) => json!({ "int_value": number.cast_signed() }),
            (of_value::DOUBLE, Field::Fixed64(bits)) => double(f64::from_bits(bits)),
            (of_value::ARRAY, Field::Bytes(message)) => {
                let values = list(message, |message| any_value(message, depth))?;
                json!({ "array_value": { "values": values } })
            }
            (of_value::KEY_VALUES, Field::Bytes(message)) => {
                let values = list(message, |message| key_value(message, depth))?;
                json!({ "kvlist_value": { "values": values } })
            }
            (of_value::BYTES, Field::Bytes(bytes)) => {
                json!({ "bytes_value": STANDARD.encode(bytes) })
            }
            _ => continue,
        };
    }
    Ok(found)
}

/// The repeated first field of a message.
fn list(
    message: &[u8],
    read: impl Fn(&[u8]) -> Result<Value, Malformed>,
) -> Result<Vec<Value>, Malformed> {
    let (mut values, mut reader) = (Vec::new(), Reader::new(message));
    while let Some(field) = reader.next()? {
        if let (of_list::VALUES, Field::Bytes(message)) = field {
            values.push(read(message)?);
        }
    }
    Ok(values)
}

/// A text that is itself the JSON of a text, a list or an object is what it says, as for MLflow:
/// OpenTelemetry's own exporters cannot send such values otherwise.
pub(super) fn of_text(text: String) -> Value {
    let begins = text.trim_start().starts_with(['{', '[', '"']);
    match serde_json::from_str(&text) {
        Ok(value) if begins && is_within(&value, MAX_DEPTH) => of_json(&value),
        _ => json!({ "string_value": text }),
    }
}

fn is_within(value: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match value {
        Value::Array(values) => values.iter().all(|value| is_within(value, depth)),
        Value::Object(map) => map.values().all(|value| is_within(value, depth)),
        _ => true,
    }
}

/// The plain value of an attribute.
pub(super) fn get(attributes: &Attributes, key: &str) -> Option<Value> {
    attributes.iter().rev().find(|pair| pair["key"] == key).map(|pair| plain(&pair["value"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::protobuf::Message;

    #[test]
    fn a_text_of_json_is_what_it_says() {
        assert_eq!(of_text("{\"x\": 3}".into()), of_json(&json!({ "x": 3 })));
        assert_eq!(of_text("\"x\"".into()), json!({ "string_value": "x" }));
        for plain in ["3", "true", "{x", "x"] {
            assert_eq!(of_text(plain.into()), json!({ "string_value": plain }));
        }
    }

    #[test]
    fn values_that_are_nested_too_deep_are_refused() {
        let mut message = Message::default();
        for _ in 0..MAX_DEPTH + 1 {
            let mut list = Message::default();
            list.message(of_list::VALUES, &message);
            message = Message::default();
            message.message(of_value::ARRAY, &list);
        }
        assert_eq!(any_value(&message.into_bytes(), MAX_DEPTH), Err(Malformed));
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(of_text(nested(MAX_DEPTH))["array_value"].is_object());
        let text = nested(MAX_DEPTH + 1);
        assert_eq!(of_text(text.clone()), json!({ "string_value": text }));
    }
}
