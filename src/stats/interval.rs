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
    /// Any number: nothing is known.
    pub const UNBOUNDED: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

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

/// The chance outside an interval of this confidence level, on each side; `None` unless the level
/// lies between 0 and 1.
pub(crate) fn tail_of(level: f64) -> Option<f64> {
    (level > 0.0 && level < 1.0).then(|| 0.5 * (1.0 - level))
}
