//! Scalars that were written as another type than the schema wants.

use super::{
    places::{Part, Places},
    types::Types,
};
use serde_json::{Number, Value};

/// Turns scalars that do not fit into what the schema wants, where nothing can be lost.
pub(super) fn convert(places: Places<'_>, value: &mut Value) {
    walk(places, value, &places.whole());
}

fn walk<'s>(places: Places<'s>, value: &mut Value, parts: &[Part<'s>]) {
    if parts.is_empty() {
        return;
    }
    match value {
        Value::Object(_) | Value::Array(_) => {
            let spread = places.spread(parts, value);
            match value {
                Value::Object(map) => {
                    for (key, value) in map {
                        walk(places, value, &places.under_key(&spread, key));
                    }
                }
                Value::Array(items) => {
                    for (at, item) in items.iter_mut().enumerate() {
                        walk(places, item, &Places::under_index(&spread, at));
                    }
                }
                _ => {}
            }
        }
        scalar => {
            if let Some(converted) = converted(scalar, places.types(parts)) {
                *scalar = converted;
            }
        }
    }
}

fn converted(value: &Value, wanted: Types) -> Option<Value> {
    if wanted.allow(value) {
        return None;
    }
    match value {
        Value::String(text) => from_text(text, wanted),
        // 1.10 was read as 1.1: only a whole number is sure to be the text it was written as.
        Value::Number(number) if wanted.has(Types::TEXT) && !number.is_f64() => {
            Some(Value::String(number.to_string()))
        }
        Value::Number(number) if wanted.has(Types::INTEGER) => {
            let float = number.as_f64()?;
            // 2⁵³: beyond it a float is not sure to be the number that was meant.
            let is_whole = float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0;
            is_whole.then(|| Value::Number((float as i64).into()))
        }
        Value::Bool(value) if wanted.has(Types::TEXT) => Some(Value::String(value.to_string())),
        _ => None,
    }
}

fn from_text(text: &str, wanted: Types) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // No leading zero, no sign but a minus, no `inf`: what JSON itself takes for a number.
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0') || digits.starts_with("0."));
    if wanted.has(Types::INTEGER) && is_plain {
        if let Ok(number) = text.parse::<i64>() {
            return Some(Value::Number(number.into()));
        }
        if let Ok(number) = text.parse::<u64>() {
            return Some(Value::Number(number.into()));
        }
    }
    if wanted.has(Types::NUMBER) && is_plain && !digits.bytes().all(|b| b.is_ascii_digit()) {
        let number = text.parse().ok().and_then(Number::from_f64);
        return number.map(Value::Number);
    }
    if wanted.has(Types::BOOLEAN) {
        return match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(Value::Bool(true)),
            "false" | "no" | "off" => Some(Value::Bool(false)),
            _ => None,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_scalar_becomes_what_is_wanted_if_nothing_is_lost() {
        for (value, wanted, expected) in [
            (json!("100"), Types::INTEGER, json!(100)),
            (json!("-7"), Types::NUMBER, json!(-7)),
            (json!("1e-3"), Types::NUMBER, json!(0.001)),
            (json!("18446744073709551615"), Types::INTEGER, json!(u64::MAX)),
            (json!("Yes"), Types::BOOLEAN, json!(true)),
            (json!("off"), Types::BOOLEAN, json!(false)),
            (json!(5), Types::TEXT, json!("5")),
            (json!(true), Types::TEXT, json!("true")),
            (json!(5.0), Types::INTEGER, json!(5)),
        ] {
            assert_eq!(converted(&value, wanted), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_would_lose_something_or_fits_already_stays() {
        for (value, wanted) in [
            (json!("1.5"), Types::INTEGER),
            (json!("010"), Types::INTEGER),
            (json!("+1"), Types::INTEGER),
            (json!("inf"), Types::NUMBER),
            (json!("18446744073709551616"), Types::NUMBER),
            (json!("1"), Types::BOOLEAN),
            (json!(1.5), Types::TEXT),
            (json!(5.5), Types::INTEGER),
            (json!("100"), Types::INTEGER.or(Types::TEXT)),
            (json!(null), Types::TEXT),
        ] {
            assert_eq!(converted(&value, wanted), None, "{value}");
        }
    }
}
