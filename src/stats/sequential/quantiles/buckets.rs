//! Values, counted.

/// How many values there are of each size: pairs of a bucket's upper edge and its count, by
/// ascending edges. What never came to an end (a time-out) has the edge `f64::INFINITY`.
///
/// A value counts as its bucket's upper edge, and what is said of a quantile holds for the values
/// so rounded: with buckets that are 1 % wide, up to 1 % above that of the values.
#[derive(Debug, Clone, Copy)]
pub struct Buckets<'a> {
    buckets: &'a [(f64, u64)],
    total: u64,
}

impl<'a> Buckets<'a> {
    /// Of these; `None` if the edges do not ascend, or there are more than 2⁶⁴ values.
    ///
    /// ```
    /// use tower_spearmint::stats::sequential::quantiles::Buckets;
    ///
    /// let latencies = Buckets::new(&[(0.1, 70), (0.2, 25), (f64::INFINITY, 5)]).unwrap();
    /// assert_eq!([0.5, 0.95, 0.99].map(|p| latencies.quantile(p)), [Some(0.1), Some(0.2), Some(f64::INFINITY)]);
    /// ```
    pub fn new(buckets: &'a [(f64, u64)]) -> Option<Self> {
        let total =
            buckets.iter().try_fold(0_u64, |total, (_, count)| total.checked_add(*count))?;
        let ascend = buckets.windows(2).all(|pair| pair[0].0 <= pair[1].0);
        let numbers = buckets.iter().all(|(edge, _)| !edge.is_nan());
        (ascend && numbers).then_some(Self { buckets, total })
    }

    /// How many values.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The smallest edge up to which a share of at least `p` of the values lies; `None` if there
    /// are no values, or `p` is not between 0 and 1.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        self.at_rank(rank(p, self.total)?)
    }

    /// The value that has this place among all, from 1.
    pub(super) fn at_rank(&self, rank: u64) -> Option<f64> {
        let mut up_to = 0;
        self.buckets.iter().find_map(|(edge, count)| {
            up_to += count;
            (up_to >= rank.max(1)).then_some(*edge)
        })
    }

    /// Each edge that has values, times `factor`, with how many values are below it, and how many
    /// are not above it.
    pub(super) fn steps(&self, factor: f64) -> impl Iterator<Item = (f64, u64, u64)> {
        let mut up_to = 0;
        self.buckets.iter().filter(|(_, count)| *count > 0).map(move |(edge, count)| {
            let below = up_to;
            up_to += count;
            (edge * factor, below, up_to)
        })
    }
}

/// The place of the quantile among this many values, from 1.
fn rank(p: f64, total: u64) -> Option<u64> {
    // 30 values times 0.1 are 3, although the product of the floats is a little more.
    let rank = (p * total as f64 * (1.0 - 1e-12)).ceil() as u64;
    (p > 0.0 && p < 1.0 && total > 0).then(|| rank.clamp(1, total))
}
