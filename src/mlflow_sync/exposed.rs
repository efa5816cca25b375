//! What waits, on the page of metrics.

use super::{SyncMode, SyncWatch, pass::now};
use crate::{metrics::Exposition, store::SyncStat};

/// What is read of a stat.
type Of = fn(&SyncStat) -> u64;

impl SyncWatch {
    /// Adds how far it has come.
    pub fn collect(&self, page: &mut Exposition) {
        let stats = self.stats();
        let labels = |stat: &SyncStat| {
            [("experiment", stat.experiment.clone()), ("mode", stat.mode.clone())]
        };
        let counters: [(_, _, Of); 4] = [
            (
                "spearmint_sync_sent_total",
                "Branches, or minutes of configs, that MLflow has.",
                |s| s.sent,
            ),
            ("spearmint_sync_refused_total", "Branches that MLflow does not take.", |s| s.refused),
            (
                "spearmint_sync_removed_total",
                "Branches that were removed from the store before they were sent.",
                |s| s.removed,
            ),
            ("spearmint_sync_left_out_total", "Branches that are not of the sample.", |s| {
                s.left_out
            }),
        ];
        for (name, help, of) in counters {
            for stat in &stats {
                let labels = labels(stat);
                let labels = [0, 1].map(|at: usize| (labels[at].0, &*labels[at].1));
                page.counter(name, help).value(&labels, of(stat));
            }
        }
        for stat in stats.iter().filter(|stat| stat.mode != SyncMode::Summary.as_str()) {
            let labels = labels(stat);
            let labels = [0, 1].map(|at: usize| (labels[at].0, &*labels[at].1));
            page.gauge("spearmint_sync_waiting", "Branches that wait to be sent to MLflow.")
                .value(&labels, stat.waiting);
            let now_ms = u64::try_from(now().as_millis()).unwrap_or(u64::MAX);
            let behind_ms = stat.oldest_waiting_ms.map_or(0, |ms| now_ms.saturating_sub(ms));
            page.gauge(
                "spearmint_sync_behind_seconds",
                "Since the oldest branch that waits was dispatched; 0 if none does.",
            )
            .value(&labels, behind_ms as f64 / 1e3);
        }
    }
}
