//! What the values of a document were drawn from, besides the document.

use super::super::path;
use std::{collections::BTreeMap, fmt};

/// What a value was drawn from, besides the document it stands in.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct DrawnFrom(u8);

impl DrawnFrom {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ENV: Self = Self(1);
    pub(super) const FILE: Self = Self(2);
    pub(super) const TIME: Self = Self(4);
    pub(super) const SYSTEM: Self = Self(8);
    pub(super) const SECRET: Self = Self(16);
    const NAMES: [(Self, &str); 5] = [
        (Self::ENV, "env"),
        (Self::FILE, "file"),
        (Self::TIME, "time"),
        (Self::SYSTEM, "sys"),
        (Self::SECRET, "secret"),
    ];

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// An environment variable.
    pub const fn is_env(self) -> bool {
        self.has(Self::ENV)
    }

    /// The contents of a file, or whether there is one.
    pub const fn is_file(self) -> bool {
        self.has(Self::FILE)
    }

    /// The clock.
    pub const fn is_time(self) -> bool {
        self.has(Self::TIME)
    }

    /// The machine: its name, its processors, the current directory.
    pub const fn is_system(self) -> bool {
        self.has(Self::SYSTEM)
    }

    /// A value under a key that holds secrets, or an environment variable or file so named.
    pub const fn is_secret(self) -> bool {
        self.has(Self::SECRET)
    }

    /// Whether the value may differ from one machine or moment to the next.
    pub const fn varies(self) -> bool {
        self.0 & !Self::SECRET.0 != 0
    }

    /// Whether an error may quote the value.
    pub(crate) const fn may_be_quoted(self) -> bool {
        self.0 & (Self::ENV.0 | Self::FILE.0 | Self::SECRET.0) == 0
    }
}

/// `env, secret`.
impl fmt::Display for DrawnFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> =
            Self::NAMES.iter().filter(|(one, _)| self.has(*one)).map(|(_, name)| *name).collect();
        f.write_str(&names.join(", "))
    }
}

impl fmt::Debug for DrawnFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DrawnFrom({self})")
    }
}

/// What the values of a document were drawn from, by path, and what could not be resolved yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawn {
    pub(super) sources: BTreeMap<String, DrawnFrom>,
    pub(super) left: Vec<String>,
    /// Every reference that was there has been resolved, or left: what looks like one now is a text.
    pub(super) is_done: bool,
}

impl Drawn {
    /// Each path whose value was drawn from somewhere outside, or from a secret.
    pub fn iter(&self) -> impl Iterator<Item = (&str, DrawnFrom)> {
        self.sources.iter().map(|(path, sources)| (path.as_str(), *sources))
    }

    /// The texts that refer to what stands for many values (`{ $choice: … }`), by path. They are
    /// resolved for each expanded value, with [`resolve_in`](super::resolve_in).
    pub fn left(&self) -> &[String] {
        &self.left
    }

    /// Whether every reference is resolved.
    pub fn is_complete(&self) -> bool {
        self.left.is_empty()
    }

    /// What the value at `path` was drawn from: itself, what is around it and what is in it.
    pub fn at(&self, path: &str) -> DrawnFrom {
        let mut all = DrawnFrom::NONE;
        if !self.sources.is_empty() {
            for (other, sources) in &self.sources {
                if path::within(path, other).is_some() || path::within(other, path).is_some() {
                    all.add(*sources);
                }
            }
        }
        all
    }

    /// What was drawn below `base`, by the path from there.
    pub(crate) fn below(&self, base: &str) -> impl Iterator<Item = (&str, DrawnFrom)> {
        self.sources
            .iter()
            .filter_map(move |(path, sources)| Some((path::within(path, base)?, *sources)))
    }

    pub(super) fn add(&mut self, path: String, sources: DrawnFrom) {
        if !sources.is_none() {
            self.sources.entry(path).or_default().add(sources);
        }
    }

    /// What the values of a document laid over this one were drawn from, too. Unless lists keep
    /// their places, what was in a list counts for the whole of it.
    pub(crate) fn lay_over(&mut self, over: Self, keeps_places: bool) {
        for (path, sources) in over.sources {
            let list = path.find('[').filter(|_| !keeps_places);
            self.add(path[..list.unwrap_or(path.len())].to_owned(), sources);
        }
        self.left.extend(over.left);
        self.is_done &= over.is_done;
    }

    /// What was drawn for a value that stands at `base`, too.
    #[cfg(feature = "proxy")]
    pub(crate) fn join(&mut self, other: Self, base: &str) {
        for (path, sources) in other.sources {
            self.add(path::join(base, &path), sources);
        }
    }

    /// The value at this path is a secret.
    #[cfg(feature = "schema")]
    pub(crate) fn hide(&mut self, path: String) {
        self.add(path, DrawnFrom::SECRET);
    }

    /// What `other` knows, too; what was left is what is left there.
    pub(super) fn merge(&mut self, other: Self) {
        for (path, sources) in other.sources {
            self.add(path, sources);
        }
        self.left = other.left;
        self.is_done = true;
    }
}
