//! Scores whose bounds are known: betting on them in the order of the branches.

use super::{
    ALPHA,
    error::FixedError,
    test::{AlsoTested, Method},
};
use crate::{
    branch::BranchId,
    stats::{Interval, sequential::betting::Betting},
};
use std::{collections::BTreeMap, sync::Arc};

/// The lowest and the highest value that a metric can have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Bounds {
    /// Whether they have nothing between them.
    pub(super) fn is_nothing(&self) -> bool {
        !(self.low < self.high && self.low.is_finite() && self.high.is_finite())
    }
}

/// How fine the means are told apart, as a share of the bounds.
const STEPS: usize = 1_000;
/// Each takes two logarithms for each of the means; an interval after so many is as true as after all.
const MOST_SCORES: u64 = 100_000;

/// What is known of the means of an arm's scores, by name.
#[derive(Debug, Default)]
pub(super) struct Bets(BTreeMap<Arc<str>, (Bounds, Betting)>);

impl Bets {
    /// Takes a score, if the bounds of its name are known.
    pub(super) fn observe(
        &mut self,
        bounds: &BTreeMap<Arc<str>, Bounds>,
        name: &Arc<str>,
        value: f64,
        branch: BranchId,
    ) -> Result<(), FixedError> {
        let Some(bounds) = bounds.get(name).copied() else { return Ok(()) };
        let Bounds { low, high } = bounds;
        if !(low..=high).contains(&value) {
            let name = name.to_string();
            return Err(FixedError::OutOfBounds { name, value, low, high, branch });
        }
        if !self.0.contains_key(name)
            // Half of what an interval may be wrong with, for each side.
            && let Some(betting) = Betting::new(ALPHA / 2.0, STEPS)
        {
            self.0.insert(name.clone(), (bounds, betting));
        }
        if let Some((_, betting)) = self.0.get_mut(name).filter(|of| of.1.count() < MOST_SCORES) {
            // (Rounding must not lead out of the bounds.)
            betting.observe(((value - low) / (high - low)).clamp(0.0, 1.0));
        }
        Ok(())
    }

    /// Where the mean lies; `None` without scores of this name.
    fn interval(&self, name: &str) -> Option<Interval> {
        let (bounds, betting) = self.0.get(name)?;
        let Interval { low, high } = betting.interval()?;
        let place = |share: f64| bounds.low + share * (bounds.high - bounds.low);
        Interval::new(place(low), place(high))
    }
}

/// The difference of both means, the baseline's first.
pub(super) fn difference(name: &str, [control, treatment]: [&Bets; 2]) -> Option<AlsoTested> {
    let interval = treatment.interval(name)?.minus(&control.interval(name)?);
    Some(AlsoTested { method: Method::Betting, difference: None, interval, p: None })
}
