//! What of a branch is written where.

use super::{
    Recorded,
    limits::{self, MAX_TAG_VALUE},
    params::flatten,
};
use crate::branch::{BranchMetrics, Failure, Status};
use std::borrow::Cow;

/// The tag by which a run is found again.
pub(crate) const BRANCH_ID: &str = "spearmint.branch_id";
/// The most numbers of an output that become metrics.
const MAX_OUTPUT_METRICS: usize = 100;
/// What is measured of branches.
pub(crate) const MEASURED: [&str; 6] =
    ["duration_ms", "retry_count", "probability", "first_byte_ms", "bytes_in", "bytes_out"];
const NANOS_PER_MILLI: f64 = 1e6;

type Tag<'a> = (&'static str, Cow<'a, str>);

/// The run's name: `candidate shadow 0199e2b4-5f3c-7a21`.
pub(crate) fn run_name(branch: &Recorded<'_>) -> String {
    let id = branch.id.to_string();
    let config = limits::cut(branch.config_id.short(), 150);
    // The first three groups are the time of the id, to 244 ns.
    format!("{config} {} {}", branch.role, id.get(..18).unwrap_or(&id))
}

/// How it ended, in MLflow's words.
pub(crate) const fn status(of: Status) -> &'static str {
    match of {
        Status::Success => "FINISHED",
        Status::Failed => "FAILED",
        // Neither ran to an end of its own.
        Status::Cancelled | Status::Skipped => "KILLED",
    }
}

/// All that is said of a branch in words; each value no longer than MLflow takes.
pub(crate) fn tags<'a>(branch: &Recorded<'a>) -> Vec<Tag<'a>> {
    let mut tags = vec![
        ("mlflow.source.name", Cow::Borrowed("tower-spearmint")),
        (BRANCH_ID, branch.id.to_string().into()),
        ("spearmint.request_id", branch.request_id.to_string().into()),
        ("spearmint.trace_id", branch.trace_id().to_string().into()),
        ("spearmint.experiment", cut(branch.experiment)),
        ("spearmint.strategy", cut(branch.strategy)),
        ("spearmint.role", branch.role.as_str().into()),
        ("spearmint.config_id", cut(branch.config_id.as_str())),
    ];
    let mut add = |key, value: Option<Cow<'a, str>>| tags.extend(value.map(|value| (key, value)));
    add("spearmint.reason", branch.reason.map(|reason| reason.as_str().into()));
    add("spearmint.epoch", branch.epoch.map(|epoch| epoch.to_string().into()));
    add("spearmint.parent", branch.parent.map(|parent| parent.to_string().into()));
    add("spearmint.parent_config_id", branch.parent_config_id.map(|id| cut(id.as_str())));
    let span = branch.trace.map(|trace| trace.parent_span_id.to_string().into());
    add("spearmint.parent_span_id", span);
    add("spearmint.unit", branch.unit.map(|unit| format!("{unit:016x}").into()));
    tags.extend(end_tags(branch));
    tags
}

/// How it ended.
pub(crate) fn end_tags<'a>(branch: &Recorded<'a>) -> Vec<Tag<'a>> {
    let mut tags = vec![("spearmint.status", branch.status.as_str().into())];
    if let Some(skip) = branch.skip {
        tags.push(("spearmint.skip", skip.as_str().into()));
    }
    if let Some(failure) = branch.failure {
        tags.extend(failure_tags(failure));
    }
    if let Some(output) = branch.output {
        let text = limits::cut(&output.to_string(), MAX_TAG_VALUE).into_owned();
        tags.push(("spearmint.output", text.into()));
    }
    tags
}

/// Why it failed, without the trace.
pub(crate) fn failure_tags(failure: &Failure) -> [Tag<'_>; 3] {
    [
        ("spearmint.failure_kind", failure.kind.as_str().into()),
        ("spearmint.failure_type", cut(&failure.type_name)),
        ("spearmint.failure_message", cut(&failure.message)),
    ]
}

fn cut(value: &str) -> Cow<'_, str> {
    limits::cut(value, MAX_TAG_VALUE)
}

/// The metrics: duration, retries, probability, what was measured over HTTP, what the service said of it, and
/// the numbers of a recorded output. All are of step 0 and of the time at which the branch ended.
pub(crate) fn metrics(branch: &Recorded<'_>) -> Vec<(Cow<'static, str>, f64)> {
    let mut metrics: Vec<(Cow<'static, str>, f64)> = vec![
        ("duration_ms".into(), branch.duration_ns as f64 / NANOS_PER_MILLI),
        ("retry_count".into(), f64::from(branch.retry_count)),
    ];
    if branch.probability.is_finite() {
        metrics.push(("probability".into(), branch.probability));
    }
    if let Some(first_byte) = branch.first_byte_ns {
        metrics.push(("first_byte_ms".into(), first_byte as f64 / NANOS_PER_MILLI));
    }
    for (key, bytes) in [("bytes_in", branch.bytes_in), ("bytes_out", branch.bytes_out)] {
        if let Some(bytes) = bytes {
            metrics.push((key.into(), bytes as f64));
        }
    }
    metrics.extend(said(branch.metrics).map(|(name, value)| (name.to_owned().into(), value)));
    if let Some(output) = branch.output {
        metrics.extend(output_metrics(output).into_iter().map(|(key, value)| (key.into(), value)));
    }
    metrics
}

/// What a service said of its branch, but under names that are taken: what was measured is what it is called.
pub(crate) fn said(metrics: &BranchMetrics) -> impl Iterator<Item = (&str, f64)> {
    metrics.iter().filter(|(name, _)| !MEASURED.contains(name))
}

/// The numbers of a recorded output, each under its dotted path. (Of two under one name the later
/// is shown.)
pub(crate) fn output_metrics(output: &serde_json::Value) -> Vec<(String, f64)> {
    let mut metrics = Vec::new();
    flatten(output, "output", &mut |path, value| {
        if let Some(number) = value.as_f64()
            && metrics.len() < MAX_OUTPUT_METRICS
        {
            metrics.push((limits::name(path), number));
        }
    });
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Branch, Config, Trial,
        clock::Tick,
        trial::{End, Place},
    };
    use serde_json::json;

    #[test]
    fn what_was_not_measured_is_no_metric() {
        let trial = Trial::new((), Config::new(json!({})).unwrap());
        let place: &Place = trial.place();
        let mut branch: Branch = place.branch(Tick::now(), End::Success(None));
        let names = |branch: &Branch| -> Vec<_> {
            metrics(&branch.into()).into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(names(&branch), ["duration_ms", "retry_count", "probability"]);
        (branch.first_byte_ns, branch.bytes_in, branch.bytes_out) =
            (Some(2_500_000), Some(0), Some(7));
        assert_eq!(names(&branch)[3..], ["first_byte_ms", "bytes_in", "bytes_out"]);
        assert_eq!(metrics(&(&branch).into())[3].1, 2.5);
        assert!(branch.metrics.set("tokens", 812.0) && branch.metrics.set("bytes_in", 9.0));
        assert_eq!(names(&branch)[3..], ["first_byte_ms", "bytes_in", "bytes_out", "tokens"]);
        assert_eq!(metrics(&(&branch).into())[4].1, 0.0);
    }
}
