//! What a minute comes to, as metrics.

use crate::{as_run::MEASURED, store::Rollup};
use std::borrow::Cow;

/// The metrics of a roll-up. Counts are by the minute, also of an hour; what nothing was measured
/// of is none.
pub(super) fn measures(rollup: &Rollup) -> Vec<(Cow<'static, str>, f64)> {
    const MS: f64 = 1e6;
    let minutes = f64::from(rollup.minutes.max(1));
    let mut list: Vec<_> = [
        ("requests", rollup.requests()),
        ("success", rollup.success),
        ("failed", rollup.failed),
        ("skipped", rollup.skipped),
        ("cancelled", rollup.cancelled),
        ("retries", rollup.retries),
    ]
    .map(|(name, count)| (name.into(), count as f64 / minutes))
    .into();
    let mut share = |name: &'static str, part: u64, all: u64| {
        if all > 0 {
            list.push((name.into(), part as f64 / all as f64));
        }
    };
    share("error_rate", rollup.failed, rollup.success + rollup.failed);
    let pairs = &rollup.pairs;
    share("different_rate", pairs.different, pairs.equal + pairs.different);
    let mut add = |name: &'static str, value: Option<f64>| {
        list.extend(value.map(|value| (name.into(), value)));
    };
    for (q, name) in
        [(0.5, "duration_ms_p50"), (0.95, "duration_ms_p95"), (0.99, "duration_ms_p99")]
    {
        add(name, rollup.duration.quantile(q).map(|ns| ns as f64 / MS));
    }
    add("duration_ms_mean", rollup.duration_sums.mean().map(|ns| ns / MS));
    add("first_byte_ms_p50", rollup.first_byte.quantile(0.5).map(|ns| ns as f64 / MS));
    add("first_byte_ms_p99", rollup.first_byte.quantile(0.99).map(|ns| ns as f64 / MS));
    add("bytes_in_mean", rollup.bytes_in.mean());
    add("bytes_out_mean", rollup.bytes_out.mean());
    for (name, sums) in &rollup.metrics {
        if let Some(mean) = sums.mean().filter(|_| !MEASURED.contains(&&**name)) {
            list.push((format!("{name}_mean").into(), mean));
        }
    }
    list
}
