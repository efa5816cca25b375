//! How many of how many: one share, and two that are compared.

mod fisher;
mod mcnemar;
mod newcombe;
mod pooled_z;
mod relative_risk;
mod wilson;

pub use fisher::fisher_exact;
pub use mcnemar::{Discordant, McNemar, mcnemar};
pub use newcombe::{DifferenceOfProportions, newcombe};
pub use pooled_z::{ZTest, pooled_z};
pub use relative_risk::{RelativeRisk, relative_risk};
pub use wilson::wilson;

/// So many successes (or errors, or clicks) in so many trials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proportion {
    /// Of how many it was true.
    pub successes: u64,
    /// Of how many it could have been.
    pub trials: u64,
}

impl Proportion {
    /// The share; `None` without trials, or with more successes than trials.
    ///
    /// ```
    /// use tower_spearmint::stats::fixed::Proportion;
    ///
    /// assert_eq!(Proportion { successes: 1, trials: 4 }.share(), Some(0.25));
    /// assert_eq!(Proportion::default().share(), None);
    /// ```
    pub fn share(&self) -> Option<f64> {
        self.failures().filter(|_| self.trials > 0).map(|_| self.successes() / self.trials())
    }

    fn failures(&self) -> Option<f64> {
        self.trials.checked_sub(self.successes).map(|failures| failures as f64)
    }

    fn successes(&self) -> f64 {
        self.successes as f64
    }

    fn trials(&self) -> f64 {
        self.trials as f64
    }
}
