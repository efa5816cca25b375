//! Where a number lies.

/// From `low` to `high`, both included; an end that is not known is infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// All numbers: nothing is known.
    pub const EVERYTHING: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// Whether `value` lies in it.
    ///
    /// ```
    /// use tower_spearmint::stats::Interval;
    ///
    /// let lift = Interval { low: 0.01, high: 0.04 };
    /// assert!(lift.contains(0.02) && !lift.contains(0.0));
    /// ```
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// As far as `half` to both sides of `middle`.
    pub(crate) fn around(middle: f64, half: f64) -> Self {
        Self { low: middle - half, high: middle + half }
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }
}

/// Half of `alpha`, the chance on each side of an interval; `None` unless it lies between 0 and 1.
pub(crate) fn half_of(alpha: f64) -> Option<f64> {
    (alpha > 0.0 && alpha < 1.0).then_some(0.5 * alpha)
}
