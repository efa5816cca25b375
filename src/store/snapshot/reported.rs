//! The outcomes of a sample of units: a set that merges, and is bounded.
//!
//! Which exposure of its unit an outcome belongs to, no replica knows for itself: the unit may have been exposed by one, at
//! first by another, and its outcome be reported to a third, or to all of them. So a snapshot carries the outcomes
//! themselves, and they are attributed when all are put together.

use super::sample::is_kept;
use crate::store::outcome::{ExperimentSpan, OutcomeFact, of_blob, removed_before, spans};
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

/// How many outcomes are kept: of each as many as there are salts that its unit's key is hashed with.
const MOST: usize = 131_072;
/// The largest value, in millionths.
const MAX_VALUE: i64 = 1_000_000_000_000_000;

/// Outcomes by the hash of their unit. Each counts once, to however many replicas it was reported.
///
/// All of them up to 131,072; beyond that those of a sample of units, as of first exposures
/// ([`Exposed`](super::exposed::Exposed)): what is kept depends on the set alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reported {
    pub(super) level: u32,
    /// By unit and by a hash of the outcome's id.
    outcomes: BTreeMap<(u64, u64), OutcomeFact>,
}

impl Reported {
    fn add(&mut self, unit: u64, id: u64, fact: OutcomeFact) {
        if !is_kept(unit, self.level) {
            return;
        }
        match self.outcomes.entry((unit, id)) {
            Entry::Vacant(entry) => {
                entry.insert(fact);
            }
            Entry::Occupied(mut entry) if fact < *entry.get() => {
                entry.insert(fact);
            }
            Entry::Occupied(_) => {}
        }
        while self.outcomes.len() > MOST && self.level < u64::BITS {
            self.raise(self.level + 1);
        }
    }

    fn raise(&mut self, level: u32) {
        self.level = level;
        self.outcomes.retain(|(unit, _), _| is_kept(*unit, level));
    }
}

#[cfg(any(test, feature = "report"))]
impl Reported {
    /// The union.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.level > self.level {
            self.raise(other.level);
        }
        for ((unit, id), fact) in &other.outcomes {
            self.add(*unit, *id, fact.clone());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    /// Those of a unit.
    pub(super) fn of(&self, unit: u64) -> impl Iterator<Item = &OutcomeFact> + Clone {
        self.outcomes.range((unit, 0)..=(unit, u64::MAX)).map(|(_, fact)| fact)
    }
}

/// What a store knows of outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcomes {
    pub(super) reported: Reported,
    /// Those of an earlier time were removed, in ms since the Unix epoch.
    pub(super) removed_before_ms: Option<i64>,
    /// By experiment.
    pub(super) spans: Vec<ExperimentSpan>,
}

impl Outcomes {
    pub(super) fn read(connection: &Connection, version: i32) -> rusqlite::Result<Self> {
        Ok(Self {
            reported: reported(connection)?,
            removed_before_ms: removed_before(connection)?,
            spans: spans(connection, version)?,
        })
    }
}

fn reported(connection: &Connection) -> rusqlite::Result<Reported> {
    let mut names: BTreeMap<i64, Arc<str>> = BTreeMap::new();
    let mut statement = connection.prepare("SELECT key, name FROM outcome_name")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        names.insert(row.get(0)?, row.get::<_, String>(1)?.into());
    }
    let mut found = Reported::default();
    let mut statement = connection.prepare("SELECT units, id, name, value, at_ms FROM outcome")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let units = of_blob(row.get_ref(0)?.as_blob()?).into_iter().map(i64::cast_unsigned);
        let kept: Vec<u64> = units.filter(|unit| is_kept(*unit, found.level)).collect();
        let Some(name) = names.get(&row.get(2)?).filter(|_| !kept.is_empty()) else { continue };
        let (id, value, at_ms) = (id(row)?, row.get(3)?, row.get(4)?);
        for unit in kept {
            found.add(unit, id, OutcomeFact { name: name.clone(), value, at_ms });
        }
    }
    Ok(found)
}

/// (Among the outcomes of one unit 64 bits are enough.)
fn id(row: &Row<'_>) -> rusqlite::Result<u64> {
    let hash = blake3::hash(row.get_ref(1)?.as_str()?.as_bytes());
    Ok(hash.as_bytes().first_chunk().map_or(0, |first| u64::from_be_bytes(*first)))
}

/// As it stands in a snapshot's JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Content {
    removed_before_ms: Option<i64>,
    spans: Vec<ExperimentSpan>,
    reported: Rows,
}

impl From<Outcomes> for Content {
    fn from(outcomes: Outcomes) -> Self {
        let reported = Rows::from(&outcomes.reported);
        let Outcomes { removed_before_ms, spans, .. } = outcomes;
        Self { removed_before_ms, spans, reported }
    }
}

impl Content {
    /// What it stands for; `None` if it is damaged.
    pub(super) fn outcomes(self) -> Option<Outcomes> {
        let Self { removed_before_ms, spans, reported } = self;
        Some(Outcomes { reported: reported.reported()?, removed_before_ms, spans })
    }
}

/// Rows of the unit and the hash of the id in hexadecimal digits, the place of the name in the
/// list, the value in millionths, and the time in ms since 1970.
#[derive(Debug, Serialize, Deserialize)]
struct Rows {
    level: u32,
    names: Vec<Arc<str>>,
    outcomes: Vec<(String, String, usize, i64, i64)>,
}

impl From<&Reported> for Rows {
    fn from(reported: &Reported) -> Self {
        let mut rows = Self {
            level: reported.level,
            names: Vec::new(),
            outcomes: Vec::with_capacity(reported.outcomes.len()),
        };
        let mut names = BTreeMap::new();
        for ((unit, id), OutcomeFact { at_ms, value, name }) in &reported.outcomes {
            let name = *names.entry(name).or_insert_with(|| {
                rows.names.push(name.clone());
                rows.names.len() - 1
            });
            rows.outcomes.push((
                format!("{unit:016x}"),
                format!("{id:016x}"),
                name,
                *value,
                *at_ms,
            ));
        }
        rows
    }
}

impl Rows {
    /// What they stand for; `None` if they are damaged.
    fn reported(self) -> Option<Reported> {
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        let mut reported = Reported { level: self.level.min(u64::BITS), ..Reported::default() };
        for (unit, id, name, value, at_ms) in &self.outcomes {
            if !(-MAX_VALUE..=MAX_VALUE).contains(value) || *at_ms < 0 {
                return None;
            }
            let name = self.names.get(*name)?.clone();
            reported.add(hex(unit)?, hex(id)?, OutcomeFact { at_ms: *at_ms, value: *value, name });
        }
        Some(reported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(outcomes: impl Iterator<Item = u64>) -> Reported {
        let mut reported = Reported::default();
        outcomes.for_each(|number| {
            // Two of each unit.
            let unit = (number / 2).wrapping_mul(0xd134_2543_de82_ef95);
            let fact = OutcomeFact { at_ms: number.cast_signed(), value: 5, name: "n".into() };
            reported.add(unit, number, fact);
        });
        reported
    }

    #[test]
    fn a_union_of_samples_is_the_sample_of_the_union_however_it_is_put_together() {
        let parts = [of(0..200_000), of(100_000..460_000), of((0..800_000).step_by(7))];
        let whole = of((0..460_000).chain((0..800_000).step_by(7)));
        assert!(whole.level > parts[0].level && parts[2].level == 0);
        assert!(whole.outcomes.len() <= MOST);
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut merged = Reported::default();
            for at in order {
                merged.merge(&parts[at]);
                merged.merge(&parts[at]);
            }
            assert!(merged == whole);
        }
    }

    #[test]
    fn what_is_reported_to_several_counts_once_when_it_was_earliest() {
        let fact = |at_ms| OutcomeFact { at_ms, value: 7, name: "n".into() };
        let (mut one, mut other) = (Reported::default(), Reported::default());
        one.add(5, 1, fact(20));
        other.add(5, 1, fact(10));
        other.add(5, 2, fact(30));
        one.merge(&other);
        assert_eq!(one.of(5).map(|fact| fact.at_ms).collect::<Vec<_>>(), [10, 30]);
        assert_eq!(one.of(4).count(), 0);
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let reported = of(0..300);
        let json = serde_json::to_string(&Rows::from(&reported)).unwrap();
        assert_eq!(serde_json::from_str::<Rows>(&json).unwrap().reported(), Some(reported));
        let damaged = json.replacen(",5,", ",1000000000000001,", 1);
        assert_eq!(serde_json::from_str::<Rows>(&damaged).unwrap().reported(), None);
    }
}
