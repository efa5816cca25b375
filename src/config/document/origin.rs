//! Where each part of a document came from.

use crate::config::path;
use std::{fmt, sync::Arc};

/// A line and a column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
}

impl Spot {
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A file or a text.
    File {
        /// The file, or `<text>`.
        place: Arc<str>,
        /// Where in it.
        spot: Spot,
    },
    /// An environment variable; its name.
    Environment(Arc<str>),
    /// An override of the command line, as it was given, without any secret.
    Override(Arc<str>),
    /// A template that stands for many configs; where that came from.
    Expansion(Arc<Self>),
    /// The program itself.
    Code,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { place, spot: Spot { line, column } } => {
                write!(f, "{place}:{line}:{column}")
            }
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Override(text) => write!(f, "override `{text}`"),
            Self::Expansion(template) => write!(f, "expanded from {template}"),
            Self::Code => f.write_str("the program"),
        }
    }
}

/// The origins of a value and of what is in it: a tree of the same shape. (A map from whole paths
/// would take, for a hostile file, the square of its size.)
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    pub(super) origin: Option<Origin>,
    is_list: bool,
    /// Of a map in the order of the keys (a `BTreeMap` takes a kilobyte for a map of one key); of a
    /// list in its own order, under empty keys.
    inside: Vec<(Box<str>, Self)>,
}

impl Trace {
    /// Of a value that came as a whole.
    pub(crate) const fn whole(origin: Origin) -> Self {
        Self { origin: Some(origin), is_list: false, inside: Vec::new() }
    }

    /// Of a map that stood at `origin`.
    pub(crate) fn map(origin: Origin, mut inside: Vec<(Box<str>, Self)>) -> Self {
        inside.sort_by(|(a, _), (b, _)| a.cmp(b));
        inside.shrink_to_fit();
        Self { origin: Some(origin), is_list: false, inside }
    }

    /// Of a list that stood at `origin`.
    pub(crate) fn list(origin: Origin, items: impl IntoIterator<Item = Self>) -> Self {
        let inside = items.into_iter().map(|item| (Box::default(), item)).collect();
        Self { origin: Some(origin), is_list: true, inside }
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.inside.binary_search_by(|(found, _)| (**found).cmp(key))
    }

    fn step(&self, step: &str) -> Option<&Self> {
        let at = if self.is_list { step.parse().ok()? } else { self.find(step).ok()? };
        self.inside.get(at).map(|(_, trace)| trace)
    }

    /// The origin of what is at `path`: its own, or that of the nearest part around it that has one.
    pub(super) fn nearest(&self, path: &str) -> Option<&Origin> {
        let mut nearest = self.origin.as_ref();
        let mut here = self;
        for step in path::steps(path) {
            let Some(next) = here.step(&step) else { break };
            here = next;
            nearest = here.origin.as_ref().or(nearest);
        }
        nearest
    }

    /// The trace under a key of a map, made if it is not there.
    pub(super) fn entry(&mut self, key: &str) -> &mut Self {
        if self.is_list {
            self.is_list = false;
            self.inside.clear();
        }
        let at = self.find(key).unwrap_or_else(|at| {
            self.inside.insert(at, (key.into(), Self::default()));
            at
        });
        &mut self.inside[at].1
    }

    /// The trace of an item of a list, made if it is not there.
    pub(super) fn item(&mut self, at: usize) -> &mut Self {
        if !self.is_list {
            self.is_list = true;
            self.inside.clear();
        }
        if self.inside.len() <= at {
            self.inside.resize_with(at + 1, Default::default);
        }
        &mut self.inside[at].1
    }

    /// Forgets what was under a key, or an item of a list.
    pub(super) fn remove(&mut self, step: &str) {
        let at = if self.is_list { step.parse().ok() } else { self.find(step).ok() };
        if let Some(at) = at.filter(|at| *at < self.inside.len()) {
            self.inside.remove(at);
        }
    }
}
