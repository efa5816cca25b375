//! What is counted of the branches of each config.

use super::{MetricsBackend, latency::Latency};
use crate::{
    assign::Reason,
    branch::{Branch, FailureKind, Role, SkipReason, Status},
    compare::Comparison,
    config::ConfigId,
};
use std::{collections::HashMap, sync::Arc};

/// The `config_id` of what has no lines of its own.
const OTHER: &str = "other";

/// What is counted, for each config in each experiment and role.
#[derive(Debug, Clone, Default)]
pub(super) struct Tallies {
    /// In the order they were first seen.
    pub(super) tallies: Vec<Tally>,
    /// Where the tallies of a config are.
    places: HashMap<ConfigId, Vec<usize>>,
    /// Experiments' configs that have lines of their own.
    configs: usize,
    /// Branches that were counted as `other`.
    pub(super) other: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) experiment: Arc<str>,
    pub(super) config_id: ConfigId,
    pub(super) role: Role,
    /// In the order of `Status::ALL`; so the next three in that of theirs.
    pub(super) statuses: [u64; Status::ALL.len()],
    pub(super) failures: [u64; FailureKind::ALL.len()],
    pub(super) skips: [u64; SkipReason::ALL.len()],
    pub(super) reasons: [u64; Reason::ALL.len()],
    /// Of those that came to an end of their own.
    pub(super) success: Latency,
    pub(super) failed: Latency,
    pub(super) first_byte: Latency,
    pub(super) retries: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) equal: u64,
    pub(super) different: u64,
}

impl Tally {
    fn new(experiment: Arc<str>, config_id: ConfigId, role: Role) -> Self {
        Self {
            experiment,
            config_id,
            role,
            statuses: [0; Status::ALL.len()],
            failures: [0; FailureKind::ALL.len()],
            skips: [0; SkipReason::ALL.len()],
            reasons: [0; Reason::ALL.len()],
            success: Latency::default(),
            failed: Latency::default(),
            first_byte: Latency::default(),
            retries: 0,
            bytes_in: 0,
            bytes_out: 0,
            equal: 0,
            different: 0,
        }
    }

    fn count(&mut self, branch: &Branch) {
        self.statuses[branch.status as usize] += 1;
        self.reasons[branch.reason as usize] += 1;
        if let Some(failure) = &branch.failure {
            self.failures[failure.kind as usize] += 1;
        }
        if let Some(skip) = branch.skip {
            self.skips[skip as usize] += 1;
        }
        match branch.status {
            Status::Success => self.success.add(branch.duration_ns),
            Status::Failed => self.failed.add(branch.duration_ns),
            // How long it would have taken is not known.
            Status::Skipped | Status::Cancelled => {}
        }
        if let Some(ns) = branch.first_byte_ns {
            self.first_byte.add(ns);
        }
        self.retries += u64::from(branch.retry_count);
        self.bytes_in += branch.bytes_in.unwrap_or(0);
        self.bytes_out += branch.bytes_out.unwrap_or(0);
    }
}

impl Tallies {
    pub(super) fn count(&mut self, branch: &Branch) {
        self.tally(&branch.experiment, &branch.config_id, branch.role, 1).count(branch);
    }

    pub(super) fn count_comparison(&mut self, comparison: &Comparison) {
        let Comparison { experiment, config_id, role, .. } = comparison;
        let tally = self.tally(experiment, config_id, *role, 0);
        if comparison.is_equal() {
            tally.equal += 1;
        } else {
            tally.different += 1;
        }
    }

    /// Where it is counted; `branches` is how many are, should it be as `other`.
    fn tally(
        &mut self,
        experiment: &Arc<str>,
        config_id: &ConfigId,
        role: Role,
        branches: u64,
    ) -> &mut Tally {
        let at = self.find(experiment, config_id, role).unwrap_or_else(|| {
            if self.has_room_for(experiment, config_id) {
                self.add(experiment.clone(), config_id.clone(), role)
            } else {
                self.other += branches;
                self.other(experiment, role)
            }
        });
        &mut self.tallies[at]
    }

    fn find(&self, experiment: &Arc<str>, config_id: &ConfigId, role: Role) -> Option<usize> {
        self.places.get(config_id)?.iter().copied().find(|at| {
            let tally = &self.tallies[*at];
            let is_same = Arc::ptr_eq(&tally.experiment, experiment);
            tally.role == role && (is_same || tally.experiment == *experiment)
        })
    }

    /// Whether it has lines in another role already, or there is room for more.
    fn has_room_for(&mut self, experiment: &Arc<str>, config_id: &ConfigId) -> bool {
        let mut places = self.places.get(config_id).into_iter().flatten();
        if places.any(|at| self.tallies[*at].experiment == *experiment) {
            return true;
        }
        let has_room = self.configs < MetricsBackend::MAX_CONFIGS;
        self.configs += usize::from(has_room);
        has_room
    }

    fn add(&mut self, experiment: Arc<str>, config_id: ConfigId, role: Role) -> usize {
        let at = self.tallies.len();
        self.places.entry(config_id.clone()).or_default().push(at);
        self.tallies.push(Tally::new(experiment, config_id, role));
        at
    }

    /// Experiments, too, are no more than a bounded number.
    fn other(&mut self, experiment: &Arc<str>, role: Role) -> usize {
        let is_known = self.tallies.iter().any(|tally| tally.experiment == *experiment);
        let experiment = if is_known { experiment.clone() } else { OTHER.into() };
        let config_id = ConfigId::named(OTHER);
        let found = self.find(&experiment, &config_id, role);
        found.unwrap_or_else(|| self.add(experiment, config_id, role))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Exposition, *};
    use crate::{
        Config,
        branch::Failure,
        trial::{Arms, End, Place},
    };
    use serde_json::json;

    fn branch(experiment: &str, id: &str, role: Role, end: End) -> Branch {
        let config = Config::new(json!({ "config_id": id })).unwrap();
        let arms = Arms::new(experiment, "single", &crate::ConfigPool::single(config));
        let place = Place::first(&arms[0], role, 1.0, None);
        place.branch(place.start, end)
    }

    fn page(tallies: &Tallies) -> String {
        let mut page = Exposition::new();
        tallies.write(&mut page);
        page.to_string()
    }

    fn value(text: &str, series: &str) -> u64 {
        let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
    }

    #[test]
    fn every_branch_is_counted_by_its_end_and_why() {
        let mut tallies = Tallies::default();
        let failure = || Box::new(Failure::new(FailureKind::Timeout, "too slow"));
        for end in [
            End::Success(None),
            End::Success(None),
            End::Failed(failure()),
            End::Skipped(SkipReason::BreakerOpen),
            End::Cancelled,
        ] {
            tallies.count(&branch("e", "a", Role::Shadow, end));
        }
        let text = page(&tallies);
        let of = r#"experiment="e",config_id="a",role="shadow""#;
        for (series, count) in [
            (format!("spearmint_branches_total{{{of},status=\"success\"}}"), 2),
            (format!("spearmint_branches_total{{{of},status=\"failed\"}}"), 1),
            (format!("spearmint_branches_total{{{of},status=\"skipped\"}}"), 1),
            (format!("spearmint_branches_total{{{of},status=\"cancelled\"}}"), 1),
            (format!("spearmint_branch_failures_total{{{of},kind=\"timeout\"}}"), 1),
            (format!("spearmint_branch_skips_total{{{of},skip=\"breaker_open\"}}"), 1),
            (format!("spearmint_branch_assignments_total{{{of},reason=\"sample\"}}"), 5),
            (format!("spearmint_branch_duration_seconds_count{{{of},status=\"success\"}}"), 2),
            (format!("spearmint_branch_duration_seconds_count{{{of},status=\"failed\"}}"), 1),
        ] {
            assert_eq!(value(&text, &series), count, "{series}");
        }
        // How long the others would have taken is not known.
        let durations = text.matches("\nspearmint_branch_duration_seconds_count{").count();
        assert_eq!(durations, 2, "{text}");
    }

    #[test]
    fn what_is_named_alike_is_one_whichever_layer_it_came_from() {
        let mut tallies = Tallies::default();
        for _ in 0..3 {
            tallies.count(&branch("e", "a", Role::Primary, End::Success(None)));
        }
        tallies.count(&branch("f", "a", Role::Primary, End::Success(None)));
        tallies.count(&branch("e", "a", Role::Shadow, End::Success(None)));
        assert_eq!((tallies.tallies.len(), tallies.configs), (3, 2));
    }

    #[test]
    fn configs_beyond_the_bound_are_counted_together() {
        let mut tallies = Tallies::default();
        let most = MetricsBackend::MAX_CONFIGS;
        for at in 0..most + 300 {
            let id = format!("c{at}");
            tallies.count(&branch("e", &id, Role::Primary, End::Success(None)));
        }
        tallies.count(&branch("f", "x", Role::Primary, End::Success(None)));
        // One that has lines has them in another role, too.
        tallies.count(&branch("e", "c0", Role::Fallback, End::Success(None)));
        let text = page(&tallies);
        let other = |experiment| {
            let series = "spearmint_branches_total";
            format!(
                "{series}{{experiment=\"{experiment}\",config_id=\"other\",role=\"primary\",status=\"success\"}}"
            )
        };
        assert_eq!(value(&text, &other("e")), 300);
        assert_eq!(value(&text, &other("other")), 1);
        assert_eq!(value(&text, "spearmint_metrics_other_branches_total"), 301);
        assert_eq!(tallies.tallies.len(), most + 3);
    }
}
