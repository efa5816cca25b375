//! What a sample comes to.

/// How many observations there are, their mean, and how far they scatter.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// Their mean; 0 if there are none.
    pub mean: f64,
    /// Their sample variance (the sum of squared deviations over `count − 1`); 0 for fewer than two.
    pub variance: f64,
}

impl Summary {
    /// Of these observations, by Welford's recurrence (Technometrics 4(3), 1962), which loses no
    /// digits where they lie close together and far from 0.
    ///
    /// ```
    /// use tower_spearmint::stats::Summary;
    ///
    /// let scores = Summary::of([1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0]);
    /// assert_eq!((scores.count, scores.mean, scores.variance), (3, 1e9 + 2.0, 1.0));
    /// ```
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let (mut count, mut mean, mut deviations) = (0_u64, 0.0, 0.0);
        for value in values {
            count += 1;
            let before = value - mean;
            mean += before / count as f64;
            deviations += before * (value - mean);
        }
        let variance = if count > 1 { deviations / (count - 1) as f64 } else { 0.0 };
        Self { count, mean, variance }
    }

    /// Of a sum, and a sum of squares. `None` if they are not finite, or if no observations have them
    /// (the mean square is below the mean's square by more than rounding explains).
    ///
    /// The mean's square is taken from the mean square, so that digits are lost where the mean is
    /// large beside the scatter; [`of`](Self::of) and [`merge`](Self::merge) lose none.
    ///
    /// ```
    /// use tower_spearmint::stats::Summary;
    ///
    /// assert_eq!(Summary::from_sums(3, 6.0, 14.0), Some(Summary::of([1.0, 2.0, 3.0])));
    /// assert_eq!(Summary::from_sums(3, 6.0, 1.0), None);
    /// ```
    pub fn from_sums(count: u64, sum: f64, squares: f64) -> Option<Self> {
        if count == 0 {
            return Some(Self::default());
        }
        let n = count as f64;
        let mean = sum / n;
        let scatter = squares - sum * mean;
        if !(mean.is_finite() && scatter.is_finite() && scatter >= -1e-9 * squares) {
            return None;
        }
        let variance = if count > 1 { scatter.max(0.0) / (n - 1.0) } else { 0.0 };
        Some(Self { count, mean, variance })
    }

    /// Of both samples together (Chan, Golub and LeVeque, "Updating formulae and a pairwise
    /// algorithm for computing sample variances", 1979).
    ///
    /// ```
    /// use tower_spearmint::stats::Summary;
    ///
    /// let minutes = Summary::of([1.0, 2.0]).merge(&Summary::of([3.0]));
    /// assert_eq!(minutes, Summary::of([1.0, 2.0, 3.0]));
    /// ```
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { *other } else { *self };
        }
        let count = self.count.saturating_add(other.count);
        let (n, m, all) = (self.count as f64, other.count as f64, count as f64);
        let apart = other.mean - self.mean;
        let scatter =
            self.variance * (n - 1.0) + other.variance * (m - 1.0) + apart * (n / all * m) * apart;
        Self { count, mean: self.mean + apart * (m / all), variance: scatter / (all - 1.0) }
    }

    /// The variance of the mean: `variance / count`; `None` for fewer than two observations.
    pub fn variance_of_mean(&self) -> Option<f64> {
        (self.count > 1).then(|| self.variance / self.count as f64)
    }
}
