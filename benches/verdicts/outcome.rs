//! What was said of the runs of a scenario first, and how often that is false.

use crate::{LOOKS, scenario::Scenario, world::World};
use tower_spearmint::{
    report::{Candidate, MetricRole, Standing, Verdict},
    stats::fixed::{Proportion, wilson},
};

/// What is said.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Said {
    Ship,
    /// `keep`, as the candidate does harm.
    Harm,
    /// `keep`, as it cannot bring what is worth it.
    NoUse,
    Broken,
}

/// How often each may be said falsely.
const BOUNDS: [(Said, f64); 4] =
    [(Said::Ship, 0.05), (Said::Harm, 0.05), (Said::NoUse, 0.05), (Said::Broken, 0.001)];

/// What was said first of a run, and after how many requests.
pub(crate) type First = Option<(Said, u64)>;

/// The first verdict that decides, looking again and again.
pub(crate) fn first(scenario: &Scenario, run: u64) -> First {
    let mut world = World::new(scenario, run);
    for look in 1..=LOOKS {
        let requests = scenario.requests * look / LOOKS;
        world.go_on_to(requests);
        if let Some(said) = world.look().as_ref().and_then(said) {
            return Some((said, requests));
        }
    }
    None
}

/// What the verdict comes to; `None` if it is not there yet.
pub(crate) fn said(candidate: &Candidate) -> Option<Said> {
    let harm = candidate.findings.iter().any(|finding| {
        finding.metric.role != MetricRole::Quality && finding.standing == Standing::Worse
    });
    match candidate.verdict {
        Verdict::Ship => Some(Said::Ship),
        Verdict::Keep => Some(if harm { Said::Harm } else { Said::NoUse }),
        Verdict::Broken => Some(Said::Broken),
        _ => None,
    }
}

/// All runs of a scenario.
pub(crate) struct Outcomes {
    /// How many runs.
    pub(crate) runs: usize,
    /// In how many of them each was said, in the order of [`BOUNDS`].
    said: [usize; 4],
    /// Whether that is false.
    is_false: [bool; 4],
    /// After how many requests, in order.
    after: Vec<u64>,
}

impl Outcomes {
    pub(crate) fn of(scenario: &Scenario, firsts: &[First]) -> Self {
        let mut after: Vec<_> = firsts.iter().flatten().map(|(_, requests)| *requests).collect();
        after.sort_unstable();
        let count =
            |wanted: Said| firsts.iter().flatten().filter(|(said, _)| *said == wanted).count();
        Self {
            runs: firsts.len(),
            said: BOUNDS.map(|(said, _)| count(said)),
            is_false: scenario.false_ones(),
            after,
        }
    }

    /// The share of the runs of which it was said, for each of `ship`, harm, no use and `broken`; and whether
    /// it is false.
    pub(crate) fn shares(&self) -> [(f64, bool); 4] {
        std::array::from_fn(|at| (self.said[at] as f64 / self.runs as f64, self.is_false[at]))
    }

    /// The share of which nothing was said.
    pub(crate) fn undecided(&self) -> f64 {
        (self.runs - self.after.len()) as f64 / self.runs as f64
    }

    /// After how many requests this share of all runs had come to an end; `None` if fewer did.
    pub(crate) fn decided_by(&self, share: f64) -> Option<u64> {
        let rank = (self.runs as f64 * share).ceil() as usize;
        self.after.get(rank.max(1) - 1).copied()
    }

    /// Whether nothing false was said more often than it may be; what chance may do is allowed for, so that a
    /// bound that holds is found wanting in one of ten thousand tables.
    pub(crate) fn hold(&self) -> bool {
        BOUNDS.iter().enumerate().all(|(at, (_, bound))| {
            let seen = Proportion { successes: self.said[at] as u64, trials: self.runs as u64 };
            let least = wilson(seen, 1e-4).map_or(0.0, |interval| interval.low);
            !self.is_false[at] || least <= *bound
        })
    }
}
