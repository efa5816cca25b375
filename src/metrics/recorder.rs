//! What became of the records.

use super::Exposition;
use crate::record::RecorderStats;

impl Exposition {
    /// Adds what became of the branches and comparisons that a recorder was handed. `name` tells it
    /// from others beside it.
    ///
    /// How many were accepted is not a counter of its own here: it is `written`, `lost` and
    /// `waiting` together.
    pub fn recorder(&mut self, name: &str, stats: &RecorderStats) {
        let comparisons = &stats.comparisons;
        let both = |branches, comparisons| [("branch", branches), ("comparison", comparisons)];
        for (family, help, values) in [
            (
                "spearmint_records_written_total",
                "Records that the backend kept.",
                both(stats.written, comparisons.written),
            ),
            (
                "spearmint_records_dropped_total",
                "Records refused because the queue was full or the recording had ended.",
                both(stats.dropped, comparisons.dropped),
            ),
            (
                "spearmint_records_lost_total",
                "Records taken but not kept: the backend failed to.",
                both(stats.lost, comparisons.lost),
            ),
        ] {
            for (record, value) in values {
                let labels = [("recorder", name), ("record", record)];
                self.counter(family, help).value(&labels, value);
            }
        }
        self.counter(
            "spearmint_metrics_refused_total",
            "Numbers said of branches that are not recorded: no name, no finite value, or too many.",
        )
        .value(&[("recorder", name)], stats.metrics_refused);
        let mut waiting = self.gauge(
            "spearmint_records_waiting",
            "Records taken, but neither kept nor lost yet: the depth of the queue.",
        );
        for (record, value) in both(stats.waiting(), comparisons.waiting()) {
            waiting.value(&[("recorder", name), ("record", record)], value);
        }
    }
}
