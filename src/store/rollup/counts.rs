//! How many values each bucket of a histogram has.

use super::{
    buckets,
    encoding::{Reader, write},
};

/// Counts of neighbouring buckets. Signed, so that a difference of two is one as well.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    first: usize,
    counts: Vec<i64>,
    total: i64,
}

impl Counts {
    pub(super) const NONE: Self = Self { first: 0, counts: Vec::new(), total: 0 };

    pub(super) fn add(&mut self, bucket: usize, count: i64) {
        self.total += count;
        if let Some(known) = bucket.checked_sub(self.first).and_then(|at| self.counts.get_mut(at)) {
            *known += count;
            return;
        }
        if self.counts.is_empty() {
            self.first = bucket;
        } else if bucket < self.first {
            let missing = self.first - bucket;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = bucket;
        }
        let at = bucket - self.first;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += count;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (bucket, count) in other.entries() {
            self.add(bucket, count);
        }
    }

    /// All together.
    pub(super) const fn total(&self) -> u64 {
        unsigned(self.total)
    }

    /// The buckets with values, from the lowest: which, and how many.
    pub(super) fn seen(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.entries().map(|(bucket, count)| (bucket, unsigned(count)))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, i64)> + '_ {
        (self.first..).zip(self.counts.iter().copied()).filter(|(_, count)| *count != 0)
    }

    /// The bucket of the value with this rank, from 1.
    pub(super) fn at_rank(&self, rank: u64) -> Option<usize> {
        let mut left = rank;
        self.entries().find_map(|(bucket, count)| {
            let count = unsigned(count);
            if left <= count {
                return Some(bucket);
            }
            left -= count;
            None
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        write(out, self.entries().count() as u128);
        let mut next = 0;
        for (bucket, count) in self.entries() {
            write(out, (bucket - next) as u128);
            write(out, u128::from(count.cast_unsigned()));
            next = bucket + 1;
        }
    }

    pub(super) fn decode(from: &mut Reader<'_>) -> Option<Self> {
        let mut counts = Self::default();
        let mut next = 0_usize;
        for _ in 0..from.usize()? {
            let bucket =
                next.checked_add(from.usize()?).filter(|bucket| *bucket < buckets::count())?;
            counts.add(bucket, from.i64()?);
            next = bucket + 1;
        }
        Some(counts)
    }
}

impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.total == other.total && self.entries().eq(other.entries())
    }
}

impl Eq for Counts {}

/// What is read or summed up as a whole is never below 0; a damaged file may say so.
const fn unsigned(count: i64) -> u64 {
    if count < 0 { 0 } else { count.cast_unsigned() }
}
