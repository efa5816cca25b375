//! A branch as MLflow's run: what is written where.

use super::{
    limits::{self, MAX_TAG_VALUE},
    params::flatten,
};
use crate::branch::{Branch, Failure, Status};
use serde_json::{Value, json};

/// The tag by which a run is found again.
pub(super) const BRANCH_ID: &str = "spearmint.branch_id";
/// The longest artifact, in bytes.
const MAX_ARTIFACT: usize = 1 << 20;
/// The most numbers of an output that become metrics.
const MAX_OUTPUT_METRICS: usize = 100;
const NANOS_PER_MILLI: u64 = 1_000_000;

pub(super) fn tag(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": limits::cut(value, MAX_TAG_VALUE) })
}

/// The run's name: `candidate shadow 0199e2b4-5f3c-7a21`.
fn run_name(branch: &Branch) -> String {
    let id = branch.id.to_string();
    let config = limits::cut(branch.config_id.short(), 150);
    // The first three groups are the time of the id, to 244 ns.
    format!("{config} {} {}", branch.role, id.get(..18).unwrap_or(&id))
}

/// The body of `runs/create`.
pub(super) fn create(experiment_id: &str, branch: &Branch) -> Value {
    json!({
        "experiment_id": experiment_id,
        "start_time": branch.start_ns / NANOS_PER_MILLI,
        "run_name": run_name(branch),
        "tags": tags(branch),
    })
}

fn tags(branch: &Branch) -> Vec<Value> {
    let mut tags = vec![
        tag("mlflow.source.name", "tower-spearmint"),
        tag(BRANCH_ID, &branch.id.to_string()),
        tag("spearmint.request_id", &branch.request_id.to_string()),
        tag("spearmint.experiment", &branch.experiment),
        tag("spearmint.strategy", &branch.strategy),
        tag("spearmint.role", branch.role.as_str()),
        tag("spearmint.config_id", branch.config_id.as_str()),
        tag("spearmint.reason", branch.reason.as_str()),
        tag("spearmint.epoch", &branch.epoch.to_string()),
    ];
    let mut add = |key, value: Option<String>| {
        tags.extend(value.map(|value| tag(key, &value)));
    };
    add("spearmint.parent", branch.parent.map(|parent| parent.to_string()));
    let parent_config = branch.parent_config_id.as_ref();
    add("spearmint.parent_config_id", parent_config.map(ToString::to_string));
    add("spearmint.unit", branch.unit.map(|unit| format!("{unit:016x}")));
    tags.extend(end_tags(branch));
    tags
}

/// How it ended.
pub(super) fn end_tags(branch: &Branch) -> Vec<Value> {
    let mut tags = vec![tag("spearmint.status", branch.status.as_str())];
    if let Some(skip) = branch.skip {
        tags.push(tag("spearmint.skip", skip.as_str()));
    }
    if let Some(failure) = &branch.failure {
        tags.extend(failure_tags(failure));
    }
    if let Some(output) = &branch.output {
        tags.push(tag("spearmint.output", &output.to_string()));
    }
    tags
}

/// Why it failed, without the trace.
pub(super) fn failure_tags(failure: &Failure) -> Vec<Value> {
    vec![
        tag("spearmint.failure_kind", failure.kind.as_str()),
        tag("spearmint.failure_type", &failure.type_name),
        tag("spearmint.failure_message", &failure.message),
    ]
}

/// The failure with its trace: the content of `failure.txt`.
pub(super) fn failure_text(failure: &Failure) -> String {
    let Failure { kind, type_name, message, trace } = failure;
    let mut text = format!("kind: {kind}\ntype: {type_name}\nmessage: {message}\n\n{trace}\n");
    if text.len() > MAX_ARTIFACT {
        let mark = format!("\n… [cut: {} bytes]\n", text.len());
        let mut end = MAX_ARTIFACT - mark.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(&mark);
    }
    text
}

/// The metrics: duration, retries, probability, what was measured over HTTP, and the numbers of a
/// recorded output.
pub(super) fn metrics(branch: &Branch) -> Vec<Value> {
    let timestamp = branch.end_ns / NANOS_PER_MILLI;
    let mut metrics = Vec::new();
    let mut add = |key: &str, value: f64| {
        metrics.push(json!({ "key": key, "value": value, "timestamp": timestamp, "step": 0 }));
    };
    add("duration_ms", branch.duration_ns as f64 / NANOS_PER_MILLI as f64);
    add("retry_count", f64::from(branch.retry_count));
    if branch.probability.is_finite() {
        add("probability", branch.probability);
    }
    if let Some(first_byte) = branch.first_byte_ns {
        add("first_byte_ms", first_byte as f64 / NANOS_PER_MILLI as f64);
    }
    for (key, bytes) in [("bytes_in", branch.bytes_in), ("bytes_out", branch.bytes_out)] {
        if let Some(bytes) = bytes {
            add(key, bytes as f64);
        }
    }
    let mut left = MAX_OUTPUT_METRICS;
    if let Some(output) = &branch.output {
        flatten(output, "output", &mut |path, value| {
            if let (Some(number), 1..) = (value.as_f64(), left) {
                left -= 1;
                add(&limits::name(path), number);
            }
        });
    }
    metrics
}

/// The body of `runs/update`.
pub(super) fn update(run_id: &str, branch: &Branch) -> Value {
    json!({
        "run_id": run_id,
        "status": match branch.status {
            Status::Success => "FINISHED",
            Status::Failed => "FAILED",
            // Neither ran to an end of its own.
            Status::Cancelled | Status::Skipped => "KILLED",
        },
        "end_time": branch.end_ns / NANOS_PER_MILLI,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Config, Trial,
        clock::Tick,
        trial::{End, Place},
    };

    #[test]
    fn what_was_not_measured_is_no_metric() {
        let trial = Trial::new((), Config::new(json!({})).unwrap());
        let place: &Place = trial.place();
        let mut branch: Branch = place.branch(Tick::now(), End::Success(None));
        let names = |branch: &Branch| -> Vec<_> {
            metrics(branch).iter().map(|metric| metric["key"].clone()).collect()
        };
        assert_eq!(names(&branch), ["duration_ms", "retry_count", "probability"]);
        (branch.first_byte_ns, branch.bytes_in, branch.bytes_out) =
            (Some(2_500_000), Some(0), Some(7));
        assert_eq!(names(&branch)[3..], ["first_byte_ms", "bytes_in", "bytes_out"]);
        assert_eq!(metrics(&branch)[3]["value"], 2.5);
    }
}
