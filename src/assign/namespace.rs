//! Experiments that exclude each other.

use super::{inside, sticky::Keyed};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Experiments that share no unit: each owns stretches of one line, on which every unit has one
/// point. Different namespaces are independent of each other.
///
/// In a file: `namespace: { name: search, ranges: { ranker: [[0, 0.25]], layout: [[0.25, 0.75]] } }`,
/// the same in the files of all its experiments.
///
/// ```
/// use tower_spearmint::assign::Namespace;
///
/// let search = Namespace::new("search").range("ranker", 0.0, 0.25)?.range("layout", 0.25, 0.75)?;
/// assert_eq!(search.experiment_of(b"user-1"), Some("layout"));
/// assert_eq!(
///     search.range("third", 0.7, 1.0).unwrap_err().to_string(),
///     "in the namespace `search` the range [0.7, 1] of `third` overlaps with [0.25, 0.75] of `layout`"
/// );
/// # Ok::<(), tower_spearmint::assign::NamespaceError>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "NamespaceText")]
pub struct Namespace {
    name: String,
    key: Keyed,
    ranges: Vec<(String, Range)>,
}

/// Points from the first share up to the second, without it. (What ends at 1 has the last point.)
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range(f64, f64);

impl Range {
    fn has(self, point: u64) -> bool {
        !inside(point, self.0) && inside(point, self.1)
    }

    fn overlaps(self, other: Self) -> bool {
        self.0 < other.1 && other.0 < self.1
    }
}

/// What is wrong with a namespace.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NamespaceError {
    /// A range that is not one.
    #[error(
        "[{from}, {to}] of `{experiment}` is not a range; write two numbers from 0 to 1, the \
         smaller first"
    )]
    NotARange {
        /// Whose it is.
        experiment: String,
        /// Where it begins.
        from: f64,
        /// Where it ends.
        to: f64,
    },
    /// Two ranges with points in common.
    #[error(
        "in the namespace `{namespace}` the range [{}, {}] of `{experiment}` overlaps with \
         [{}, {}] of `{other}`", .range.0, .range.1, .other_range.0, .other_range.1
    )]
    Overlap {
        /// The namespace.
        namespace: String,
        /// Whose the one is.
        experiment: String,
        /// The one.
        range: (f64, f64),
        /// Whose the other is.
        other: String,
        /// The other.
        other_range: (f64, f64),
    },
    /// An experiment without a range takes no unit at all.
    #[error("no range for `{experiment}` in the namespace `{namespace}`; there are {known}")]
    NotInIt {
        /// The experiment.
        experiment: String,
        /// The namespace.
        namespace: String,
        /// The experiments that have ranges.
        known: String,
    },
}

impl Namespace {
    /// A namespace that belongs to nobody yet.
    pub fn new(name: &str) -> Self {
        let key = Keyed::new("tower-spearmint namespace v1", name);
        Self { name: name.to_owned(), key, ranges: Vec::new() }
    }

    /// Gives an experiment the points from `from` up to `to`, shares of the line from 0 to 1. It
    /// may have several ranges.
    ///
    /// # Errors
    ///
    /// When it is no range, or overlaps with another.
    pub fn range(mut self, experiment: &str, from: f64, to: f64) -> Result<Self, NamespaceError> {
        let experiment = experiment.to_owned();
        if !(0.0..=1.0).contains(&from) || !(0.0..=1.0).contains(&to) || from >= to {
            return Err(NamespaceError::NotARange { experiment, from, to });
        }
        let range = Range(from, to);
        if let Some((other, taken)) = self.ranges.iter().find(|(_, taken)| range.overlaps(*taken)) {
            return Err(NamespaceError::Overlap {
                namespace: self.name,
                experiment,
                range: (from, to),
                other: other.clone(),
                other_range: (taken.0, taken.1),
            });
        }
        self.ranges.push((experiment, range));
        Ok(self)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The experiment that a unit belongs to, if it belongs to one.
    pub fn experiment_of(&self, key: &[u8]) -> Option<&str> {
        let point = self.key.words(key)[0];
        let owner = self.ranges.iter().find(|(_, range)| range.has(point));
        owner.map(|(experiment, _)| experiment.as_str())
    }

    /// What one experiment owns of it.
    pub(crate) fn segment(&self, experiment: &str) -> Result<Segment, NamespaceError> {
        let own = self.ranges.iter().filter(|(owner, _)| owner == experiment);
        let ranges: Box<[Range]> = own.map(|(_, range)| *range).collect();
        if ranges.is_empty() {
            let mut known: Vec<_> =
                self.ranges.iter().map(|(owner, _)| format!("`{owner}`")).collect();
            known.dedup();
            return Err(NamespaceError::NotInIt {
                experiment: experiment.to_owned(),
                namespace: self.name.clone(),
                known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
            });
        }
        Ok(Segment { name: self.name.clone(), key: self.key.clone(), ranges })
    }
}

/// What one experiment owns of a namespace.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) name: String,
    key: Keyed,
    ranges: Box<[Range]>,
}

impl Segment {
    pub(crate) fn point(&self, key: &[u8]) -> u64 {
        self.key.words(key)[0]
    }

    pub(crate) fn has(&self, point: u64) -> bool {
        self.ranges.iter().any(|range| range.has(point))
    }

    pub(crate) fn rules(&self) -> Value {
        json!({ "name": self.name, "ranges": self.shares() })
    }

    pub(crate) fn shares(&self) -> Vec<[f64; 2]> {
        self.ranges.iter().map(|range| [range.0, range.1]).collect()
    }
}

/// Experiments that share no unit.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamespaceText {
    /// Its name: another one is independent of it.
    name: String,
    /// What each experiment owns of the line from 0 to 1, as in `{ ranker: [[0, 0.25]] }`.
    ranges: BTreeMap<String, Vec<[f64; 2]>>,
}

#[cfg(feature = "schema")]
crate::config::schema::written::written_as!(Namespace, NamespaceText);

impl TryFrom<NamespaceText> for Namespace {
    type Error = NamespaceError;

    fn try_from(text: NamespaceText) -> Result<Self, NamespaceError> {
        let ranges = text.ranges.iter();
        let ranges = ranges.flat_map(|(owner, ranges)| ranges.iter().map(move |r| (owner, r)));
        ranges.clone().try_fold(Self::new(&text.name), |namespace, (owner, [from, to])| {
            namespace.range(owner, *from, *to)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Cuts the line at random places and deals the pieces to three experiments.
        #[test]
        fn no_unit_is_in_two_experiments_of_a_namespace(
            mut cuts in prop::collection::vec(0.0..=1.0_f64, 2..8), units in prop::collection::vec(any::<u64>(), 50)
        ) {
            cuts.sort_by(f64::total_cmp);
            cuts.dedup();
            prop_assume!(cuts.len() > 1);
            let names = ["a", "b", "c"];
            let mut namespace = Namespace::new("search");
            for (at, pair) in cuts.windows(2).enumerate() {
                namespace = namespace.range(names[at % 3], pair[0], pair[1]).unwrap();
            }
            for unit in units {
                let key = unit.to_le_bytes();
                let owners = names.iter().filter(|name| {
                    namespace.segment(name).is_ok_and(|own| own.has(own.point(&key)))
                });
                let owners: Vec<_> = owners.copied().collect();
                prop_assert!(owners.len() <= 1, "{owners:?}");
                prop_assert_eq!(owners.first().copied(), namespace.experiment_of(&key));
            }
        }
    }

    #[test]
    fn ranges_that_touch_leave_no_point_out() {
        for cut in [0.1, 1.0 / 3.0, 0.5, f64::EPSILON] {
            let (low, high) = (Range(0.0, cut), Range(cut, 1.0));
            let edge = (cut * 18_446_744_073_709_551_616.0) as u64;
            for point in [0, edge.saturating_sub(1), edge, edge + 1, u64::MAX] {
                assert!(low.has(point) != high.has(point), "{cut} {point}");
            }
        }
    }

    #[test]
    fn an_experiment_without_a_range_is_told_who_has_one() {
        let search = Namespace::new("search").range("ranker", 0.0, 0.5).unwrap();
        assert_eq!(
            search.segment("rankr").unwrap_err().to_string(),
            "no range for `rankr` in the namespace `search`; there are `ranker`"
        );
    }
}
