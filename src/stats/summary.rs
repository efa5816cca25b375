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

    /// The variance of the mean: `variance / count`; `None` for fewer than two observations.
    pub fn variance_of_mean(&self) -> Option<f64> {
        (self.count > 1).then(|| self.variance / self.count as f64)
    }
}
