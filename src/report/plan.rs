//! What a report is to say.

use super::Metric;

/// Which experiments, since when, held against what, by which metrics.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// Only this experiment.
    pub experiment: Option<String>,
    /// Only minutes that begin at this time or later, in ns since the Unix epoch.
    pub since_ns: Option<u64>,
    /// The id of the config that the others are held against, or the beginning of just one. Without
    /// it the primary of a shadow; among equals, the one with the most requests.
    pub baseline: Option<String>,
    /// None: [`Metric::defaults`].
    pub metrics: Vec<Metric>,
}

impl Plan {
    /// Every experiment, from the beginning, by the metrics that fit all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of the experiment of this name.
    #[must_use]
    pub fn experiment(mut self, name: impl Into<String>) -> Self {
        self.experiment = Some(name.into());
        self
    }

    /// Only minutes that begin at `ns` since the Unix epoch, or later.
    #[must_use]
    pub const fn since_ns(mut self, ns: u64) -> Self {
        self.since_ns = Some(ns);
        self
    }

    /// The config that the others are held against.
    #[must_use]
    pub fn baseline(mut self, config_id: impl Into<String>) -> Self {
        self.baseline = Some(config_id.into());
        self
    }

    /// By these metrics only.
    #[must_use]
    pub fn metrics(mut self, metrics: impl IntoIterator<Item = Metric>) -> Self {
        self.metrics = metrics.into_iter().collect();
        self
    }

    pub(super) fn metrics_or_default(&self) -> Vec<Metric> {
        if self.metrics.is_empty() { Metric::defaults().into() } else { self.metrics.clone() }
    }
}
