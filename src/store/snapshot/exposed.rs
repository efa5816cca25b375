//! Which config each unit met first: a set that merges, and is bounded.

use super::sample::is_kept;
use crate::config::ConfigId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, btree_map::Entry};

/// How many first exposures of an experiment are kept, in all its epochs together.
const MOST: usize = 65_536;

/// The first exposures of one experiment. A unit that several replicas saw counts once, with the
/// config that answered it first.
///
/// All of them up to 65,536; beyond that those of the units whose hash, mixed again, begins with as
/// many zero bits (the level) as it takes for them to be no more: adaptive sampling (Flajolet, *On
/// adaptive sampling*, Computing 43, 1990; for unions of streams Gibbons & Tirthapura, SPAA 2001). What is kept
/// depends on the set alone, not on the order in which it came or was merged: that of a union is
/// the level of its largest part or higher, and only what is below it is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Exposed {
    level: u32,
    /// By unit and by the fingerprint of the weights and rules.
    first: BTreeMap<(u64, Option<u64>), First>,
}

/// When, and which config it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct First {
    ms: u64,
    config: ConfigId,
}

impl Exposed {
    pub(super) fn add(&mut self, unit: u64, epoch: Option<u64>, ms: u64, config: ConfigId) {
        if !is_kept(unit, self.level) {
            return;
        }
        let found = First { ms, config };
        match self.first.entry((unit, epoch)) {
            Entry::Vacant(entry) => {
                entry.insert(found);
            }
            Entry::Occupied(mut entry) if found < *entry.get() => {
                entry.insert(found);
            }
            Entry::Occupied(_) => {}
        }
        while self.first.len() > MOST && self.level < u64::BITS {
            self.raise(self.level + 1);
        }
    }

    fn raise(&mut self, level: u32) {
        self.level = level;
        self.first.retain(|(unit, _), _| is_kept(*unit, level));
    }
}

#[cfg(any(test, feature = "report"))]
impl Exposed {
    /// One of 2 to the power of this many units is kept.
    pub(crate) const fn level(&self) -> u32 {
        self.level
    }

    /// The union.
    pub(super) fn merge(&mut self, other: &Self) {
        self.merge_where(other, |_| true);
    }

    /// With those that were exposed at such times, in ms since the Unix epoch.
    pub(super) fn merge_where(&mut self, other: &Self, is_meant: impl Fn(u64) -> bool) {
        if other.level > self.level {
            self.raise(other.level);
        }
        for ((unit, epoch), first) in &other.first {
            if is_meant(first.ms) {
                self.add(*unit, *epoch, first.ms, first.config.clone());
            }
        }
    }

    /// Unit, epoch, when in ms since the Unix epoch, and the config.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Option<u64>, u64, &ConfigId)> {
        self.first.iter().map(|((unit, epoch), first)| (*unit, *epoch, first.ms, &first.config))
    }

    /// None, at the same level.
    pub(super) fn emptied(&self) -> Self {
        Self { level: self.level, first: BTreeMap::new() }
    }

    /// How many units met a config first, by epoch; only those whose first answer is not older.
    pub(crate) fn counts(&self, since_ns: Option<u64>) -> BTreeMap<(Option<u64>, ConfigId), u64> {
        let mut counts = BTreeMap::new();
        for ((_, epoch), first) in &self.first {
            if since_ns.is_none_or(|since| first.ms.saturating_mul(1_000_000) >= since) {
                *counts.entry((*epoch, first.config.clone())).or_default() += 1;
            }
        }
        counts
    }
}

/// As it stands in a snapshot's JSON: rows of the unit in hexadecimal digits, the places of its epoch and config
/// in the lists, and the time in ms since 1970.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Rows {
    level: u32,
    epochs: Vec<Option<String>>,
    configs: Vec<ConfigId>,
    units: Vec<(String, usize, usize, u64)>,
}

impl From<&Exposed> for Rows {
    fn from(exposed: &Exposed) -> Self {
        let mut rows = Self {
            level: exposed.level,
            epochs: Vec::new(),
            configs: Vec::new(),
            units: Vec::with_capacity(exposed.first.len()),
        };
        let (mut epochs, mut configs) = (BTreeMap::new(), BTreeMap::new());
        for ((unit, epoch), First { ms, config }) in &exposed.first {
            let epoch = *epochs.entry(*epoch).or_insert_with(|| {
                rows.epochs.push(epoch.map(|fingerprint| format!("{fingerprint:016x}")));
                rows.epochs.len() - 1
            });
            let config = *configs.entry(config).or_insert_with(|| {
                rows.configs.push(config.clone());
                rows.configs.len() - 1
            });
            rows.units.push((format!("{unit:016x}"), epoch, config, *ms));
        }
        rows
    }
}

impl Rows {
    /// What they stand for; `None` if they are damaged.
    pub(super) fn exposed(self) -> Option<Exposed> {
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        let mut epochs = Vec::with_capacity(self.epochs.len());
        for epoch in &self.epochs {
            epochs.push(match epoch {
                Some(text) => Some(hex(text)?),
                None => None,
            });
        }
        let mut exposed = Exposed { level: self.level.min(u64::BITS), first: BTreeMap::new() };
        for (unit, epoch, config, ms) in &self.units {
            let (epoch, config) = (*epochs.get(*epoch)?, self.configs.get(*config)?.clone());
            exposed.add(hex(unit)?, epoch, *ms, config);
        }
        Some(exposed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(units: impl Iterator<Item = u64>) -> Exposed {
        let mut exposed = Exposed::default();
        // Hashes, as keys are recorded.
        units.for_each(|unit| {
            let hash = unit.wrapping_mul(0xd134_2543_de82_ef95);
            let config = if hash % 10 < 3 { "candidate" } else { "stable" };
            exposed.add(hash, Some(7), unit, ConfigId::named(config));
        });
        exposed
    }

    #[test]
    fn a_union_of_samples_is_the_sample_of_the_union_however_it_is_put_together() {
        let parts = [of(0..100_000), of(50_000..230_000), of((0..400_000).step_by(7))];
        let whole = of((0..230_000).chain((0..400_000).step_by(7)));
        assert!(whole.level > parts[0].level && parts[2].level == 0);
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut merged = Exposed::default();
            for at in order {
                merged.merge(&parts[at]);
                merged.merge(&parts[at]);
            }
            assert_eq!(merged, whole);
        }
    }

    #[test]
    fn a_sample_has_the_shares_of_all() {
        let exposed = of(0..1_000_000);
        assert!((4..=5).contains(&exposed.level));
        let counts: Vec<u64> = exposed.counts(None).into_values().collect();
        let (share, all) = (counts[0] as f64, counts.iter().sum::<u64>() as f64);
        assert!((share / all - 0.3).abs() < 4.0 * (0.21 / all).sqrt(), "{counts:?}");
    }

    #[test]
    fn a_unit_counts_once_with_what_it_met_first() {
        let (a, b) = (ConfigId::named("a"), ConfigId::named("b"));
        let (mut one, mut other) = (Exposed::default(), Exposed::default());
        one.add(5, None, 2_000, a);
        other.add(5, None, 1_000, b.clone());
        one.merge(&other);
        assert_eq!(one.counts(None), BTreeMap::from([((None, b), 1)]));
        assert!(one.counts(Some(1_500_000_000)).is_empty());
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let exposed = of(0..300);
        let json = serde_json::to_string(&Rows::from(&exposed)).unwrap();
        assert_eq!(serde_json::from_str::<Rows>(&json).unwrap().exposed(), Some(exposed));
    }
}
