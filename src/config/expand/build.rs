//! The `$` words as functions, for templates made in code.

use serde_json::{Value, json};

/// `$choice`: one of these values; each may be a whole sub-tree or hold generators itself.
pub fn choice<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Value {
    json!({ "$choice": values.into_iter().map(Into::into).collect::<Vec<Value>>() })
}

/// `$range`: `start`, `start + step`, … below `stop` (above it, if `step` is negative).
pub fn range(start: impl Into<Value>, stop: impl Into<Value>, step: impl Into<Value>) -> Value {
    json!({ "$range": [start.into(), stop.into(), step.into()] })
}

/// `$linspace`: `count` numbers at equal distances, from `start` to `stop`, both included.
pub fn linspace(start: f64, stop: f64, count: u64) -> Value {
    json!({ "$linspace": [start, stop, count] })
}

/// `$logspace`: ten to the power of `count` exponents at equal distances, from `start` to `stop`,
/// both included, as NumPy's function of that name.
pub fn logspace(start: f64, stop: f64, count: u64) -> Value {
    json!({ "$logspace": [start, stop, count] })
}

/// `$geomspace`: `count` numbers at equal ratios, from `start` to `stop`, both included and both
/// positive.
pub fn geomspace(start: f64, stop: f64, count: u64) -> Value {
    json!({ "$geomspace": [start, stop, count] })
}

/// `$grid`: a map with every combination of the values of each key.
pub fn grid<K: Into<String>>(fields: impl IntoIterator<Item = (K, Value)>) -> Value {
    json!({ "$grid": Value::Object(fields.into_iter().map(|(k, v)| (k.into(), v)).collect()) })
}

/// `$zip`: a map with the first value of each key, with the second of each, and so on.
pub fn zip<K: Into<String>>(fields: impl IntoIterator<Item = (K, Value)>) -> Value {
    json!({ "$zip": Value::Object(fields.into_iter().map(|(k, v)| (k.into(), v)).collect()) })
}

/// `$uniform`: `count` draws of a number from `low` up to `high`.
pub fn uniform(low: f64, high: f64, count: u64, seed: u64) -> Value {
    json!({ "$uniform": [low, high], "count": count, "seed": seed })
}

/// `$log_uniform`: `count` draws of a number from `low` up to `high`, both positive, whose
/// logarithm is uniform.
pub fn log_uniform(low: f64, high: f64, count: u64, seed: u64) -> Value {
    json!({ "$log_uniform": [low, high], "count": count, "seed": seed })
}

/// `$normal`: `count` draws from the normal distribution.
pub fn normal(mean: f64, deviation: f64, count: u64, seed: u64) -> Value {
    json!({ "$normal": [mean, deviation], "count": count, "seed": seed })
}

/// `$int_uniform`: `count` draws of a whole number from `low` up to, but without, `high`.
pub fn int_uniform(low: i64, high: i64, count: u64, seed: u64) -> Value {
    json!({ "$int_uniform": [low, high], "count": count, "seed": seed })
}
