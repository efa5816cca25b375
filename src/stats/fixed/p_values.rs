//! How surprising a difference would be if there were none.

/// The chance of a difference at least as large as the one seen, if there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PValues {
    /// In either direction.
    pub two_sided: f64,
    /// That the treatment's is as much greater.
    pub greater: f64,
    /// That the treatment's is as much less.
    pub less: f64,
}

impl PValues {
    /// Of a statistic whose distribution is symmetric around 0: `upper` is the chance above a
    /// value.
    pub(super) fn symmetric(statistic: f64, upper: impl Fn(f64) -> f64) -> Option<Self> {
        let tail = upper(statistic.abs());
        if tail.is_nan() {
            return None;
        }
        let (greater, less) = if statistic > 0.0 { (tail, 1.0 - tail) } else { (1.0 - tail, tail) };
        Some(Self { two_sided: (2.0 * tail).min(1.0), greater, less })
    }
}
