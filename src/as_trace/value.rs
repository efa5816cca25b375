//! The values of attributes, each under the name of its type, as in OpenTelemetry's `common.proto`.

use serde_json::{Map, Value, json};

/// Attributes: a list of keys and values.
pub(crate) type Attributes = Vec<Value>;

/// What JSON comes to.
pub(crate) fn of_json(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(value) => json!({ "bool_value": value }),
        Value::Number(number) => match number.as_i64() {
            Some(number) => json!({ "int_value": number }),
            None => double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => json!({ "string_value": text }),
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(of_json).collect();
            json!({ "array_value": { "values": values } })
        }
        Value::Object(map) => {
            let pair = |(key, value)| json!({ "key": key, "value": of_json(value) });
            let values: Vec<_> = map.iter().map(pair).collect();
            json!({ "kvlist_value": { "values": values } })
        }
    }
}

pub(crate) fn double(value: f64) -> Value {
    if value.is_finite() {
        return json!({ "double_value": value });
    }
    let name = match value {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    };
    json!({ "double_value": name })
}

/// What a value is as plain JSON.
pub(crate) fn plain(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|map| map.iter().next()) else {
        return Value::Null;
    };
    let values = || value["values"].as_array().into_iter().flatten();
    match &**kind {
        "array_value" => values().map(plain).collect(),
        "kvlist_value" => {
            let pair = |pair: &Value| {
                (pair["key"].as_str().unwrap_or_default().to_owned(), plain(&pair["value"]))
            };
            Value::Object(values().map(pair).collect::<Map<_, _>>())
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_back_as_it_was_said() {
        let value = json!({ "a": [1, -2, 0.5, true, null, "x"], "b": { "c": [] } });
        assert_eq!(plain(&of_json(&value)), value);
    }
}
