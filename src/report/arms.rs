//! The arms of an experiment: what its roll-ups come to, config by config.

use super::{
    Plan,
    completions::Clusters,
    kept::Plans,
    outcome::{Followed, Outcomes},
    settled::{Answering, Clock, Tally, UnderWay, longest_ns},
    units::Units,
};
use crate::{
    branch::{FailureKind, Role},
    config::ConfigId,
    store::{Histogram, Rollup, StoreError, UnitBucket, UnitSums},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The branches of one config in one role, summed up.
#[derive(Debug, Clone)]
pub(super) struct Arm {
    pub(super) config_id: ConfigId,
    pub(super) role: Role,
    /// All epochs together.
    pub(super) whole: Rollup,
    /// By the fingerprint of the weights and rules.
    pub(super) epochs: BTreeMap<Option<u64>, InEpoch>,
}

/// What is told apart by epoch: its share of the requests was another one in each.
#[derive(Debug, Clone)]
pub(super) struct InEpoch {
    pub(super) whole: Rollup,
    /// Where its last minute ends, in ns since the Unix epoch.
    pub(super) until_ns: u64,
    /// What of it is of minutes whose requests may still be under way.
    pub(super) unsettled: Tally,
    /// The part of it that is known to be of units.
    pub(super) units: Units,
    /// What its units did later.
    pub(super) followed: Followed,
    /// What was said of the branches of units, by name and bucket.
    pub(super) metric_units: BTreeMap<Arc<str>, BTreeMap<u32, UnitSums>>,
    /// Those without an end of their own, by unit.
    pub(super) clusters: Clusters,
}

impl InEpoch {
    fn new(rollup: &Rollup) -> Self {
        Self {
            whole: rollup.clone(),
            until_ns: rollup.end_ns(),
            unsettled: Tally::default(),
            units: Units::default(),
            followed: Followed::default(),
            metric_units: BTreeMap::new(),
            clusters: Clusters::default(),
        }
    }

    fn add(&mut self, rollup: &Rollup) {
        self.whole.merge(rollup);
        self.until_ns = self.until_ns.max(rollup.end_ns());
    }

    fn add_bucket(&mut self, bucket: &UnitBucket) {
        self.clusters.add(bucket);
        self.units.add(bucket);
        for (name, sums) in &bucket.metrics {
            let of = self.metric_units.entry(name.clone()).or_default();
            of.entry(bucket.bucket).or_default().merge(sums);
        }
    }

    /// What of it is of minutes that are settled.
    pub(super) fn settled(&self) -> Tally {
        Tally::of(&self.whole) - self.unsettled
    }

    /// How many values of a metric stand in buckets of units.
    pub(super) fn metric_count(&self, name: &str) -> u64 {
        let sums = self.metric_units.get(name).into_iter().flat_map(BTreeMap::values);
        sums.map(|sums| sums.count).sum()
    }

    /// So many requests tell no more than one.
    pub(super) fn design_effect(&self) -> f64 {
        self.units.design_effect()
    }
}

/// The arms of an experiment, by their part in the comparison.
#[derive(Debug)]
pub(super) struct Arms {
    pub(super) experiment: Arc<str>,
    pub(super) strategy: Arc<str>,
    pub(super) since_ns: u64,
    pub(super) until_ns: u64,
    pub(super) baseline: Arm,
    pub(super) control: Option<Arm>,
    pub(super) candidates: Vec<Arm>,
}

impl Arms {
    /// Those that may share the requests between them: the baseline first.
    pub(super) fn split(&self) -> impl Iterator<Item = &Arm> {
        std::iter::once(&self.baseline).chain(&self.candidates)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arm> {
        self.split().chain(&self.control)
    }

    /// Whether each request goes to one arm alone, so that there is a split to check.
    pub(super) fn are_split(&self) -> bool {
        self.baseline.role == Role::Primary
            && !self.candidates.is_empty()
            && self.candidates.iter().all(|arm| arm.role == Role::Primary)
    }
}

/// What the branches of one config come to, in one role.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ArmFigures {
    /// The id of the config.
    pub config_id: ConfigId,
    /// What the branches did for their requests.
    pub role: Role,
    /// Branches, however they ended.
    pub requests: u64,
    /// Those that returned, to the end.
    pub success: u64,
    /// Those that were started and went wrong.
    pub failed: u64,
    /// Those among the failed that timed out.
    pub timed_out: u64,
    /// Those that were refused before they were started.
    pub skipped: u64,
    /// Those whose caller left.
    pub cancelled: u64,
    /// Of those that ended by themselves, the share that failed.
    pub error_rate: Option<f64>,
    /// The time to the end that half of them do not exceed, in ns; time-outs count as the longest.
    pub p50_ns: Option<u64>,
    /// The same of 95 %, in ns.
    pub p95_ns: Option<u64>,
    /// The same of 99 %, in ns.
    pub p99_ns: Option<u64>,
    /// Of the answers that were compared with the primary's, the share that are equal.
    pub agreement: Option<f64>,
    /// Bytes of the request body that a branch read, on average, where they were counted.
    pub bytes_in: Option<f64>,
    /// Bytes of its response body, on average.
    pub bytes_out: Option<f64>,
    /// How long those took that ended by themselves, in ns; not in the JSON.
    #[serde(skip)]
    pub duration: Histogram,
}

impl Arm {
    pub(super) fn figures(&self) -> ArmFigures {
        let whole = &self.whole;
        let quantile = |q| whole.duration.quantile(q);
        ArmFigures {
            config_id: self.config_id.clone(),
            role: self.role,
            requests: whole.requests(),
            success: whole.success,
            failed: whole.failed,
            timed_out: whole.failures.get(&FailureKind::Timeout).copied().unwrap_or(0),
            skipped: whole.skipped,
            cancelled: whole.cancelled,
            error_rate: share(whole.failed, whole.failed + whole.success),
            p50_ns: quantile(0.5),
            p95_ns: quantile(0.95),
            p99_ns: quantile(0.99),
            agreement: share(whole.pairs.equal, whole.pairs.equal + whole.pairs.different),
            bytes_in: whole.bytes_in.mean(),
            bytes_out: whole.bytes_out.mean(),
            duration: whole.duration.clone(),
        }
    }

    fn new(rollup: Rollup) -> Self {
        Self {
            config_id: rollup.config_id.clone(),
            role: rollup.role,
            epochs: BTreeMap::from([(rollup.epoch, InEpoch::new(&rollup))]),
            whole: rollup,
        }
    }

    fn add(&mut self, rollup: &Rollup) {
        self.whole.merge(rollup);
        match self.epochs.get_mut(&rollup.epoch) {
            Some(epoch) => epoch.add(rollup),
            None => {
                self.epochs.insert(rollup.epoch, InEpoch::new(rollup));
            }
        }
    }

    /// Forgets what is of other epochs. Nothing is left of an arm that has none of these.
    fn keep_epochs(&mut self, epochs: &BTreeSet<Option<u64>>) {
        let before = self.epochs.len();
        self.epochs.retain(|epoch, _| epochs.contains(epoch));
        if self.epochs.len() == before {
            return;
        }
        let mut kept = self.epochs.values().map(|epoch| &epoch.whole);
        if let Some(first) = kept.next() {
            self.whole = first.clone();
            kept.for_each(|epoch| self.whole.merge(epoch));
        }
    }
}

pub(super) fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

/// The experiments among these roll-ups, by name; `buckets` say which of their requests belong together, and
/// `under_way` what may still be that.
pub(super) fn gather(
    rollups: impl IntoIterator<Item = Result<Rollup, StoreError>>,
    buckets: impl IntoIterator<Item = UnitBucket>,
    mut outcomes: Outcomes,
    plans: &Plans<'_>,
    under_way: UnderWay,
) -> Result<Vec<(Plan, Arms)>, StoreError> {
    let UnderWay { clock, told } = under_way;
    let mut found: BTreeMap<(Arc<str>, Arc<str>), Gathered> = BTreeMap::new();
    for rollup in rollups {
        let rollup = rollup?;
        outcomes.see(&rollup);
        let of = (rollup.experiment.clone(), rollup.strategy.clone());
        found.entry(of).or_default().add(rollup, clock);
    }
    for bucket in buckets {
        let of = (bucket.experiment.clone(), bucket.strategy.clone());
        let arms = found.get_mut(&of).map(|gathered| &mut gathered.arms);
        let arm = arms.and_then(|arms| arms.get_mut(&(bucket.config_id.clone(), bucket.role)));
        let epoch = bucket.epoch.map(|epoch| epoch.fingerprint());
        if let Some(epoch) = arm.and_then(|arm| arm.epochs.get_mut(&epoch)) {
            epoch.add_bucket(&bucket);
        }
    }
    for (answering, followed) in outcomes.by_arm() {
        if let Some(epoch) = in_epoch(&mut found, answering) {
            epoch.followed = followed;
        }
    }
    for (answering, tally) in told {
        if let Some(epoch) = in_epoch(&mut found, answering) {
            epoch.unsettled = epoch.unsettled + tally;
        }
    }
    let arms = found.into_iter().map(|((experiment, strategy), gathered)| {
        let plan = plans.of(&experiment)?;
        match gathered.into_arms(experiment, strategy, plan.baseline.as_deref(), clock) {
            Err(StoreError::NoConfig { .. }) if plans.may_leave_out() => Ok(None),
            arms => Ok(arms?.map(|arms| (plan, arms))),
        }
    });
    arms.filter_map(Result::transpose).collect()
}

fn in_epoch(
    found: &mut BTreeMap<(Arc<str>, Arc<str>), Gathered>,
    (experiment, strategy, config_id, epoch): Answering,
) -> Option<&mut InEpoch> {
    let arms = &mut found.get_mut(&(experiment, strategy))?.arms;
    arms.get_mut(&(config_id, Role::Primary))?.epochs.get_mut(&epoch)
}

#[derive(Default)]
struct Gathered {
    since_ns: Option<u64>,
    until_ns: u64,
    arms: BTreeMap<(ConfigId, Role), Arm>,
    /// The minutes of the last day: how long branches take is known when all are read.
    recent: Vec<Recent>,
}

struct Recent {
    arm: (ConfigId, Role),
    epoch: Option<u64>,
    end_ns: u64,
    tally: Tally,
}

impl Gathered {
    fn add(&mut self, rollup: Rollup, clock: Clock) {
        let since = self.since_ns.get_or_insert(rollup.start_ns);
        *since = rollup.start_ns.min(*since);
        self.until_ns = self.until_ns.max(rollup.end_ns());
        let of = (rollup.config_id.clone(), rollup.role);
        // (Only what answers is split.)
        if rollup.role == Role::Primary && clock.may_be_under_way(&rollup) {
            let (epoch, end_ns, tally) = (rollup.epoch, rollup.end_ns(), Tally::of(&rollup));
            self.recent.push(Recent { arm: of.clone(), epoch, end_ns, tally });
        }
        if let Some(arm) = self.arms.get_mut(&of) {
            arm.add(&rollup);
        } else {
            self.arms.insert(of, Arm::new(rollup));
        }
    }

    /// Tells apart what may still be under way.
    fn settle(&mut self, clock: Clock) {
        let each = self.arms.values().map(|arm| longest_ns(&arm.whole.duration));
        let longest_ns = each.max().unwrap_or(0);
        for Recent { arm, epoch, end_ns, tally } in std::mem::take(&mut self.recent) {
            let arm = self.arms.get_mut(&arm).filter(|_| clock.is_under_way(end_ns, longest_ns));
            if let Some(epoch) = arm.and_then(|arm| arm.epochs.get_mut(&epoch)) {
                epoch.unsettled = epoch.unsettled + tally;
            }
        }
    }

    /// `None` if no branch answered anybody.
    fn into_arms(
        mut self,
        experiment: Arc<str>,
        strategy: Arc<str>,
        named: Option<&str>,
        clock: Clock,
    ) -> Result<Option<Arms>, StoreError> {
        self.settle(clock);
        let mut arms: Vec<_> = self.arms.into_values().collect();
        let Some(baseline) = baseline(&arms, named)? else { return Ok(None) };
        let epochs: BTreeSet<_> = baseline.epochs.keys().copied().collect();
        let (baseline, role) = (baseline.config_id.clone(), baseline.role);
        let is_beside = |arm: &Arm| matches!(arm.role, Role::Shadow | Role::Control);
        let beside = arms.iter().any(|arm| arm.role == Role::Shadow);
        // Their pairs are with the primary of their epoch, which may have been another one.
        arms.iter_mut().filter(|arm| is_beside(arm)).for_each(|arm| arm.keep_epochs(&epochs));
        arms.retain(|arm| !arm.epochs.is_empty());
        let mut take = |config: Option<&ConfigId>, role: Role| {
            let at = arms.iter().position(|arm| {
                arm.role == role && config.is_none_or(|config| arm.config_id == *config)
            })?;
            Some(arms.remove(at))
        };
        let control = take(None, Role::Control);
        let Some(baseline) = take(Some(&baseline), role) else { return Ok(None) };
        let role = if beside { Role::Shadow } else { role };
        let candidates = arms.into_iter().filter(|arm| arm.role == role).collect();
        Ok(Some(Arms {
            experiment,
            strategy,
            since_ns: self.since_ns.unwrap_or(0),
            until_ns: self.until_ns,
            baseline,
            control,
            candidates,
        }))
    }
}

/// What the others are held against: the config that is named, or the one with the most requests. `None`
/// if no branch answered anybody.
fn baseline<'a>(arms: &'a [Arm], named: Option<&str>) -> Result<Option<&'a Arm>, StoreError> {
    let answering = || arms.iter().filter(|arm| matches!(arm.role, Role::Primary | Role::Branch));
    let Some(id) = named else {
        return Ok(answering().max_by_key(|arm| arm.whole.requests()));
    };
    let exact = answering().find(|arm| arm.config_id.as_str() == id);
    let mut begin = answering().filter(|arm| arm.config_id.as_str().starts_with(id));
    match (exact, begin.next(), begin.next()) {
        (Some(arm), ..) | (None, Some(arm), None) => Ok(Some(arm)),
        (None, None, _) => {
            let known = answering().map(|arm| arm.config_id.to_string()).collect();
            Err(StoreError::NoConfig { id: id.to_owned(), known })
        }
        (None, Some(one), Some(other)) => {
            let others = begin.map(|arm| arm.config_id.to_string());
            let matching = [one, other].map(|arm| arm.config_id.to_string());
            let matching = matching.into_iter().chain(others).collect();
            Err(StoreError::AmbiguousConfig { id: id.to_owned(), matching })
        }
    }
}
