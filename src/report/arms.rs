//! The arms of an experiment: what its roll-ups come to, config by config.

mod arm;
mod figures;

pub use figures::ArmFigures;

pub(super) use arm::{Arm, InEpoch};
pub(super) use figures::share;

use super::{
    HOUR_NS, Plan, SetAside,
    kept::Plans,
    outcome::Outcomes,
    settled::{Clock, InEpochOf, Tally, UnderWay, longest_ns},
};
use crate::{
    branch::Role,
    config::ConfigId,
    store::{Rollup, StoreError, UnitBucket},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

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
    /// What was set aside of configs that are none of these.
    aside: Vec<SetAside>,
}

impl Arms {
    /// Those that may share the requests between them: the baseline first.
    pub(super) fn split(&self) -> impl Iterator<Item = &Arm> {
        std::iter::once(&self.baseline).chain(&self.candidates)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arm> {
        self.split().chain(&self.control)
    }

    /// What was set aside, config by config.
    pub(super) fn aside(&self) -> Vec<SetAside> {
        self.split().flat_map(Arm::set_aside).chain(self.aside.iter().cloned()).collect()
    }

    /// Whether each request goes to one arm alone, so that there is a split to check.
    pub(super) fn are_split(&self) -> bool {
        self.baseline.role == Role::Primary
            && !self.candidates.is_empty()
            && self.candidates.iter().all(|arm| arm.role == Role::Primary)
    }
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
    for (of, followed) in outcomes.by_arm() {
        if let Some(epoch) = in_epoch(&mut found, of, Role::Primary) {
            epoch.followed = followed;
        }
    }
    for ((of, role), tally) in told {
        if let Some(epoch) = in_epoch(&mut found, of, role) {
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
    (experiment, strategy, config_id, epoch): InEpochOf,
    role: Role,
) -> Option<&mut InEpoch> {
    let arms = &mut found.get_mut(&(experiment, strategy))?.arms;
    arms.get_mut(&(config_id, role))?.epochs.get_mut(&epoch)
}

#[derive(Default)]
struct Gathered {
    since_ns: Option<u64>,
    until_ns: u64,
    arms: BTreeMap<(ConfigId, Role), Arm>,
    /// What chance did not assign.
    aside: Vec<Rollup>,
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
        let place = self.arms.len();
        let arm = self.arms.entry(of.clone()).or_insert_with(|| Arm::empty(&rollup, place));
        if rollup.aside.is_some() {
            self.aside.push(rollup);
            return;
        }
        arm.add(&rollup);
        // (Of what answers the split is checked, and of what runs beside it the pairs.)
        if matches!(rollup.role, Role::Primary | Role::Shadow) && clock.may_be_under_way(&rollup) {
            let (epoch, end_ns, tally) = (rollup.epoch, rollup.end_ns(), Tally::of(&rollup));
            self.recent.push(Recent { arm: of, epoch, end_ns, tally });
        }
    }

    /// What chance did not assign is in no comparison, but beside a shadow: both have the same request, whatever
    /// brought it there.
    fn set_aside(&mut self) {
        let beside = self.arms.keys().any(|(_, role)| *role == Role::Shadow);
        for rollup in std::mem::take(&mut self.aside) {
            let Some(arm) = self.arms.get_mut(&(rollup.config_id.clone(), rollup.role)) else {
                continue;
            };
            match rollup.aside {
                Some(reason) if !beside => {
                    *arm.aside.entry(reason).or_default() += rollup.requests();
                }
                _ => arm.add(&rollup),
            }
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
        self.set_aside();
        self.settle(clock);
        let mut arms: Vec<_> = self.arms.into_values().collect();
        let Some(baseline) = baseline(&arms, named)? else { return Ok(None) };
        let epochs: BTreeSet<_> = baseline.epochs.keys().copied().collect();
        let (baseline, role) = (baseline.config_id.clone(), baseline.role);
        let is_baseline = |arm: &Arm| arm.config_id == baseline && arm.role == role;
        let is_beside = |arm: &Arm| matches!(arm.role, Role::Shadow | Role::Control);
        let beside = arms.iter().any(|arm| arm.role == Role::Shadow);
        // Their pairs are with the primary of their epoch, which may have been another one.
        arms.iter_mut().filter(|arm| is_beside(arm)).for_each(|arm| arm.keep_epochs(&epochs));
        let (there, none): (Vec<_>, Vec<_>) =
            arms.into_iter().partition(|arm| !arm.is_empty() || is_baseline(arm));
        let mut arms = there;
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
            aside: none.iter().flat_map(Arm::set_aside).collect(),
        }))
    }
}

/// What the others are held against: the config that is named, or the one that was there first. `None` if no branch
/// answered anybody.
///
/// The first stays that from look to look: where it was the one with the most requests, two that share them equally
/// would take turns, and each would have a question of its own asked of it. First by hours, as minutes do not last;
/// within one in the order in which they came to the store (of several stores, by id).
fn baseline<'a>(arms: &'a [Arm], named: Option<&str>) -> Result<Option<&'a Arm>, StoreError> {
    let answering = || arms.iter().filter(|arm| matches!(arm.role, Role::Primary | Role::Branch));
    let Some(id) = named else {
        let hour = |arm: &Arm| arm.whole.start_ns / HOUR_NS;
        return Ok(answering().min_by_key(|arm| (arm.is_empty(), hour(arm), arm.place)));
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
