//! The bodies of the requests.

use crate::as_run::{self, Params, Recorded, limits, millis};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The most params in one request.
const MAX_PARAMS_PER_CALL: usize = 100;
/// The most bytes of params in one request; MLflow takes a megabyte in all.
const MAX_BYTES_PER_CALL: usize = 800_000;

/// The body of `runs/create`.
pub(super) fn create(experiment_id: &str, branch: &Recorded<'_>) -> Value {
    json!({
        "experiment_id": experiment_id,
        "start_time": millis(branch.start_ns),
        "run_name": as_run::run_name(branch),
        "tags": tags(as_run::tags(branch)),
    })
}

/// The body of `runs/update`.
pub(super) fn update(run_id: &str, branch: &Recorded<'_>) -> Value {
    json!({
        "run_id": run_id,
        "status": as_run::status(branch.status),
        "end_time": millis(branch.end_ns),
    })
}

pub(super) fn tags<'a>(tags: impl IntoIterator<Item = (&'static str, Cow<'a, str>)>) -> Vec<Value> {
    tags.into_iter().map(|(key, value)| tag(key, &value)).collect()
}

pub(super) fn tag(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": limits::cut(value, limits::MAX_TAG_VALUE) })
}

pub(super) fn metrics(branch: &Recorded<'_>) -> Vec<Value> {
    let timestamp = millis(branch.end_ns);
    let metrics = as_run::metrics(branch).into_iter();
    metrics
        .map(
            |(key, value)| json!({ "key": key, "value": value, "timestamp": timestamp, "step": 0 }),
        )
        .collect()
}

/// Params in portions that MLflow takes in one request, at least one.
pub(super) fn portions(params: &Params) -> Vec<Vec<Value>> {
    let mut portions = vec![Vec::new()];
    let mut bytes = 0;
    for (key, value) in &params.list {
        // JSON may write a character in six (`\u001f`).
        let size = key.len() + value.len() * 2 + 64;
        let full = portions.last().is_some_and(|portion: &Vec<_>| {
            portion.len() == MAX_PARAMS_PER_CALL || bytes + size > MAX_BYTES_PER_CALL
        });
        if full {
            portions.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(portion) = portions.last_mut() {
            portion.push(json!({ "key": key, "value": value }));
        }
    }
    portions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_hold_a_hundred_params_and_less_than_a_megabyte() {
        let many: serde_json::Map<_, _> =
            (0..250).map(|n| (format!("k{n:03}"), json!(n))).collect();
        let calls = portions(&Params::of(&many.into()));
        assert_eq!(calls.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);

        let big: serde_json::Map<_, _> =
            (0..150).map(|n| (format!("k{n:03}"), json!("€".repeat(6_000)))).collect();
        let calls = portions(&Params::of(&big.into()));
        assert_eq!(calls.iter().map(Vec::len).sum::<usize>(), 150);
        assert!(calls.iter().all(|call| json!(call).to_string().len() < 1_000_000));
        assert_eq!(portions(&Params::of(&json!({}))), [Vec::<Value>::new()]);
    }
}
