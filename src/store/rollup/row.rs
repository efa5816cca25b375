//! A roll-up as it is read back.

use super::{Histogram, MetricPairs, MetricSums, Moments, state::State};
use crate::{
    assign::Reason,
    branch::{FailureKind, Role, SkipReason},
    config::ConfigId,
    store::codes::Codes,
};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{collections::BTreeMap, str::FromStr, sync::Arc};

const MINUTE_NS: u64 = 60_000_000_000;

/// What the branches of one config come to, in one role of one experiment, under the same weights
/// and rules, in one minute (or hour, once that is old).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rollup {
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// The id of the config.
    pub config_id: ConfigId,
    /// What the branches did for their requests.
    #[serde(deserialize_with = "crate::named::read")]
    pub role: Role,
    /// The fingerprint of the weights and rules they were chosen by; `None` where a program that
    /// knew no epochs wrote them.
    #[serde(serialize_with = "as_hex", deserialize_with = "of_hex")]
    pub epoch: Option<u64>,
    /// Why, if chance did not decide that it was their config ([`Reason::is_exposure`]): what says nothing of a config
    /// in comparison with others has a roll-up of its own for each reason. `None` of all others, and where nothing
    /// is known of it. (Of what runs beside a primary it is always `None`.)
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "of_reason")]
    pub aside: Option<Reason>,
    /// Where the time begins, in ns since the Unix epoch.
    pub start_ns: u64,
    /// How many minutes there are from there on.
    pub minutes: u32,
    /// Branches that returned, to the end.
    pub success: u64,
    /// Those that were started and went wrong.
    pub failed: u64,
    /// Those that were refused before they were started.
    pub skipped: u64,
    /// Those whose caller left.
    pub cancelled: u64,
    /// The failed ones by kind.
    #[serde(deserialize_with = "known")]
    pub failures: BTreeMap<FailureKind, u64>,
    /// The skipped ones by reason.
    #[serde(deserialize_with = "known")]
    pub skips: BTreeMap<SkipReason, u64>,
    /// How often they were tried again, all together.
    pub retries: u64,
    /// How long those took that ended by themselves (successful and failed ones), in ns.
    pub duration: Histogram,
    /// How long it took them until the head of the response was there, in ns, where it was
    /// measured.
    pub first_byte: Histogram,
    /// The sums of what is in `duration`, time-outs with the time they were waited for.
    pub duration_sums: Moments,
    /// The sums of what is in `first_byte`, without time-outs.
    pub first_byte_sums: Moments,
    /// The sums of the bytes of the request bodies that they read, where they were counted.
    pub bytes_in: Moments,
    /// The sums of the bytes of their response bodies.
    pub bytes_out: Moments,
    /// Branches that ran beside a primary: how both ended.
    pub pairs: Pairs,
    /// How long the primaries of those pairs took, in ns: of the same requests as `duration`, where
    /// a primary of its own answers others as well.
    pub primary_duration: Histogram,
    /// How long primaries were waited for whose callers left, in ns: beside a branch that ended, or that was left with
    /// them. They would have taken longer.
    #[serde(default)]
    pub primary_left: Histogram,
    /// How long those took, in ns, that ended beside a primary that did, or was left: the requests of `primary_duration`
    /// and of those in `primary_left`, from the other side.
    #[serde(default)]
    pub paired_duration: Histogram,
    /// How long those had run, in ns, that were left with their primaries: the others of `primary_left`.
    #[serde(default)]
    pub paired_left: Histogram,
    /// How many units were answered for the first time in this epoch.
    pub first_exposures: u64,
    /// The numbers that services said of those that ended by themselves, by their names.
    #[serde(default)]
    pub metrics: BTreeMap<Arc<str>, MetricSums>,
    /// The same of pairs of a primary and a branch beside it, where both have the metric.
    #[serde(default)]
    pub metric_pairs: BTreeMap<Arc<str>, MetricPairs>,
}

/// What became of pairs of a primary and a branch that ran beside it.
///
/// The first four count pairs of which both ended by themselves; the others those whose answers
/// were compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pairs {
    /// Both succeeded.
    pub both_succeeded: u64,
    /// Only the primary failed.
    pub primary_failed: u64,
    /// Only the branch beside it failed.
    pub other_failed: u64,
    /// Both failed.
    pub both_failed: u64,
    /// The answers are equal.
    pub equal: u64,
    /// The answers differ.
    pub different: u64,
}

impl Rollup {
    /// One that counts nothing yet, of the minute that begins at `start_ns` since the Unix epoch.
    pub fn new(
        experiment: impl Into<Arc<str>>,
        strategy: impl Into<Arc<str>>,
        config_id: ConfigId,
        role: Role,
        start_ns: u64,
    ) -> Self {
        Self {
            experiment: experiment.into(),
            strategy: strategy.into(),
            config_id,
            role,
            epoch: None,
            aside: None,
            start_ns: start_ns / MINUTE_NS * MINUTE_NS,
            minutes: 1,
            success: 0,
            failed: 0,
            skipped: 0,
            cancelled: 0,
            failures: BTreeMap::new(),
            skips: BTreeMap::new(),
            retries: 0,
            duration: Histogram::new(),
            first_byte: Histogram::new(),
            duration_sums: Moments::new(),
            first_byte_sums: Moments::new(),
            bytes_in: Moments::new(),
            bytes_out: Moments::new(),
            pairs: Pairs::default(),
            primary_duration: Histogram::new(),
            primary_left: Histogram::new(),
            paired_duration: Histogram::new(),
            paired_left: Histogram::new(),
            first_exposures: 0,
            metrics: BTreeMap::new(),
            metric_pairs: BTreeMap::new(),
        }
    }

    /// Branches: all of them, however they ended.
    pub const fn requests(&self) -> u64 {
        self.success + self.failed + self.skipped + self.cancelled
    }

    /// Where the time ends, in ns since the Unix epoch.
    pub fn end_ns(&self) -> u64 {
        self.start_ns.saturating_add(u64::from(self.minutes) * MINUTE_NS)
    }

    /// Adds all counts of `other`, exactly and in any order (the metrics but for rounding); whose they
    /// are is not looked at. The time is then from the first minute of either to the last.
    pub fn merge(&mut self, other: &Self) {
        let end_ns = self.end_ns().max(other.end_ns());
        self.start_ns = self.start_ns.min(other.start_ns);
        let minutes = end_ns.saturating_sub(self.start_ns) / MINUTE_NS;
        self.minutes = u32::try_from(minutes).unwrap_or(u32::MAX);
        self.success += other.success;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.cancelled += other.cancelled;
        for (kind, count) in &other.failures {
            *self.failures.entry(*kind).or_default() += count;
        }
        for (reason, count) in &other.skips {
            *self.skips.entry(*reason).or_default() += count;
        }
        self.retries += other.retries;
        self.duration.merge(&other.duration);
        self.first_byte.merge(&other.first_byte);
        self.duration_sums.merge(&other.duration_sums);
        self.first_byte_sums.merge(&other.first_byte_sums);
        self.bytes_in.merge(&other.bytes_in);
        self.bytes_out.merge(&other.bytes_out);
        self.pairs.merge(other.pairs);
        self.primary_duration.merge(&other.primary_duration);
        self.primary_left.merge(&other.primary_left);
        self.paired_duration.merge(&other.paired_duration);
        self.paired_left.merge(&other.paired_left);
        self.first_exposures += other.first_exposures;
        for (name, sums) in &other.metrics {
            self.metrics.entry(name.clone()).or_default().merge(sums);
        }
        for (name, pairs) in &other.metric_pairs {
            self.metric_pairs.entry(name.clone()).or_default().merge(pairs);
        }
    }
}

impl Pairs {
    /// Pairs of which both ended by themselves.
    pub const fn ended(&self) -> u64 {
        self.both_succeeded + self.primary_failed + self.other_failed + self.both_failed
    }

    const fn merge(&mut self, other: Self) {
        self.both_succeeded += other.both_succeeded;
        self.primary_failed += other.primary_failed;
        self.other_failed += other.other_failed;
        self.both_failed += other.both_failed;
        self.equal += other.equal;
        self.different += other.different;
    }
}

/// Whose a roll-up is, and when.
#[derive(Clone)]
pub(super) struct Name {
    pub(super) experiment: Arc<str>,
    pub(super) strategy: Arc<str>,
    pub(super) config_id: ConfigId,
    pub(super) role: Role,
    pub(super) epoch: Option<u64>,
    pub(super) aside: Option<Reason>,
    pub(super) minute: i64,
    pub(super) span: i64,
    /// Of the metrics, by their keys.
    pub(super) metrics: BTreeMap<i64, Arc<str>>,
}

/// A reason that only a newer version knows: the rules decided, whichever it was.
pub(super) const UNKNOWN: Reason = Reason::Ineligible;

impl State {
    /// Without what is set aside. Kinds and reasons that only a newer version knows are among the totals only.
    pub(super) fn named(self, name: Name, codes: &Codes) -> Rollup {
        let Name { experiment, strategy, config_id, role, epoch, aside, minute, span, metrics } =
            name;
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        let [success, failed, skipped, cancelled] = self.statuses.map(count);
        let [both_succeeded, primary_failed, other_failed, both_failed] = self.pairs.map(count);
        let [equal, different] = self.compared.map(count);
        let failures = self.failures(codes).collect();
        let paired_duration = self.paired_of_before().unwrap_or(self.paired_duration);
        let reasons = self.skips.0.iter();
        Rollup {
            experiment,
            strategy,
            config_id,
            role,
            epoch,
            aside,
            start_ns: count(minute).saturating_mul(MINUTE_NS),
            minutes: u32::try_from(span).unwrap_or(1),
            success,
            failed,
            skipped,
            cancelled,
            failures,
            skips: reasons
                .filter_map(|(reason, n)| Some((codes.skip.value(*reason)?, count(*n))))
                .collect(),
            retries: count(self.retries),
            duration: self.duration,
            first_byte: self.first_byte,
            duration_sums: self.duration_sums,
            first_byte_sums: self.first_byte_sums,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            pairs: Pairs {
                both_succeeded,
                primary_failed,
                other_failed,
                both_failed,
                equal,
                different,
            },
            primary_duration: self.primary_duration,
            primary_left: self.primary_left,
            paired_duration,
            paired_left: self.paired_left,
            first_exposures: count(self.exposures),
            metrics: by_name(&self.metrics, &metrics, MetricSums::is_none),
            metric_pairs: by_name(&self.metric_pairs, &metrics, MetricPairs::is_none),
        }
    }
}

/// Without those of which there is none any more.
fn by_name<T: Copy>(
    sums: &BTreeMap<i64, T>,
    names: &BTreeMap<i64, Arc<str>>,
    is_none: impl Fn(&T) -> bool,
) -> BTreeMap<Arc<str>, T> {
    let there = sums.iter().filter(|(_, sums)| !is_none(sums));
    there.filter_map(|(key, sums)| Some((names.get(key)?.clone(), *sums))).collect()
}

/// As [`Epoch`](crate::assign::Epoch) does: not every reader of JSON holds 64 bits.
fn as_hex<S: serde::Serializer>(epoch: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    epoch.map(|fingerprint| format!("{fingerprint:016x}")).serialize(serializer)
}

pub(in crate::store) fn of_hex<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| u64::from_str_radix(&text, 16)).transpose().map_err(de::Error::custom)
}

fn of_reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Reason>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    Ok(name.map(|name| name.parse().unwrap_or(UNKNOWN)))
}

/// What only a newer version knows is among the totals only.
fn known<'de, T, D>(deserializer: D) -> Result<BTreeMap<T, u64>, D::Error>
where
    T: FromStr + Ord,
    D: Deserializer<'de>,
{
    let all = BTreeMap::<String, u64>::deserialize(deserializer)?;
    Ok(all.into_iter().filter_map(|(name, count)| Some((name.parse().ok()?, count))).collect())
}
