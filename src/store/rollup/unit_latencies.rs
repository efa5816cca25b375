//! How long the requests of units took, in few buckets.

use super::{
    encoding::{Reader, write},
    histogram::Histogram,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many buckets of a [`Histogram`] are one here: each ends an eighth above the one before.
const WIDTH: usize = 6;
/// Beyond the last one.
const BEYOND: u16 = 512;

/// How many of the requests of a few units took how long, in coarse logarithmic buckets: enough to tell how much
/// units differ, for the quantiles themselves stand in a [`Histogram`]. Time-outs are not among them.
///
/// Each bucket is six of a histogram, so that it ends where one of those does. Parts add up exactly to the whole.
///
/// ```
/// use tower_spearmint::store::{Histogram, UnitLatencies};
///
/// let mut latencies = UnitLatencies::new();
/// latencies.add(10_000_000);
/// latencies.add(10_000_001);
/// let bucket = UnitLatencies::bucket_of(Histogram::bucket_of(10_000_000));
/// assert_eq!(latencies.buckets().collect::<Vec<_>>(), [(bucket, 2)]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitLatencies {
    /// By bucket, none of them 0. Signed, so that a difference of two is one as well.
    counts: Vec<(u16, i64)>,
}

impl UnitLatencies {
    /// Those of no request.
    pub const fn new() -> Self {
        Self { counts: Vec::new() }
    }

    /// The bucket that one of a [`Histogram`] belongs to.
    pub const fn bucket_of(bucket: usize) -> usize {
        bucket / WIDTH
    }

    /// Adds a request that took so long, in ns.
    pub fn add(&mut self, ns: u64) {
        self.change(ns, 1);
    }

    /// The buckets with requests, from the lowest: which, and how many.
    pub fn buckets(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.counts.iter().map(|(bucket, count)| {
            (usize::from(*bucket), u64::try_from(*count).unwrap_or_default())
        })
    }

    /// Adds all that `other` holds, exactly.
    pub fn merge(&mut self, other: &Self) {
        other.counts.iter().for_each(|(bucket, count)| self.add_to(*bucket, *count));
    }

    /// Takes back a request, or adds it.
    pub(super) fn change(&mut self, ns: u64, by: i64) {
        // (There are some 2,200 buckets of a histogram.)
        let bucket = u16::try_from(Self::bucket_of(Histogram::bucket_of(ns)));
        self.add_to(bucket.unwrap_or(BEYOND - 1), by);
    }

    fn add_to(&mut self, bucket: u16, by: i64) {
        match self.counts.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => {
                let count = self.counts[at].1.saturating_add(by);
                if count == 0 {
                    self.counts.remove(at);
                } else {
                    self.counts[at].1 = count;
                }
            }
            Err(at) if by != 0 => self.counts.insert(at, (bucket, by)),
            Err(_) => {}
        }
    }

    /// Each bucket by how many it is beyond the one before, and its count.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 * self.counts.len());
        let mut next = 0;
        for (bucket, count) in &self.counts {
            write(&mut out, u128::from(bucket - next));
            write(&mut out, u128::from(count.cast_unsigned()));
            next = bucket + 1;
        }
        out
    }

    /// `None` if the bytes are not what [`encode`](Self::encode) makes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader::new(bytes);
        let mut counts = Vec::new();
        let mut next = 0_usize;
        while !from.is_at_end() {
            let bucket = next.checked_add(from.usize()?)?;
            let number = u16::try_from(bucket).ok().filter(|number| *number < BEYOND)?;
            counts.push((number, from.i64()?));
            next = bucket + 1;
        }
        Some(Self { counts })
    }
}

/// More than anybody counts, and little enough that what is read adds up without an overflow.
const MAX_COUNT: u64 = 1 << 53;

impl Serialize for UnitLatencies {
    /// Pairs of a bucket's number and the count.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.buckets())
    }
}

impl<'de> Deserialize<'de> for UnitLatencies {
    /// As it is serialised. What is beyond the last bucket counts there.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut latencies = Self::new();
        for (bucket, count) in Vec::<(u16, u64)>::deserialize(deserializer)? {
            latencies.add_to(bucket.min(BEYOND - 1), count.min(MAX_COUNT).cast_signed());
        }
        Ok(latencies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[u64]) -> UnitLatencies {
        let mut latencies = UnitLatencies::new();
        values.iter().for_each(|value| latencies.add(*value));
        latencies
    }

    /// Of all magnitudes alike.
    fn value() -> impl Strategy<Value = u64> {
        (0..64_u32, any::<u64>()).prop_map(|(shift, value)| value >> shift)
    }

    proptest! {
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
        fn it_reads_back_as_it_was_written(values in prop::collection::vec(value(), 0..50)) {
            let latencies = of(&values);
            let bytes = latencies.encode();
            prop_assert_eq!(UnitLatencies::decode(&bytes), Some(latencies.clone()));
            let json = serde_json::to_string(&latencies).unwrap();
            prop_assert_eq!(serde_json::from_str::<UnitLatencies>(&json).unwrap(), latencies);
            // And what is damaged is refused or reads as something, without a panic.
            for cut in 0..bytes.len() {
                let _ = UnitLatencies::decode(&bytes[..cut]);
            }
        }

        #[test]
        fn what_is_taken_back_leaves_no_trace(values in prop::collection::vec(value(), 1..50)) {
            let mut latencies = of(&values);
            latencies.change(values[0], -1);
            prop_assert_eq!(latencies, of(&values[1..]));
        }

        #[test]
        fn a_bucket_has_whole_ones_of_a_histogram(value in value()) {
            let fine = Histogram::bucket_of(value);
            let coarse = UnitLatencies::bucket_of(fine);
            prop_assert_eq!(of(&[value]).buckets().collect::<Vec<_>>(), [(coarse, 1)]);
            prop_assert!(coarse < usize::from(BEYOND));
        }
    }
}
