//! Where the buckets of a histogram end.

use std::{ops::RangeInclusive, sync::LazyLock};

/// How far apart the ends of two neighbouring buckets are: 2 %.
const GROWTH: f64 = 1.02;

/// The last value of each bucket: 0, 1, and then `GROWTH` to the power of 1, 2, …
///
/// By repeated multiplication, which is the same on every machine, and a logarithm is not. Below
/// 50 some buckets hold no whole number.
static LAST: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut last = vec![0];
    let mut end = 1.0_f64;
    while end < u64::MAX as f64 {
        last.push(end as u64);
        end *= GROWTH;
    }
    last.push(u64::MAX);
    last
});

/// By number of significant bits: the first bucket that such a value may be in.
static FIRST_OF_BITS: LazyLock<[usize; 66]> = LazyLock::new(|| {
    std::array::from_fn(|bits| match bits {
        0 => 0,
        65 => LAST.len() - 1,
        bits => LAST.partition_point(|last| *last < 1 << (bits - 1)),
    })
});

/// How many there are.
pub(super) fn count() -> usize {
    LAST.len()
}

/// The bucket that a value belongs to.
pub(super) fn of(value: u64) -> usize {
    let bits = (u64::BITS - value.leading_zeros()) as usize;
    let (first, beyond) = (FIRST_OF_BITS[bits], FIRST_OF_BITS[bits + 1]);
    first + LAST[first..=beyond].partition_point(|last| *last < value)
}

/// The values of a bucket; empty if it holds no whole number, or there is no such bucket.
pub(super) fn values(bucket: usize) -> RangeInclusive<u64> {
    match (bucket, LAST.get(bucket)) {
        (0, _) => 0..=0,
        (_, Some(last)) => LAST[bucket - 1] + 1..=*last,
        (_, None) => RangeInclusive::new(1, 0),
    }
}

/// The value that is as near as can be to both ends of a bucket, by its share of them.
pub(super) fn middle(bucket: usize) -> u64 {
    let values = values(bucket);
    let (low, high) = (*values.start() as f64, *values.end() as f64);
    if low >= high { *values.start() } else { (2.0 * low * high / (low + high)).round() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ends_after_the_one_before() {
        assert!(LAST.is_sorted());
    }
}
