//! How values are distributed, in buckets that never change.

use super::{buckets, counts::Counts, encoding::Reader};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct as _};
use std::ops::RangeInclusive;

/// A distribution of whole numbers (durations in ns), in fixed logarithmic buckets.
///
/// Each bucket ends 2 % above the one before, over the whole range of `u64`, so that its middle
/// is within 1 % of every value in it, and histograms of any parts add up exactly to the
/// histogram of the whole. A time-out stands in a bucket of its own kind: how long it would have
/// taken is not known, so it counts as longer than all that ended.
///
/// ```
/// use tower_spearmint::store::Histogram;
///
/// let mut histogram = Histogram::new();
/// for ms in 1..=98 {
///     histogram.add(ms * 1_000_000);
/// }
/// histogram.add_timeout(50_000_000);
/// histogram.add_timeout(50_000_000);
/// let p50 = histogram.quantile(0.5).unwrap_or(0);
/// assert!(p50.abs_diff(50_000_000) <= 500_000);
/// // The two that were given up after 50 ms are not faster than those that took 98 ms.
/// assert!(histogram.quantile(0.99).unwrap_or(0) >= 97_000_000);
/// assert_eq!((histogram.count(), histogram.timeouts()), (100, 2));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    ended: Counts,
    timed_out: Counts,
}

impl Histogram {
    /// One without values.
    pub const fn new() -> Self {
        Self { ended: Counts::NONE, timed_out: Counts::NONE }
    }

    /// Adds a value.
    pub fn add(&mut self, value: u64) {
        self.ended.add(Self::bucket_of(value), 1);
    }

    /// Adds something that was given up after `waited`.
    pub fn add_timeout(&mut self, waited: u64) {
        self.timed_out.add(Self::bucket_of(waited), 1);
    }

    /// Takes back what was added, or adds it.
    pub(super) fn change(&mut self, value: u64, timed_out: bool, by: i64) {
        let counts = if timed_out { &mut self.timed_out } else { &mut self.ended };
        counts.add(Self::bucket_of(value), by);
    }

    /// Adds all that `other` holds, exactly.
    pub fn merge(&mut self, other: &Self) {
        self.ended.merge(&other.ended);
        self.timed_out.merge(&other.timed_out);
    }

    /// Adds those that ended in `other` as given up after so long: what they would have taken is not known.
    #[cfg(feature = "report")]
    pub(crate) fn merge_given_up(&mut self, other: &Self) {
        self.timed_out.merge(&other.ended);
    }

    /// What is left of it when `other` is taken away.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        for (counts, taken) in
            [(&mut rest.ended, &other.ended), (&mut rest.timed_out, &other.timed_out)]
        {
            taken.entries().for_each(|(bucket, count)| counts.add(bucket, -count));
        }
        rest
    }

    /// How many values it holds, those that timed out among them.
    pub const fn count(&self) -> u64 {
        self.ended.total() + self.timed_out.total()
    }

    /// How many of them timed out.
    pub const fn timeouts(&self) -> u64 {
        self.timed_out.total()
    }

    /// The smallest value that at least the share `q` (from 0 to 1) of all values does not exceed,
    /// within 1 % (and the rounding to a whole number); `None` if there are no values.
    ///
    /// Where it falls among the time-outs, it is how long those were waited for, at least the
    /// longest that ended: the true one may be longer.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let count = self.count();
        // 0.95 × 20 is to be 19, however the product is rounded.
        let rank = (q * count as f64 * (1.0 - 4.0 * f64::EPSILON)).ceil();
        let rank = (rank.max(1.0) as u64).min(count);
        let ended = self.ended.total();
        match rank.checked_sub(ended) {
            None | Some(0) => self.ended.at_rank(rank).map(buckets::middle),
            Some(beyond) => {
                let longest = self.ended.at_rank(ended).unwrap_or(0);
                self.timed_out.at_rank(beyond).map(|bucket| buckets::middle(bucket.max(longest)))
            }
        }
    }

    /// The buckets with values, time-outs apart, from the lowest: which, and how many.
    pub fn buckets(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.ended.seen()
    }

    /// The same of those that timed out, by how long they were waited for.
    pub fn timeout_buckets(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.timed_out.seen()
    }

    /// Whether there is a value in the buckets that this range touches.
    #[cfg(feature = "server")]
    pub(super) fn can_have(&self, values: &RangeInclusive<u64>) -> bool {
        let buckets = Self::bucket_of(*values.start())..=Self::bucket_of(*values.end());
        let has = |counts: &Counts| counts.seen().any(|(bucket, _)| buckets.contains(&bucket));
        has(&self.ended) || has(&self.timed_out)
    }

    /// The bucket that a value belongs to. A value 2 % larger is in the next one (from 50 on).
    pub fn bucket_of(value: u64) -> usize {
        buckets::of(value)
    }

    /// The values of a bucket; empty if it holds no whole number, or there is no such bucket.
    pub fn values_of(bucket: usize) -> RangeInclusive<u64> {
        buckets::values(bucket)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.ended.encode(out);
        self.timed_out.encode(out);
    }

    pub(super) fn decode(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { ended: Counts::decode(from)?, timed_out: Counts::decode(from)? })
    }
}

impl Serialize for Histogram {
    /// The buckets as pairs of the first value and the count.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs = |counts: &Counts| -> Vec<_> {
            let first = |bucket| *Self::values_of(bucket).start();
            counts.seen().map(|(bucket, count)| (first(bucket), count)).collect()
        };
        let mut histogram = serializer.serialize_struct("Histogram", 4)?;
        histogram.serialize_field("count", &self.count())?;
        histogram.serialize_field("timeouts", &self.timeouts())?;
        histogram.serialize_field("buckets", &pairs(&self.ended))?;
        histogram.serialize_field("timeout_buckets", &pairs(&self.timed_out))?;
        histogram.end()
    }
}

/// More than anybody counts, and little enough that what is read adds up without an overflow.
const MAX_COUNT: u64 = 1 << 53;

impl<'de> Deserialize<'de> for Histogram {
    /// As it is serialised.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Pairs {
            buckets: Vec<(u64, u64)>,
            timeout_buckets: Vec<(u64, u64)>,
        }
        let Pairs { buckets, timeout_buckets } = Pairs::deserialize(deserializer)?;
        let mut histogram = Self::new();
        for (counts, pairs) in
            [(&mut histogram.ended, buckets), (&mut histogram.timed_out, timeout_buckets)]
        {
            for (first, count) in pairs {
                counts.add(Self::bucket_of(first), count.min(MAX_COUNT).cast_signed());
            }
        }
        Ok(histogram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        values.iter().for_each(|value| histogram.add(*value));
        histogram
    }

    /// Of all magnitudes alike.
    fn value() -> impl Strategy<Value = u64> {
        (0..64_u32, any::<u64>()).prop_map(|(shift, value)| value >> shift)
    }

    proptest! {
        #[test]
        fn a_value_is_in_its_bucket_and_in_no_other(value in value()) {
            let bucket = Histogram::bucket_of(value);
            prop_assert!(Histogram::values_of(bucket).contains(&value));
            prop_assert!(bucket == 0 || !Histogram::values_of(bucket - 1).contains(&value));
        }

        #[test]
        fn a_quantile_is_within_one_percent_of_the_exact_one(
            mut values in prop::collection::vec(value(), 1..200), percent in 0..=100_usize,
        ) {
            let found = of(&values).quantile(percent as f64 / 100.0).unwrap();
            values.sort_unstable();
            let rank = (values.len() * percent).div_ceil(100).max(1);
            let exact = values[rank - 1] as f64;
            prop_assert!((found as f64 - exact).abs() <= exact * 0.01 + 0.5, "{found} {exact}");
        }

        #[test]
        fn parts_merge_exactly_to_the_whole_in_any_order(
            a in prop::collection::vec(value(), 0..50), b in prop::collection::vec(value(), 0..50),
        ) {
            let whole = of(&[&a[..], &b].concat());
            let (mut one, mut other) = (of(&a), of(&b));
            one.merge(&of(&b));
            other.merge(&of(&a));
            prop_assert_eq!(&one, &whole);
            prop_assert_eq!(&other, &whole);
        }

        #[test]
        fn it_reads_back_as_it_was_written(
            values in prop::collection::vec((value(), any::<bool>()), 0..50),
        ) {
            let mut histogram = Histogram::new();
            for (value, timed_out) in values {
                histogram.change(value, timed_out, 1);
            }
            let mut bytes = Vec::new();
            histogram.encode(&mut bytes);
            prop_assert_eq!(&Histogram::decode(&mut Reader::new(&bytes)), &Some(histogram.clone()));
            let json = serde_json::to_string(&histogram).unwrap();
            prop_assert_eq!(serde_json::from_str::<Histogram>(&json).unwrap(), histogram);
            // And what is damaged is refused or reads as something, without a panic.
            for cut in 0..bytes.len() {
                let _ = Histogram::decode(&mut Reader::new(&bytes[..cut]));
            }
        }

        #[test]
        fn what_is_taken_back_leaves_no_trace(values in prop::collection::vec(value(), 1..50)) {
            let mut histogram = of(&values);
            histogram.change(values[0], false, -1);
            prop_assert_eq!(histogram, of(&values[1..]));
        }
    }

    #[test]
    fn a_hung_variant_does_not_look_fast() {
        let mut histogram = of(&[5_000_000; 90]);
        (0..10).for_each(|_| histogram.add_timeout(2_000_000_000));
        let p95 = histogram.quantile(0.95).unwrap();
        assert!(p95.abs_diff(2_000_000_000) <= 20_000_000, "{p95}");
        // Given up early, it is as long as the longest that ended.
        let mut histogram = of(&[5_000_000; 90]);
        (0..10).for_each(|_| histogram.add_timeout(1_000_000));
        assert_eq!(histogram.quantile(0.95), histogram.quantile(0.5));
    }

    #[test]
    fn without_values_there_is_no_quantile_and_a_single_one_is_all_of_them() {
        assert_eq!(Histogram::new().quantile(0.5), None);
        for q in [0.0, 0.5, 1.0, 7.0, f64::NAN] {
            assert_eq!(of(&[17]).quantile(q), Some(17));
        }
    }

    #[test]
    fn the_ends_of_the_range_have_buckets() {
        assert_eq!(Histogram::bucket_of(0), 0);
        assert_eq!(Histogram::bucket_of(u64::MAX), buckets::count() - 1);
        assert_eq!(Histogram::values_of(buckets::count()).next(), None);
    }
}
