//! Latencies in fixed buckets.

use super::Samples;

/// The upper ends of the buckets, each included, in nanoseconds: 1, 2.5, 5 of each power of ten from 100 µs to
/// 100 s. A service that answers from memory and a model that streams for a minute both have
/// some buckets around their median.
const BOUNDS_NS: [u64; 19] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    25_000_000_000,
    50_000_000_000,
    100_000_000_000,
];

/// How long something took, many times over.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Latency {
    counts: [u64; BOUNDS_NS.len() + 1],
    /// A busy service spends more than 2^64 ns in its branches within months.
    sum_ns: u128,
}

impl Latency {
    pub(crate) fn add(&mut self, ns: u64) {
        let at = BOUNDS_NS.partition_point(|bound| *bound < ns);
        self.counts[at] += 1;
        self.sum_ns += u128::from(ns);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    pub(crate) fn write(&self, samples: &mut Samples<'_>, labels: &[(&str, &str)]) {
        let mut count = 0;
        for (bound, own) in BOUNDS_NS.iter().zip(&self.counts) {
            count += own;
            let bound = seconds(u128::from(*bound)).to_string();
            samples.line("_bucket", labels, Some(("le", &bound)), count);
        }
        count += self.counts[BOUNDS_NS.len()];
        samples.line("_bucket", labels, Some(("le", "+Inf")), count);
        samples.line("_sum", labels, None, seconds(self.sum_ns));
        samples.line("_count", labels, None, count);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sum of latencies is exact to 16 digits")]
fn seconds(ns: u128) -> f64 {
    ns as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::{super::Exposition, *};

    #[test]
    fn a_bucket_holds_what_is_no_longer_than_its_bound_says() {
        let mut latency = Latency::default();
        for ns in [0, 100_000, 100_001, 2_500_000, 200_000_000_000] {
            latency.add(ns);
        }
        let mut page = Exposition::new();
        latency.write(&mut page.histogram("t_seconds", "T."), &[("of", "x")]);
        let text = page.to_string();
        for line in [
            r#"t_seconds_bucket{of="x",le="0.0001"} 2"#,
            r#"t_seconds_bucket{of="x",le="0.00025"} 3"#,
            r#"t_seconds_bucket{of="x",le="0.001"} 3"#,
            r#"t_seconds_bucket{of="x",le="0.0025"} 4"#,
            r#"t_seconds_bucket{of="x",le="100"} 4"#,
            r#"t_seconds_bucket{of="x",le="+Inf"} 5"#,
            r#"t_seconds_sum{of="x"} 200.002700001"#,
            r#"t_seconds_count{of="x"} 5"#,
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
        }
    }
}
