//! What was measured and does not count, because of what is missing of it.

use super::{
    Measure, Metric, MetricRole,
    arms::{Arm, share},
    beside,
    effect::TRIALS,
    sentence,
};
use crate::{
    branch::{Role, SkipReason},
    stats::sequential::{Requests, rates},
};

/// More than this share of an arm without an end of its own, or without what is said of it, and those that are left are
/// not the same kind of requests.
const BOUND: f64 = 0.01;

/// How often at most that is said of two arms of which as much is said.
const ALPHA: f64 = 0.001;

/// What does not count, and why.
#[derive(Debug)]
pub(super) enum Withheld {
    /// Nothing of it.
    All(String),
    /// What speaks for the candidate.
    Favour(String),
}

impl Withheld {
    pub(super) fn into_reason(self) -> String {
        match self {
            Self::All(why) | Self::Favour(why) => why,
        }
    }
}

pub(super) fn of(metric: &Metric, baseline: &Arm, candidate: &Arm) -> Option<Withheld> {
    let measure = &metric.measure;
    match candidate.role {
        Role::Shadow => {
            let times = measure.quantile().is_some() && !measure.is_first_byte();
            let unknown = times.then(|| beside::times(&candidate.whole).err()).flatten();
            unknown.map(Withheld::All).or_else(|| skipped_itself(candidate).map(Withheld::Favour))
        }
        Role::Branch if measure.quantile().is_some() || matches!(measure, Measure::Mean(_)) => {
            [candidate, baseline].into_iter().find_map(unfinished).map(Withheld::All)
        }
        _ => None,
    }
    .or_else(|| unsaid(metric, baseline, candidate).map(Withheld::Favour))
}

/// Of a shadow that was too slow or too broken for too many of its requests: as of those nobody knows how they would
/// have ended, it may do harm by what was seen, and is cleared by nothing.
fn skipped_itself(shadow: &Arm) -> Option<String> {
    let skips: Vec<_> = shadow.whole.skips.iter().filter(|(why, _)| is_its_own(**why)).collect();
    let skipped = skips.iter().map(|(_, count)| **count).sum();
    let share = share(skipped, shadow.whole.requests()).filter(|share| *share > BOUND)?;
    Some(sentence::skipped_itself(shadow, share, &skips))
}

/// Whether a shadow was skipped because of its own service, and not of the request or the machine.
const fn is_its_own(reason: SkipReason) -> bool {
    matches!(reason, SkipReason::MaxInFlight | SkipReason::BreakerOpen | SkipReason::NotReady)
}

/// Where every request goes to all arms, and the slower ones are cancelled when one has answered, or all when the caller
/// leaves, the fast ones of each are left.
fn unfinished(arm: &Arm) -> Option<String> {
    let whole = &arm.whole;
    let share = share(whole.cancelled + whole.skipped, whole.requests());
    share.filter(|share| *share > BOUND).map(|share| sentence::unfinished(arm, share))
}

/// A candidate that fails where the number would be low, or does not say it there, is not better for it. (Of a shadow
/// the requests count in which both say it.)
fn unsaid(metric: &Metric, baseline: &Arm, candidate: &Arm) -> Option<String> {
    let Measure::Mean(name) = &metric.measure else { return None };
    if metric.role != MetricRole::Success || candidate.role == Role::Shadow {
        return None;
    }
    let counts = [baseline, candidate].map(|arm| {
        let said = arm.whole.metrics.get(name).map_or(0, |sums| sums.count());
        (said, arm.whole.success + arm.whole.failed)
    });
    let [one, other] = counts.map(|(said, ended)| share(said, ended));
    let (one, other) = (one?, other?);
    let requests = if candidate.role == Role::Primary { Requests::Apart } else { Requests::Shared };
    let within = rates::difference(counts[0], counts[1], requests, ALPHA, TRIALS)?;
    let differ = (other - one).abs() > BOUND && !within.contains(0.0);
    differ.then(|| sentence::unsaid([(baseline, one), (candidate, other)]))
}
