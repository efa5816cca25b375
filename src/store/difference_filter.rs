//! Which differences are meant.

use super::NoiseThresholds;

/// Which differences are meant: those of all configs at all paths, until it is narrowed down.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DifferenceFilter {
    /// The name of the experiment.
    pub experiment: Option<String>,
    /// The id of a config, or the beginning of just one.
    pub config: Option<String>,
    /// A path, with all that lies below it.
    pub path: Option<String>,
    /// At most so many paths of each config.
    pub limit: usize,
    /// At most so many examples of each path. (The store keeps up to 20.)
    pub examples: usize,
    /// What counts as more than noise.
    pub thresholds: NoiseThresholds,
}

impl DifferenceFilter {
    /// All paths of all configs, with 3 examples each.
    pub fn new() -> Self {
        Self {
            experiment: None,
            config: None,
            path: None,
            limit: usize::MAX,
            examples: 3,
            thresholds: NoiseThresholds::default(),
        }
    }

    /// Of the experiment of this name.
    #[must_use]
    pub fn experiment(mut self, name: impl Into<String>) -> Self {
        self.experiment = Some(name.into());
        self
    }

    /// Of the config with this id, or the only one whose id begins so.
    #[must_use]
    pub fn config(mut self, id: impl Into<String>) -> Self {
        self.config = Some(id.into());
        self
    }

    /// At this path, and below it.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// At most `paths` of each config.
    #[must_use]
    pub const fn limit(mut self, paths: usize) -> Self {
        self.limit = paths;
        self
    }

    /// At most `examples` of each path.
    #[must_use]
    pub const fn examples(mut self, examples: usize) -> Self {
        self.examples = examples;
        self
    }

    /// What counts as more than noise.
    #[must_use]
    pub const fn thresholds(mut self, thresholds: NoiseThresholds) -> Self {
        self.thresholds = thresholds;
        self
    }

    pub(super) fn means(&self, path: &str) -> bool {
        self.path.as_deref().is_none_or(|wanted| {
            let wanted = wanted.trim_end_matches('/');
            path.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

impl Default for DifferenceFilter {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_itself_and_what_lies_below_it() {
        let filter = DifferenceFilter::new().path("/items");
        for (path, means) in
            [("/items", true), ("/items/*/id", true), ("/itemset", false), ("status", false)]
        {
            assert_eq!(filter.means(path), means, "{path}");
        }
        assert!(DifferenceFilter::new().means("status"));
        assert!(DifferenceFilter::new().path("/").means("/price"));
    }
}
