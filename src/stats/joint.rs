//! What a sample of pairs comes to.

use super::Summary;

/// Two numbers per unit: how many units, the means and variances of both numbers, and how they go
/// together. A unit is what was assigned (a user, a session), so that units are independent; its
/// numbers may be sums over its requests.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct JointSummary {
    /// How many units.
    pub count: u64,
    /// The mean of the first number.
    pub x_mean: f64,
    /// The mean of the second.
    pub y_mean: f64,
    /// The sample variance of the first; 0 for fewer than two units.
    pub x_variance: f64,
    /// That of the second.
    pub y_variance: f64,
    /// The sample covariance.
    pub covariance: f64,
}

impl JointSummary {
    /// Of these pairs, in one pass (Welford, as for [`Summary::of`]).
    ///
    /// ```
    /// use tower_spearmint::stats::JointSummary;
    ///
    /// let units = JointSummary::of([(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]);
    /// assert_eq!((units.x_variance, units.y_variance, units.covariance), (1.0, 4.0, 2.0));
    /// ```
    pub fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut all = Self::default();
        for (x, y) in pairs {
            all = all.merge(&Self { count: 1, x_mean: x, y_mean: y, ..Self::default() });
        }
        all
    }

    /// Of sums, sums of squares and of products, as [`Summary::from_sums`]. `None` if they are not
    /// finite, or if no units have them.
    pub fn from_sums(count: u64, x: f64, y: f64, xx: f64, xy: f64, yy: f64) -> Option<Self> {
        let (of_x, of_y) = (Summary::from_sums(count, x, xx)?, Summary::from_sums(count, y, yy)?);
        let scatter = xy - x * of_y.mean;
        let covariance = if count > 1 { scatter / (count as f64 - 1.0) } else { 0.0 };
        covariance.is_finite().then(|| Self::beside(of_x, of_y, covariance))
    }

    /// Of both samples together, as [`Summary::merge`].
    ///
    /// ```
    /// use tower_spearmint::stats::JointSummary;
    ///
    /// let one = JointSummary::of([(1.0, 2.0), (2.0, 4.0)]);
    /// let both = one.merge(&JointSummary::of([(3.0, 6.0)]));
    /// assert_eq!(both, JointSummary::of([(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]));
    /// ```
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { *other } else { *self };
        }
        let (x, y) = (self.x().merge(&other.x()), self.y().merge(&other.y()));
        let (n, m, all) = (self.count as f64, other.count as f64, x.count as f64);
        let apart = (other.x_mean - self.x_mean) * (n / all * m) * (other.y_mean - self.y_mean);
        let scatter = self.covariance * (n - 1.0) + other.covariance * (m - 1.0) + apart;
        Self::beside(x, y, scatter / (all - 1.0))
    }

    /// Two summaries of the same units.
    fn beside(x: Summary, y: Summary, covariance: f64) -> Self {
        Self {
            count: x.count,
            x_mean: x.mean,
            y_mean: y.mean,
            x_variance: x.variance,
            y_variance: y.variance,
            covariance,
        }
    }

    /// Of the first numbers alone.
    pub fn x(&self) -> Summary {
        Summary { count: self.count, mean: self.x_mean, variance: self.x_variance }
    }

    /// Of the second.
    pub fn y(&self) -> Summary {
        Summary { count: self.count, mean: self.y_mean, variance: self.y_variance }
    }

    /// Of the first minus `factor` times the second, unit by unit.
    ///
    /// ```
    /// use tower_spearmint::stats::{JointSummary, Summary};
    ///
    /// let units = JointSummary::of([(1.0, 2.0), (3.0, 2.0)]);
    /// assert_eq!(units.minus(1.0), Summary::of([-1.0, 1.0]));
    /// ```
    pub fn minus(&self, factor: f64) -> Summary {
        let variance =
            self.x_variance - factor * (2.0 * self.covariance - factor * self.y_variance);
        // Where the two go together exactly, rounding may leave less than nothing.
        let variance = if variance < 0.0 { 0.0 } else { variance };
        Summary { count: self.count, mean: self.x_mean - factor * self.y_mean, variance }
    }
}
