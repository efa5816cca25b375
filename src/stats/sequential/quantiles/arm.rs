//! What speaks against a value being an arm's quantile.

use super::Buckets;
use crate::stats::sequential::mixture::{self, Chance};
use crate::stats::sequential::{Requests, checked};

/// What speaks against a value being the quantile, by how many values are below it.
pub(super) struct Arm<'a> {
    pub(super) values: &'a Buckets<'a>,
    chance: Chance,
    prior: (f64, f64),
}

/// Both arms.
pub(super) struct Arms<'a> {
    pub(super) first: Arm<'a>,
    pub(super) second: Arm<'a>,
    pub(super) requests: Requests,
}

impl<'a> Arms<'a> {
    /// `None` if `p` is not between 0 and 1.
    pub(super) fn of(
        [first, second]: [&'a Buckets<'a>; 2],
        requests: Requests,
        p: f64,
        target: f64,
    ) -> Option<Self> {
        let chance = Chance::of(checked(p)?);
        let prior = chance.prior(mixture::concentration(target));
        let arm = |values| Arm { values, chance, prior };
        Some(Self { first: arm(first), second: arm(second), requests })
    }
}

impl Arm<'_> {
    /// The number below that speaks least against: about `p n`, where the logarithm of the mixture
    /// is flat.
    pub(super) fn likeliest_rank(&self) -> f64 {
        let total = self.values.total() as f64;
        (self.chance.hit * (total - 1.0) + 0.5).clamp(0.0, total)
    }

    pub(super) fn likeliest(&self) -> f64 {
        self.values.at_rank(self.likeliest_rank().ceil() as u64).unwrap_or(0.0)
    }

    /// The least that speaks against any value.
    pub(super) fn least_of_all(&self) -> f64 {
        self.least(0, self.values.total())
    }

    /// The least that speaks against a value, if from `below` to `up_to` values may count as below
    /// it.
    pub(super) fn least(&self, below: u64, up_to: u64) -> f64 {
        let total = self.values.total() as f64;
        let hits = self.likeliest_rank().clamp(below as f64, up_to as f64);
        mixture::beta_binomial(hits, total - hits, self.chance, self.prior)
    }
}
