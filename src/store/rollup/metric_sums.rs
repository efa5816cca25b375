//! What the values of a metric come to: how many, their mean, and how far they spread.

use super::encoding::{Reader, write};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};

/// How many values of a metric there are, their mean, and the sum of their squared distances from
/// it.
///
/// Not sums of squares: of values that are all alike the spread is exactly 0, and of large ones that
/// differ little it is what it is. (Welford, *Note on a method for calculating corrected sums of
/// squares and products*, 1962.)
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(from = "WrittenSums")]
pub struct MetricSums {
    /// Less than 0 in what is to be taken back.
    pub(super) count: i64,
    pub(super) mean: f64,
    pub(super) squares: f64,
}

impl MetricSums {
    /// Of no values.
    pub const fn new() -> Self {
        Self { count: 0, mean: 0.0, squares: 0.0 }
    }

    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        self.change(value, 1);
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let Some((count, share)) = together(self.count, other.count) else {
            *self = if self.count == 0 { *other } else { Self::new() };
            return;
        };
        let apart = other.mean - self.mean;
        self.squares += other.squares + apart * apart * self.count as f64 * share;
        self.mean += apart * share;
        self.count = count;
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        u64::try_from(self.count).unwrap_or(0)
    }

    /// Their sum.
    pub fn sum(&self) -> f64 {
        self.mean * self.count as f64
    }

    /// Their mean; `None` if there are no values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Their variance, with `count − 1`; `None` for fewer than two.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares.max(0.0) / (self.count - 1) as f64)
    }

    /// Of no values.
    pub(super) const fn is_none(&self) -> bool {
        self.count == 0
    }

    pub(super) fn change(&mut self, value: f64, by: i64) {
        self.merge(&Self { count: by, mean: value, squares: 0.0 });
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        write(out, u128::from(self.count.cast_unsigned()));
        [self.mean, self.squares].into_iter().for_each(|number| write_float(out, number));
    }

    pub(super) fn decode(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { count: from.i64()?, mean: read_float(from)?, squares: read_float(from)? })
    }

    /// Whether both are of the same values, added up in another order.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.count == other.count
            && near(self.mean, other.mean, self.spread())
            && near_squares(self.squares, other.squares, self.count, self.mean, other.mean)
    }

    pub(super) fn spread(&self) -> f64 {
        (self.squares.max(0.0) / self.count.max(1) as f64).sqrt()
    }
}

impl Serialize for MetricSums {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sums = serializer.serialize_struct("MetricSums", 3)?;
        sums.serialize_field("count", &self.count())?;
        sums.serialize_field("mean", &self.mean())?;
        sums.serialize_field("variance", &self.variance())?;
        sums.end()
    }
}

/// As they are serialised.
#[derive(Deserialize)]
struct WrittenSums {
    count: u64,
    mean: Option<f64>,
    variance: Option<f64>,
}

impl From<WrittenSums> for MetricSums {
    fn from(written: WrittenSums) -> Self {
        let WrittenSums { count, mean, variance } = written;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let squares = variance.unwrap_or(0.0) * (count as f64 - 1.0).max(0.0);
        Self { count, mean: mean.unwrap_or(0.0), squares }
    }
}

/// How many both are together, and the share of the second; `None` if one of them is nothing, or
/// takes the other back.
pub(super) fn together(one: i64, two: i64) -> Option<(i64, f64)> {
    let count = one.saturating_add(two);
    (one != 0 && two != 0 && count != 0).then(|| (count, two as f64 / count as f64))
}

/// Rounding, and no more.
pub(super) fn near(one: f64, two: f64, scale: f64) -> bool {
    !(one - two).is_finite() || (one - two).abs() <= 1e-9 * (one.abs() + two.abs() + scale)
}

fn near_squares(one: f64, two: f64, count: i64, mean: f64, other_mean: f64) -> bool {
    near(one, two, 1e-3 * count as f64 * mean.abs() * other_mean.abs())
}

/// The bytes of round numbers end in zeros: turned about, they are small.
pub(super) fn write_float(out: &mut Vec<u8>, number: f64) {
    write(out, u128::from(number.to_bits().swap_bytes()));
}

pub(super) fn read_float(from: &mut Reader<'_>) -> Option<f64> {
    Some(f64::from_bits(from.i64()?.cast_unsigned().swap_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(values: &[f64]) -> MetricSums {
        let mut sums = MetricSums::new();
        values.iter().for_each(|value| sums.add(*value));
        sums
    }

    #[test]
    fn values_that_are_all_alike_do_not_spread_at_all() {
        let mut all = sums(&[0.1; 1_000]);
        all.merge(&sums(&[0.1; 77]));
        assert_eq!((all.count(), all.mean(), all.variance()), (1_077, Some(0.1), Some(0.0)));
    }

    #[test]
    fn large_values_that_differ_little_spread_as_much_as_small_ones() {
        let near = sums(&[1.0, 2.0, 3.0, 4.0]);
        let far = sums(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0, 1e9 + 4.0]);
        assert_eq!((near.variance(), far.variance()), (Some(5.0 / 3.0), Some(5.0 / 3.0)));
    }

    #[test]
    fn nothing_is_left_of_what_is_taken_back() {
        let mut one = sums(&[5.0]);
        one.change(5.0, -1);
        assert_eq!(one, MetricSums::new());
    }
}
