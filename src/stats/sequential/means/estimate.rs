//! A number that is known up to an error.

use crate::stats::Summary;

/// Something that is a mean, or made of means, and how far it scatters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// What is estimated.
    pub value: f64,
    /// Its variance (the square of its standard error), which shrinks as the observations become
    /// more.
    pub variance: f64,
    /// How many observations it is made of: if they are clustered, how many clusters.
    pub count: u64,
    /// How many the arm with the fewest has; of one arm all.
    pub smallest: u64,
}

impl Estimate {
    /// The mean of these. (For pairs, of their differences: see also
    /// [`Joint::difference`](super::Joint::difference).)
    pub fn mean(of: &Summary) -> Self {
        let variance = of.variance_of_mean().unwrap_or(0.0);
        Self { value: of.mean, variance, count: of.count, smallest: of.count }
    }

    /// The difference to the estimate of another arm, whose observations are others.
    ///
    /// ```
    /// use tower_spearmint::stats::{Summary, sequential::means::Estimate};
    ///
    /// let arm = |mean| Estimate::mean(&Summary { count: 400, mean, variance: 4.0 });
    /// let difference = arm(5.0).minus(&arm(4.5));
    /// assert_eq!((difference.value, difference.variance, difference.count), (0.5, 0.02, 800));
    /// ```
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self {
            value: self.value - other.value,
            ..self.beside(other, self.variance + other.variance)
        }
    }

    /// By what share of the other arm's it is more (0.1: by a tenth), by the delta method:
    /// `b / a − 1` with the variance `V_b / a² + b² V_a / a⁴`. That is for an `a` which is many
    /// standard errors from 0.
    ///
    /// ```
    /// use tower_spearmint::stats::{Summary, sequential::means::Estimate};
    ///
    /// let arm = |mean| Estimate::mean(&Summary { count: 400, mean, variance: 4.0 });
    /// assert!((arm(5.5).relative_to(&arm(5.0)).value - 0.1).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn relative_to(&self, baseline: &Self) -> Self {
        let ratio = self.value / baseline.value;
        let variance =
            (self.variance + ratio * ratio * baseline.variance) / (baseline.value * baseline.value);
        Self { value: ratio - 1.0, ..self.beside(baseline, variance) }
    }

    fn beside(&self, other: &Self, variance: f64) -> Self {
        Self {
            variance,
            count: self.count.saturating_add(other.count),
            smallest: self.smallest.min(other.smallest),
            ..*self
        }
    }
}
