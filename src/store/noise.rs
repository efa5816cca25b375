//! What counts as more than noise.

use serde::Serialize;

/// When a path differs by more than noise: its rate is above the control's, and both the relative
/// and the absolute difference of the two rates are above these.
///
/// As Diffy decides it (`DifferencesFilterFactory` in its `JoinedDifferences.scala`, with 20 %
/// and 0.03 %): for rates *c* of the candidate and *n* of the control, relative is
/// (*c* − *n*) / (*c* + *n*) and absolute is *c* − *n*. Diffy takes counts for rates, since its
/// control answers every request; here both may be sampled apart.
///
/// ```
/// use tower_spearmint::store::NoiseThresholds;
///
/// let thresholds = NoiseThresholds::default();
/// assert!(thresholds.exceeded(0.012, 0.0));
/// // A timestamp differs in the control just as often.
/// assert!(!thresholds.exceeded(0.998, 0.997));
/// assert!(!thresholds.exceeded(0.0002, 0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NoiseThresholds {
    /// From 0 to 1.
    pub relative: f64,
    /// From 0 to 1: of all pairs.
    pub absolute: f64,
}

impl Default for NoiseThresholds {
    /// 20 % and 0.03 %.
    fn default() -> Self {
        Self { relative: 0.20, absolute: 0.0003 }
    }
}

impl NoiseThresholds {
    /// Whether a path that differs in this share of the candidate's pairs, and in that share of
    /// the control's, differs by more than noise.
    pub fn exceeded(&self, candidate: f64, control: f64) -> bool {
        let absolute = candidate - control;
        absolute > self.absolute && absolute / (candidate + control) > self.relative
    }
}
