//! What the values of a metric come to in pairs: how far both sides go together.

use super::{
    encoding::Reader,
    metric_sums::{MetricSums, near, read_float, together, write_float},
};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};

/// The values of a metric in pairs of a primary and a branch beside it, where both have it: how many,
/// the means of either side, and the sums of their squared distances and of the products of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(from = "WrittenPairs")]
pub struct MetricPairs {
    primary: MetricSums,
    other: MetricSums,
    products: f64,
}

impl MetricPairs {
    /// Of no pairs.
    pub const fn new() -> Self {
        Self { primary: MetricSums::new(), other: MetricSums::new(), products: 0.0 }
    }

    /// Adds a pair.
    pub fn add(&mut self, primary: f64, other: f64) {
        self.change(primary, other, 1);
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        if other.primary.count == 0 {
            return;
        }
        let Some((_, share)) = together(self.primary.count, other.primary.count) else {
            *self = if self.primary.count == 0 { *other } else { Self::new() };
            return;
        };
        let apart = |one: &MetricSums, two: &MetricSums| two.mean - one.mean;
        let product = apart(&self.primary, &other.primary) * apart(&self.other, &other.other);
        self.products += other.products + product * self.primary.count as f64 * share;
        self.primary.merge(&other.primary);
        self.other.merge(&other.other);
    }

    /// How many pairs there are.
    pub fn count(&self) -> u64 {
        self.primary.count()
    }

    /// The values of the primaries.
    pub const fn primary(&self) -> &MetricSums {
        &self.primary
    }

    /// The values of those beside them.
    pub const fn other(&self) -> &MetricSums {
        &self.other
    }

    /// How far both go together, with `count − 1`; `None` for fewer than two.
    pub fn covariance(&self) -> Option<f64> {
        let count = self.primary.count;
        (count > 1).then(|| self.products / (count - 1) as f64)
    }

    /// Of no pairs.
    pub(super) const fn is_none(&self) -> bool {
        self.primary.is_none()
    }

    pub(super) fn change(&mut self, primary: f64, other: f64, by: i64) {
        let one = |mean| MetricSums { count: by, mean, squares: 0.0 };
        self.merge(&Self { primary: one(primary), other: one(other), products: 0.0 });
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.primary.encode(out);
        let numbers = [self.other.mean, self.other.squares, self.products];
        numbers.into_iter().for_each(|number| write_float(out, number));
    }

    pub(super) fn decode(from: &mut Reader<'_>) -> Option<Self> {
        let primary = MetricSums::decode(from)?;
        let (mean, squares) = (read_float(from)?, read_float(from)?);
        let other = MetricSums { count: primary.count, mean, squares };
        Some(Self { primary, other, products: read_float(from)? })
    }

    pub(super) fn agrees(&self, other: &Self) -> bool {
        // As far as the product may be off, each of its factors may.
        let scale = self.primary.spread() * self.other.spread() * self.primary.count as f64
            + self.primary.mean.abs() * self.other.mean.abs();
        self.primary.agrees(&other.primary)
            && self.other.agrees(&other.other)
            && near(self.products, other.products, scale)
    }
}

impl Serialize for MetricPairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pairs = serializer.serialize_struct("MetricPairs", 3)?;
        pairs.serialize_field("primary", &self.primary)?;
        pairs.serialize_field("other", &self.other)?;
        pairs.serialize_field("covariance", &self.covariance())?;
        pairs.end()
    }
}

/// As they are serialised.
#[derive(Deserialize)]
struct WrittenPairs {
    primary: MetricSums,
    other: MetricSums,
    covariance: Option<f64>,
}

impl From<WrittenPairs> for MetricPairs {
    fn from(written: WrittenPairs) -> Self {
        let WrittenPairs { primary, other, covariance } = written;
        let products = covariance.unwrap_or(0.0) * (primary.count as f64 - 1.0).max(0.0);
        Self { primary, other: MetricSums { count: primary.count, ..other }, products }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(values: &[(f64, f64)]) -> MetricPairs {
        let mut pairs = MetricPairs::new();
        values.iter().for_each(|(one, two)| pairs.add(*one, *two));
        pairs
    }

    #[test]
    fn pairs_know_how_far_both_sides_go_together() {
        let pairs = pairs(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]);
        assert_eq!((pairs.count(), pairs.covariance()), (3, Some(2.0)));
        assert_eq!((pairs.primary().mean(), pairs.other().mean()), (Some(2.0), Some(4.0)));
        assert_eq!(pairs.other().variance(), Some(4.0));
    }

    #[test]
    fn nothing_is_left_of_a_pair_that_is_taken_back() {
        let mut pair = pairs(&[(5.0, 7.0)]);
        pair.change(5.0, 7.0, -1);
        assert_eq!(pair, MetricPairs::new());
    }

    proptest! {
        #[test]
        fn parts_add_up_in_any_order_read_back_and_can_be_taken_back(
            values in prop::collection::vec((-1e6..1e6, -1e3..1e3), 3..40),
            at in 0_usize..3,
        ) {
            let (first, rest) = values.split_at(at);
            let whole = pairs(&values);
            let (mut forth, mut back) = (pairs(first), pairs(rest));
            forth.merge(&pairs(rest));
            back.merge(&pairs(first));
            prop_assert!(forth.agrees(&whole) && back.agrees(&whole));
            prop_assert!(forth.primary().agrees(whole.primary()));
            let mut bytes = Vec::new();
            whole.encode(&mut bytes);
            prop_assert_eq!(MetricPairs::decode(&mut Reader::new(&bytes)), Some(whole));
            let mut left = whole;
            // (As it is written: all that goes at once.)
            let mut gone = MetricPairs::new();
            first.iter().for_each(|(one, two)| gone.change(*one, *two, -1));
            left.merge(&gone);
            prop_assert!(left.agrees(&pairs(rest)), "{:?} {:?}", left, pairs(rest));
            let more = pairs(&[values.clone(), vec![(1.0, 1.0)]].concat());
            prop_assert!(!more.agrees(&whole));
        }
    }
}
