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
    /// The mean of these.
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

    /// What several epochs say of the same thing, each weighted by its count: for a split that
    /// changed. (Added up as if it had not, an arm that had more of the requests while all was slow
    /// looks slow.) An epoch in which an arm has fewer than two observations is left out.
    ///
    /// ```
    /// use tower_spearmint::stats::{Summary, sequential::means::Estimate};
    ///
    /// let arm = |count, mean| Estimate::mean(&Summary { count, mean, variance: 1.0 });
    /// // The second arm had a tenth in a slow hour, and half in a fast one; it is slower by 0.1.
    /// let hours = [arm(100, 5.1).minus(&arm(900, 5.0)), arm(500, 1.1).minus(&arm(500, 1.0))];
    /// assert!((Estimate::stratified(hours).value - 0.1).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn stratified(epochs: impl IntoIterator<Item = Self>) -> Self {
        let none = Self { value: 0.0, variance: 0.0, count: 0, smallest: 0 };
        epochs.into_iter().filter(|epoch| epoch.smallest > 1).fold(none, |all, epoch| {
            let count = all.count.saturating_add(epoch.count);
            let share = epoch.count as f64 / count as f64;
            let rest = 1.0 - share;
            Self {
                value: rest * all.value + share * epoch.value,
                variance: rest * rest * all.variance + share * share * epoch.variance,
                count,
                smallest: all.smallest.saturating_add(epoch.smallest),
            }
        })
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
