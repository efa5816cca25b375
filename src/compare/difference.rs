//! What differs.

use crate::branch::named;
use serde::Serialize;

/// How many differences of one comparison are kept; the others are counted.
const MAX_KEPT: usize = 32;

/// How many bytes of a value are kept as its sample.
pub(super) const MAX_SAMPLE: usize = 256;

/// How many bytes of a path are kept: keys come from the other side of the network.
const MAX_PATH: usize = 256;

named! {
    /// In what way two answers differ at a path.
    DifferenceKind {
        /// Both have something there, and not the same.
        Changed = "changed",
        /// Both have something there, of different types.
        Type = "type",
        /// Only the primary has something there.
        Missing = "missing",
        /// Only the other has something there.
        Added = "added",
    }
}

/// One place where two answers differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Where: `status`, `header:content-type`, `body`, or a JSON pointer (RFC 6901) into the body
    /// in which `*` stands for the places of an array: `/items/*/id`. Cut to 256 bytes.
    pub path: String,
    /// In what way.
    pub kind: DifferenceKind,
    /// How often, in this comparison: a path with a `*` stands for many places.
    pub count: u64,
    /// The primary's value at the first of them, cut to 256 bytes, if it has one.
    pub primary: Option<String>,
    /// The other's value there, likewise.
    pub shadow: Option<String>,
}

/// What differs between two answers: the first 32 paths, and how many more places there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    list: Vec<Difference>,
    more: u64,
}

impl Differences {
    /// Adds one. If the same was found at this path before, it is counted there.
    pub fn push(
        &mut self,
        path: impl Into<String>,
        kind: DifferenceKind,
        primary: Option<&str>,
        shadow: Option<&str>,
    ) {
        let samples = || (primary.map(str::to_owned), shadow.map(str::to_owned));
        self.add(&path.into(), kind, 1, samples);
    }

    /// As [`push`](Self::push), `count` at once; the samples are made if they are kept.
    pub(crate) fn add(
        &mut self,
        path: &str,
        kind: DifferenceKind,
        count: u64,
        samples: impl FnOnce() -> (Option<String>, Option<String>),
    ) {
        let known = |known: &&mut Difference| known.kind == kind && is_cut_of(&known.path, path);
        if let Some(known) = self.list.iter_mut().find(known) {
            known.count += count;
        } else if self.list.len() >= MAX_KEPT {
            self.more += count;
        } else {
            let (primary, shadow) = samples();
            let sample = |text: Option<String>| text.map(|text| cut(text, MAX_SAMPLE));
            let (primary, shadow) = (sample(primary), sample(shadow));
            let path = cut(path.to_owned(), MAX_PATH);
            self.list.push(Difference { path, kind, count, primary, shadow });
        }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The first of them.
    pub fn list(&self) -> &[Difference] {
        &self.list
    }

    /// How many places there are beyond those of [`list`](Self::list).
    pub const fn more(&self) -> u64 {
        self.more
    }
}

impl From<bool> for Differences {
    /// Whether the two are equal: if not, they differ as a whole (path `body`).
    fn from(is_equal: bool) -> Self {
        let mut differences = Self::default();
        if !is_equal {
            differences.push("body", DifferenceKind::Changed, None, None);
        }
        differences
    }
}

fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        text.truncate(floor(&text, max));
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// The last place of a character at or before `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Whether `kept` is what [`cut`] leaves of `path`.
fn is_cut_of(kept: &str, path: &str) -> bool {
    if path.len() <= MAX_PATH {
        return kept == path;
    }
    kept.strip_suffix('…') == Some(&path[..floor(path, MAX_PATH)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_at_the_same_path_is_counted_and_the_first_32_paths_are_kept() {
        let mut differences = Differences::default();
        for index in 0..40 {
            for value in ["a", "b", "c"] {
                differences.push(format!("/{index}"), DifferenceKind::Changed, Some(value), None);
            }
        }
        assert_eq!(differences.list().len(), 32);
        assert!(differences.list().iter().all(|difference| difference.count == 3));
        assert_eq!(differences.list()[0].primary.as_deref(), Some("a"));
        assert_eq!(differences.more(), 8 * 3);
    }

    #[test]
    fn paths_and_samples_are_cut_between_characters() {
        let mut differences = Differences::default();
        let long = "é".repeat(1000);
        for _ in 0..2 {
            differences.push(format!("/{long}"), DifferenceKind::Changed, Some(&long), Some("x"));
        }
        let [difference] = differences.list() else { panic!("{differences:?}") };
        assert_eq!(difference.count, 2);
        assert_eq!(difference.path, format!("/{}…", "é".repeat(127)));
        assert_eq!(difference.primary, Some(format!("{}…", "é".repeat(128))));
    }
}
