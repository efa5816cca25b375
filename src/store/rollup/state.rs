//! What the branches of one arm and minute come to.

use super::{
    encoding::{Reader, write},
    facts::Facts,
    histogram::Histogram,
    metric_pairs::MetricPairs,
    metric_sums::MetricSums,
    moments::Moments,
};
use crate::{
    branch::{FailureKind, Status},
    store::codes::Codes,
};
use std::collections::BTreeMap;
#[cfg(feature = "server")]
use std::ops::RangeInclusive;

/// The layout of the bytes. The first had no durations of primaries, the second no metrics, the third neither what chance
/// did not assign apart, nor how long those beside primaries took.
const LAYOUT: u128 = 4;

/// A row of the table `rollup`, or what is to be added to one. All of it adds up.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::store) struct State {
    /// In the order of [`status_index`]; without those set aside.
    pub(in crate::store) statuses: [i64; 4],
    /// By the codes of kinds and reasons.
    pub(super) failures: Counted,
    pub(super) skips: Counted,
    pub(super) retries: i64,
    pub(in crate::store) duration: Histogram,
    pub(super) first_byte: Histogram,
    pub(super) duration_sums: Moments,
    pub(super) first_byte_sums: Moments,
    pub(super) bytes_in: Moments,
    pub(super) bytes_out: Moments,
    /// Both succeeded, only the primary failed, only this one failed, both failed.
    pub(super) pairs: [i64; 4],
    /// How long the primaries of these pairs took.
    pub(super) primary_duration: Histogram,
    /// How long primaries were waited for whose callers left, beside one that ended or was left with them.
    pub(super) primary_left: Histogram,
    /// How long those took that ended beside a primary of either kind.
    pub(super) paired_duration: Histogram,
    /// How long those had run that were left with their primaries.
    pub(super) paired_left: Histogram,
    /// Answers that were compared and are equal; that differ.
    pub(super) compared: [i64; 2],
    /// Units whose first branch of this epoch is among these.
    pub(super) exposures: i64,
    /// By the keys of their names.
    pub(super) metrics: BTreeMap<i64, MetricSums>,
    /// Of the same pairs.
    pub(super) metric_pairs: BTreeMap<i64, MetricPairs>,
    /// What chance did not assign, by the codes of the reasons: it is in nothing of the above. (Nothing is set aside
    /// in these again.)
    pub(super) aside: BTreeMap<i64, Self>,
}

pub(in crate::store) const fn status_index(status: Status) -> usize {
    match status {
        Status::Success => 0,
        Status::Failed => 1,
        Status::Skipped => 2,
        Status::Cancelled => 3,
    }
}

impl State {
    /// Adds a branch (`by` is 1), or takes it back (−1).
    pub(super) fn change(&mut self, facts: &Facts, by: i64) {
        let Some(reason) = facts.aside else { return self.change_own(facts, by) };
        let aside = self.aside.entry(reason).or_default();
        aside.change_own(facts, by);
        if aside.is_empty() {
            self.aside.remove(&reason);
        }
    }

    fn change_own(&mut self, facts: &Facts, by: i64) {
        self.statuses[status_index(facts.status)] += by;
        if let Some(kind) = facts.failure {
            self.failures.add(kind, by);
        }
        if let Some(reason) = facts.skip {
            self.skips.add(reason, by);
        }
        self.retries += i64::from(facts.retries) * by;
        if !facts.ended() {
            return;
        }
        self.duration.change(facts.duration_ns, facts.timed_out, by);
        self.duration_sums.change(facts.duration_ns, by);
        if let Some(first_byte) = facts.first_byte_ns {
            self.first_byte.change(first_byte, false, by);
            self.first_byte_sums.change(first_byte, by);
        } else if facts.timed_out && facts.bytes_in.is_some() {
            // Over HTTP, and the head of the response never came.
            self.first_byte.change(facts.duration_ns, true, by);
        }
        if let Some(bytes) = facts.bytes_in {
            self.bytes_in.change(bytes, by);
        }
        if let Some(bytes) = facts.bytes_out {
            self.bytes_out.change(bytes, by);
        }
        for (key, value) in facts.metrics.as_slice() {
            self.metrics.entry(*key).or_default().change(*value, by);
        }
    }

    pub(in crate::store) fn merge(&mut self, other: &Self) {
        add_all(&mut self.statuses, other.statuses);
        other.failures.0.iter().for_each(|(kind, count)| self.failures.add(*kind, *count));
        other.skips.0.iter().for_each(|(reason, count)| self.skips.add(*reason, *count));
        self.retries += other.retries;
        self.duration.merge(&other.duration);
        self.first_byte.merge(&other.first_byte);
        self.duration_sums.merge(&other.duration_sums);
        self.first_byte_sums.merge(&other.first_byte_sums);
        self.bytes_in.merge(&other.bytes_in);
        self.bytes_out.merge(&other.bytes_out);
        add_all(&mut self.pairs, other.pairs);
        self.primary_duration.merge(&other.primary_duration);
        self.primary_left.merge(&other.primary_left);
        self.paired_duration.merge(&other.paired_duration);
        self.paired_left.merge(&other.paired_left);
        add_all(&mut self.compared, other.compared);
        self.exposures += other.exposures;
        for (key, sums) in &other.metrics {
            self.metrics.entry(*key).or_default().merge(sums);
        }
        for (key, pairs) in &other.metric_pairs {
            self.metric_pairs.entry(*key).or_default().merge(pairs);
        }
        // One that was taken back is not there.
        self.metrics.retain(|_, sums| !sums.is_none());
        self.metric_pairs.retain(|_, pairs| !pairs.is_none());
        for (reason, state) in &other.aside {
            self.aside.entry(*reason).or_default().merge(state);
        }
        self.aside.retain(|_, state| !state.is_empty());
    }

    /// What chance assigned, and what it did not, reason by reason.
    pub(in crate::store) fn parts(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.aside.values())
    }

    /// How all of them ended, whoever assigned them.
    pub(in crate::store) fn all_statuses(&self) -> [i64; 4] {
        let mut all = [0; 4];
        self.parts().for_each(|part| add_all(&mut all, part.statuses));
        all
    }

    /// Whether both are of the same branches, added up in another order.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let whole = |state: &Self| Self {
            metrics: BTreeMap::new(),
            metric_pairs: BTreeMap::new(),
            aside: BTreeMap::new(),
            ..state.clone()
        };
        let none = (MetricSums::new(), MetricPairs::new());
        let metrics = self.metrics.keys().chain(other.metrics.keys()).all(|key| {
            let of = |state: &'_ Self| *state.metrics.get(key).unwrap_or(&none.0);
            of(self).agrees(&of(other))
        });
        let pairs = self.metric_pairs.keys().chain(other.metric_pairs.keys()).all(|key| {
            let of = |state: &'_ Self| *state.metric_pairs.get(key).unwrap_or(&none.1);
            of(self).agrees(&of(other))
        });
        let aside = self.aside.keys().chain(other.aside.keys()).all(|reason| {
            match (self.aside.get(reason), other.aside.get(reason)) {
                (Some(one), Some(other)) => one.agrees(other),
                _ => false,
            }
        });
        metrics && pairs && aside && whole(self) == whole(other)
    }

    /// Whether a branch that lasted so long, in ns, can be among them.
    #[cfg(feature = "server")]
    pub(in crate::store) fn can_have_lasted(&self, durations: &RangeInclusive<u64>) -> bool {
        // How long those were under way that did not end is in no histogram.
        let [_, _, skipped, cancelled] = self.all_statuses();
        let mut parts = self.parts();
        skipped > 0 || cancelled > 0 || parts.any(|part| part.duration.can_have(durations))
    }

    /// How long those took that ran beside primaries, of a row that was written when that was not kept: of none,
    /// unless all that there are ended, each beside a primary that did.
    pub(super) fn paired_of_before(&self) -> Option<Histogram> {
        let none_left = self.statuses[status_index(Status::Cancelled)] == 0;
        let all_paired = self.duration.count() == self.primary_duration.count();
        (self.lacks_paired() && none_left && all_paired).then(|| self.duration.clone())
    }

    /// Whether nothing is known of how long those took.
    pub(super) const fn lacks_paired(&self) -> bool {
        self.paired_duration.count() == 0 && self.primary_left.count() == 0
    }

    /// The same as an older program counted.
    pub(super) fn take_paired(&mut self, of: &Self) {
        self.primary_left = of.primary_left.clone();
        self.paired_duration = of.paired_duration.clone();
        self.paired_left = of.paired_left.clone();
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// All but the counts by status of all together, which have columns of their own.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        write(&mut out, LAYOUT);
        self.encode_own(&mut out);
        let mut number = |number: i64| write(&mut out, u128::from(number.cast_unsigned()));
        number(self.aside.len() as i64);
        for (reason, state) in &self.aside {
            let mut number = |number: i64| write(&mut out, u128::from(number.cast_unsigned()));
            number(*reason);
            state.statuses.into_iter().for_each(&mut number);
            state.encode_own(&mut out);
        }
        out
    }

    fn encode_own(&self, out: &mut Vec<u8>) {
        let mut number = |number: i64| write(out, u128::from(number.cast_unsigned()));
        number(self.retries);
        number(self.exposures);
        self.pairs.into_iter().chain(self.compared).for_each(&mut number);
        for counted in [&self.failures, &self.skips] {
            number(counted.0.len() as i64);
            for (code, count) in &counted.0 {
                number(*code);
                number(*count);
            }
        }
        self.duration.encode(out);
        self.first_byte.encode(out);
        for sums in self.moments() {
            sums.encode(out);
        }
        self.primary_duration.encode(out);
        write(out, self.metrics.len() as u128);
        for (key, sums) in &self.metrics {
            write(out, u128::from(key.cast_unsigned()));
            sums.encode(out);
        }
        write(out, self.metric_pairs.len() as u128);
        for (key, pairs) in &self.metric_pairs {
            write(out, u128::from(key.cast_unsigned()));
            pairs.encode(out);
        }
        self.encode_paired(out);
    }

    /// A byte where there are none, as for all that run beside nothing. Most ended beside a primary that did: those
    /// that did not take less room.
    fn encode_paired(&self, out: &mut Vec<u8>) {
        let none = Histogram::new();
        let all = [&self.primary_left, &self.paired_duration, &self.paired_left];
        let is_there = all.into_iter().any(|histogram| *histogram != none);
        write(out, u128::from(is_there));
        if is_there {
            self.primary_left.encode(out);
            self.paired_left.encode(out);
            self.duration.without(&self.paired_duration).encode(out);
        }
    }

    /// `None` if the bytes are not what [`encode`](Self::encode) makes; `statuses` are those of all together.
    pub(in crate::store) fn decode(statuses: [i64; 4], bytes: &[u8]) -> Option<Self> {
        let mut from = Reader::new(bytes);
        let layout = from.u128()?;
        if !(1..=LAYOUT).contains(&layout) {
            return None;
        }
        let mut state = Self::decode_own(&mut from, layout)?;
        state.statuses = statuses;
        if layout > 3 {
            for _ in 0..from.usize()? {
                let reason = from.i64()?;
                let mut statuses = [0; 4];
                for count in &mut statuses {
                    *count = from.i64()?;
                }
                let aside = Self { statuses, ..Self::decode_own(&mut from, layout)? };
                add_all(&mut state.statuses, statuses.map(|count| -count));
                state.aside.insert(reason, aside);
            }
        }
        from.is_at_end().then_some(state)
    }

    fn decode_own(from: &mut Reader<'_>, layout: u128) -> Option<Self> {
        let mut state = Self { retries: from.i64()?, exposures: from.i64()?, ..Self::default() };
        for number in state.pairs.iter_mut().chain(&mut state.compared) {
            *number = from.i64()?;
        }
        for counted in [&mut state.failures, &mut state.skips] {
            for _ in 0..from.usize()? {
                counted.add(from.i64()?, from.i64()?);
            }
        }
        state.duration = Histogram::decode(from)?;
        state.first_byte = Histogram::decode(from)?;
        state.duration_sums = Moments::decode(from)?;
        state.first_byte_sums = Moments::decode(from)?;
        state.bytes_in = Moments::decode(from)?;
        state.bytes_out = Moments::decode(from)?;
        if layout > 1 {
            state.primary_duration = Histogram::decode(from)?;
        }
        if layout > 2 {
            for _ in 0..from.usize()? {
                state.metrics.insert(from.i64()?, MetricSums::decode(from)?);
            }
            for _ in 0..from.usize()? {
                state.metric_pairs.insert(from.i64()?, MetricPairs::decode(from)?);
            }
        }
        if layout > 3 && from.u128()? > 0 {
            state.primary_left = Histogram::decode(from)?;
            state.paired_left = Histogram::decode(from)?;
            state.paired_duration = state.duration.without(&Histogram::decode(from)?);
        }
        Some(state)
    }

    /// The failed by kind. (A kind that only a newer version knows is among the failed only.)
    pub(in crate::store) fn failures(
        &self,
        codes: &Codes,
    ) -> impl Iterator<Item = (FailureKind, u64)> {
        self.failures.0.iter().filter_map(|(kind, count)| {
            Some((codes.failure.value(*kind)?, u64::try_from(*count).unwrap_or(0)))
        })
    }

    const fn moments(&self) -> [&Moments; 4] {
        [&self.duration_sums, &self.first_byte_sums, &self.bytes_in, &self.bytes_out]
    }
}

fn add_all<const N: usize>(to: &mut [i64; N], counts: [i64; N]) {
    to.iter_mut().zip(counts).for_each(|(to, count)| *to += count);
}

/// Counts by a small code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counted(pub(super) BTreeMap<i64, i64>);

impl Counted {
    fn add(&mut self, code: i64, by: i64) {
        let count = self.0.entry(code).or_default();
        *count += by;
        if *count == 0 {
            self.0.remove(&code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_all_of_whose_values_are_taken_back_is_not_there() {
        let of = |by| {
            let mut state = State::default();
            state.metrics.entry(3).or_default().change(2.5, by);
            state.metric_pairs.entry(3).or_default().change(2.5, 1.0, by);
            state
        };
        let mut state = of(1);
        state.merge(&of(-1));
        assert!(state.is_empty(), "{state:?}");
    }
}
