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

    /// Of sums, sums of squares and of products. `None` if they are not finite, or if no units
    /// have them (the mean square is below the mean's square by more than rounding explains).
    ///
    /// The mean's square is taken from the mean square, so that digits are lost where the mean is
    /// large beside the scatter; [`of`](Self::of) and [`merge`](Self::merge) lose none.
    pub fn from_sums(count: u64, x: f64, y: f64, xx: f64, xy: f64, yy: f64) -> Option<Self> {
        if count == 0 {
            return Some(Self::default());
        }
        let n = count as f64;
        let scatter = |squares: f64, a: f64, b: f64| {
            if count > 1 { (squares - a * (b / n)) / (n - 1.0) } else { 0.0 }
        };
        let variance = |squares: f64, sum: f64| {
            let variance = scatter(squares, sum, sum);
            (variance >= -1e-9 * (squares / n)).then_some(variance.max(0.0))
        };
        let joint = Self {
            count,
            x_mean: x / n,
            y_mean: y / n,
            x_variance: variance(xx, x)?,
            y_variance: variance(yy, y)?,
            covariance: scatter(xy, x, y),
        };
        joint.is_finite().then_some(joint)
    }

    /// Of both samples together (Chan, Golub and LeVeque, "Updating formulae and a pairwise
    /// algorithm for computing sample variances", 1979).
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
        if self.count == 0 {
            return *other;
        }
        if other.count == 0 {
            return *self;
        }
        let count = self.count.saturating_add(other.count);
        let (n, m, all) = (self.count as f64, other.count as f64, count as f64);
        let (dx, dy) = (other.x_mean - self.x_mean, other.y_mean - self.y_mean);
        let between = n / all * m;
        let scatter = |a: f64, b: f64, product: f64| {
            (a * (n - 1.0) + b * (m - 1.0) + product * between) / (all - 1.0)
        };
        Self {
            count,
            x_mean: self.x_mean + dx * (m / all),
            y_mean: self.y_mean + dy * (m / all),
            x_variance: scatter(self.x_variance, other.x_variance, dx * dx),
            y_variance: scatter(self.y_variance, other.y_variance, dy * dy),
            covariance: scatter(self.covariance, other.covariance, dx * dy),
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

    fn is_finite(&self) -> bool {
        [self.x_mean, self.y_mean, self.x_variance, self.y_variance, self.covariance]
            .iter()
            .all(|number| number.is_finite())
    }
}
