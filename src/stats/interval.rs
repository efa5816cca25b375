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

    /// From `low` to `high`; `None` if that is nothing, or one of them is no number.
    pub fn new(low: f64, high: f64) -> Option<Self> {
        (low <= high).then_some(Self { low, high })
    }

    /// `middle ± half`; everything if either is no number.
    pub(crate) fn around(middle: f64, half: f64) -> Self {
        Self::new(middle - half, middle + half).unwrap_or(Self::EVERYTHING)
    }

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

    /// How wide it is; infinite if it has no end.
    pub fn width(&self) -> f64 {
        if self.low == self.high { 0.0 } else { self.high - self.low }
    }

    /// What both have; `None` if that is nothing.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        Self::new(self.low.max(other.low), self.high.min(other.high))
    }

    /// All differences between a value of this one and one of the other.
    ///
    /// ```
    /// use tower_spearmint::stats::Interval;
    ///
    /// let (slow, fast) = (Interval { low: 9.0, high: 12.0 }, Interval { low: 5.0, high: 6.0 });
    /// assert_eq!(slow.minus(&fast), Interval { low: 3.0, high: 7.0 });
    /// ```
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        // Two infinite ends of the same sign differ by anything.
        let less = |a: f64, b: f64, unknown: f64| if (a - b).is_nan() { unknown } else { a - b };
        Self {
            low: less(self.low, other.high, f64::NEG_INFINITY),
            high: less(self.high, other.low, f64::INFINITY),
        }
    }

    /// All ratios of a value of this one to one of the other, where no value is negative (what of
    /// them is below 0 is left out): from 0, and without end if the other may be 0.
    ///
    /// ```
    /// use tower_spearmint::stats::Interval;
    ///
    /// let (slow, fast) = (Interval { low: 9.0, high: 12.0 }, Interval { low: 3.0, high: 6.0 });
    /// assert_eq!(slow.over(&fast), Interval { low: 1.5, high: 4.0 });
    /// ```
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        let ratio = |a: f64, b: f64, unknown: f64| {
            // By adding 0, −0 becomes 0, by which a ratio is not negative.
            let (a, b) = (a.max(0.0) + 0.0, b.max(0.0) + 0.0);
            if (a == 0.0 && b == 0.0) || (a.is_infinite() && b.is_infinite()) {
                unknown
            } else {
                a / b
            }
        };
        Self {
            low: ratio(self.low, other.high, 0.0),
            high: ratio(self.high, other.low, f64::INFINITY),
        }
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }
}

/// Half of `alpha`, the chance on each side of an interval; `None` unless it lies between 0 and 1.
pub(crate) fn half_of(alpha: f64) -> Option<f64> {
    (alpha > 0.0 && alpha < 1.0).then_some(0.5 * alpha)
}
