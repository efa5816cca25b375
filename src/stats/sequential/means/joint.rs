//! What a sample of pairs comes to.

use super::Estimate;

/// How many pairs there are, the mean and the variance of either side, and how far both go
/// together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Joint {
    /// How many.
    pub count: u64,
    /// The means of the first and of the second of each pair; 0 if there are none.
    pub means: (f64, f64),
    /// Their sample variances, with `count − 1`; 0 for fewer than two.
    pub variances: (f64, f64),
    /// Their sample covariance, likewise.
    pub covariance: f64,
}

impl Joint {
    /// Of these pairs, by Welford's recurrence.
    ///
    /// ```
    /// use tower_spearmint::stats::sequential::means::Joint;
    ///
    /// let pairs = Joint::of([(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]);
    /// assert_eq!((pairs.means, pairs.variances, pairs.covariance), ((2.0, 4.0), (1.0, 4.0), 2.0));
    /// ```
    pub fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> Self {
        pairs.into_iter().fold(Self::default(), |all, pair| {
            all.with(&Self { count: 1, means: pair, ..Self::default() })
        })
    }

    /// Those of both together (Chan, Golub & LeVeque, *Updating formulae and a pairwise algorithm
    /// for computing sample variances*, 1979).
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let count = self.count.saturating_add(other.count);
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { *other } else { *self };
        }
        let (one, two, all) = (self.count as f64, other.count as f64, count as f64);
        let apart = (other.means.0 - self.means.0, other.means.1 - self.means.1);
        let share = two / all;
        let together = |a: f64, b: f64, product: f64| {
            ((one - 1.0) * a + (two - 1.0) * b + product * one * share) / (all - 1.0)
        };
        Self {
            count,
            means: (self.means.0 + apart.0 * share, self.means.1 + apart.1 * share),
            variances: (
                together(self.variances.0, other.variances.0, apart.0 * apart.0),
                together(self.variances.1, other.variances.1, apart.1 * apart.1),
            ),
            covariance: together(self.covariance, other.covariance, apart.0 * apart.1),
        }
    }

    /// The mean of the second minus that of the first: of a primary and its shadow, on the same
    /// requests.
    pub fn difference(&self) -> Estimate {
        let variance = self.variances.0 + self.variances.1 - 2.0 * self.covariance;
        self.estimate(self.means.1 - self.means.0, variance)
    }

    /// The mean of the second over that of the first, by the delta method.
    ///
    /// With the number of requests of each unit as the first, and the sum of their values as the
    /// second, this is the mean per request, with a variance that allows for requests of a unit
    /// being alike (Deng, Knoblich & Lu, *Applying the delta method in metric analytics*, KDD 2018,
    /// arXiv 1803.06336, on randomization units). The units may be added up in buckets of units
    /// first: then a bucket is a pair.
    ///
    /// ```
    /// use tower_spearmint::stats::sequential::means::Joint;
    ///
    /// // Three users with 10, 20 and 30 requests, of which 1, 2 and 6 failed.
    /// let users = Joint::of([(10.0, 1.0), (20.0, 2.0), (30.0, 6.0)]);
    /// assert_eq!(users.ratio().value, 9.0 / 60.0);
    /// ```
    pub fn ratio(&self) -> Estimate {
        let ratio = self.means.1 / self.means.0;
        let variance =
            self.variances.1 - 2.0 * ratio * self.covariance + ratio * ratio * self.variances.0;
        self.estimate(ratio, variance / (self.means.0 * self.means.0))
    }

    fn estimate(&self, value: f64, variance: f64) -> Estimate {
        // Rounding may make it less than nothing.
        Estimate {
            value,
            variance: variance.max(0.0) / self.count as f64,
            count: self.count,
            smallest: self.count,
        }
    }
}

/// The second arm's mean minus the first's, with less noise: of each observation is subtracted what
/// was to be expected from a value that is known before the experiment begins (CUPED: Deng, Xu,
/// Kohavi & Walker, *Improving the sensitivity of online controlled experiments by utilizing
/// pre-experiment data*, WSDM 2013).
///
/// The first of each pair is the value known before, the second what is measured. With `θ` the
/// slope of one on the other within both arms together, this is `ȳ₂ − ȳ₁ − θ (x̄₂ − x̄₁)`, with the
/// variance of `y − θ x` in each arm over its count.
///
/// ```
/// use tower_spearmint::stats::sequential::means::{Joint, cuped};
///
/// let before = |n: u32| f64::from(n % 100);
/// let first = Joint::of((0..1_000).map(|n| (before(n), before(n) + f64::from(n % 7))));
/// let second = Joint::of((0..1_000).map(|n| (before(n), before(n) + f64::from(n % 7) + 1.0)));
/// let adjusted = cuped(&first, &second);
/// assert!((adjusted.value - 1.0).abs() < 1e-9 && adjusted.variance < 0.01);
/// ```
pub fn cuped(first: &Joint, second: &Joint) -> Estimate {
    let together = |of: fn(&Joint) -> f64| {
        let weight = |arm: &Joint| arm.count.saturating_sub(1) as f64;
        weight(first) * of(first) + weight(second) * of(second)
    };
    let (covariance, variance) = (together(|arm| arm.covariance), together(|arm| arm.variances.0));
    let slope = if variance > 0.0 { covariance / variance } else { 0.0 };
    let adjusted = |arm: &Joint| {
        let variance =
            arm.variances.1 - 2.0 * slope * arm.covariance + slope * slope * arm.variances.0;
        arm.estimate(arm.means.1 - slope * arm.means.0, variance)
    };
    adjusted(second).minus(&adjusted(first))
}
