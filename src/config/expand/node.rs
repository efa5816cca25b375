//! A template, read: a tree that gives the value, or its canonical text, of every index.

use super::numbers::Numbers;
use crate::config::path;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A part of a template. It stands for `len` values, numbered from 0.
#[derive(Debug)]
pub(super) enum Node {
    /// One value, with its canonical text.
    Fixed {
        value: Value,
        canonical: Box<str>,
    },
    /// A map whose entries vary.
    Map {
        entries: Vec<Entry>,
        frame: Box<Frame>,
        len: u64,
        secret: Option<Box<str>>,
    },
    /// A list whose items vary.
    List {
        items: Vec<Entry>,
        len: u64,
        secret: Option<Box<str>>,
    },
    /// One of several parts: their numbers follow each other.
    Choice {
        parts: Vec<Self>,
        ends: Vec<u64>,
    },
    Numbers {
        numbers: Box<Numbers>,
        secret: Option<Box<str>>,
    },
}

/// An entry of a map, or an item of a list (whose key is empty).
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    /// What stands before the value of a map in canonical JSON: `{"key":` or `,"key":`.
    pub(super) lead: Option<Box<str>>,
    pub(super) node: Node,
    /// Its own index is `index / stride % len`. What is zipped has one stride.
    pub(super) stride: u64,
}

/// A map with all that does not vary: a clone of it is made faster than a new map.
#[derive(Debug)]
pub(super) struct Frame {
    map: Map<String, Value>,
    /// The entries that vary, each with how many others stand before it in `map`.
    varying: Box<[(usize, usize)]>,
}

impl Frame {
    pub(super) fn new(entries: &[Entry]) -> Self {
        let fixed = |node: &Node| match node {
            Node::Fixed { value, .. } => value.clone(),
            _ => Value::Null,
        };
        let map: Map<_, _> =
            entries.iter().map(|entry| (entry.key.clone(), fixed(&entry.node))).collect();
        let mut varying = Vec::new();
        for (slot, key) in map.keys().enumerate() {
            let entry = entries.binary_search_by(|entry| order(&entry.key, key)).ok();
            varying.extend(
                entry
                    .filter(|at| !matches!(entries[*at].node, Node::Fixed { .. }))
                    .map(|at| (slot, at)),
            );
        }
        Self { map, varying: varying.into() }
    }

    fn filled(&self, entries: &[Entry], index: u64) -> Map<String, Value> {
        let mut map = self.map.clone();
        let mut values = map.values_mut();
        let mut passed = 0;
        for &(slot, entry) in &self.varying {
            if let Some(value) = values.nth(slot - passed) {
                let entry = &entries[entry];
                *value = entry.node.value(entry.index(index));
            }
            passed = slot + 1;
        }
        map
    }
}

impl Entry {
    pub(super) const fn new(key: String, node: Node) -> Self {
        Self { key, lead: None, node, stride: 1 }
    }

    fn index(&self, index: u64) -> u64 {
        match self.node.len() {
            1 => 0,
            len => index / self.stride % len,
        }
    }
}

impl Node {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Fixed { .. } => 1,
            Self::Map { len, .. } | Self::List { len, .. } => *len,
            Self::Choice { ends, .. } => ends.last().copied().unwrap_or(1),
            Self::Numbers { numbers, .. } => numbers.len,
        }
    }

    /// The part of a choice that has this index, and the index within it.
    fn part<'a>(parts: &'a [Self], ends: &[u64], index: u64) -> (&'a Self, u64) {
        if ends.len() as u64 == ends.last().copied().unwrap_or(0) {
            // One value each.
            return (&parts[index as usize], 0);
        }
        let at = ends.partition_point(|end| *end <= index);
        (&parts[at], if at == 0 { index } else { index - ends[at - 1] })
    }

    pub(super) fn value(&self, index: u64) -> Value {
        match self {
            Self::Fixed { value, .. } => value.clone(),
            Self::Map { entries, frame, .. } => Value::Object(frame.filled(entries, index)),
            Self::List { items, .. } => {
                items.iter().map(|item| item.node.value(item.index(index))).collect()
            }
            Self::Choice { parts, ends } => {
                let (part, index) = Self::part(parts, ends, index);
                part.value(index)
            }
            Self::Numbers { numbers, .. } => numbers.value(index),
        }
    }

    /// Appends what [`canonical_json`](crate::config::canonical_json) would make of the value, with
    /// each secret replaced by its path.
    pub(super) fn write_canonical(&self, index: u64, out: &mut String) {
        match self {
            Self::Fixed { canonical, .. } => out.push_str(canonical),
            Self::Map { secret: Some(text), .. }
            | Self::List { secret: Some(text), .. }
            | Self::Numbers { secret: Some(text), .. } => out.push_str(text),
            Self::Map { entries, .. } => write_entries(entries, index, out, '}'),
            Self::List { items, .. } => write_entries(items, index, out, ']'),
            Self::Choice { parts, ends } => {
                let (part, index) = Self::part(parts, ends, index);
                part.write_canonical(index, out);
            }
            Self::Numbers { numbers, .. } => numbers.write_canonical(index, out),
        }
    }

    /// The value at a path, without making what stands around it.
    pub(super) fn find<'a, S: AsRef<str>>(
        &'a self,
        index: u64,
        mut steps: impl Iterator<Item = S>,
    ) -> Option<Cow<'a, Value>> {
        let (mut node, mut index) = (self, index);
        loop {
            if let Self::Choice { parts, ends } = node {
                (node, index) = Self::part(parts, ends, index);
                continue;
            }
            if let Self::Fixed { value, .. } = node {
                return path::find_steps(value, steps).map(Cow::Borrowed);
            }
            let Some(step) = steps.next() else {
                return Some(Cow::Owned(node.value(index)));
            };
            let entry = node.entry(step.as_ref())?;
            (node, index) = (&entry.node, entry.index(index));
        }
    }

    /// What stands under a key of a map.
    pub(super) fn under(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    fn entry(&self, step: &str) -> Option<&Entry> {
        match self {
            Self::Map { entries, .. } if entries.len() <= 16 => {
                entries.iter().find(|entry| entry.key == step)
            }
            Self::Map { entries, .. } => {
                let at = entries.binary_search_by(|entry| order(&entry.key, step));
                at.ok().map(|at| &entries[at])
            }
            Self::List { items, .. } => items.get(step.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The paths of all values there may be, as far as an error has use for them.
    pub(super) fn paths(&self, here: String, found: &mut Vec<String>) {
        const ENOUGH: usize = 200;
        if found.len() >= ENOUGH {
            return;
        }
        match self {
            Self::Map { entries, .. } => {
                for entry in entries {
                    entry.node.paths(path::join(&here, &entry.key), found);
                }
            }
            Self::List { items, .. } => {
                for (at, item) in items.iter().enumerate() {
                    item.node.paths(format!("{here}[{at}]"), found);
                }
            }
            Self::Choice { parts, .. } => {
                for part in parts {
                    part.paths(here.clone(), found);
                }
            }
            Self::Fixed { value: Value::Object(map), .. } => {
                let names = map.keys().map(|key| path::join(&here, key));
                found.extend(names.take(ENOUGH));
            }
            Self::Fixed { .. } | Self::Numbers { .. } if !found.contains(&here) => found.push(here),
            Self::Fixed { .. } | Self::Numbers { .. } => {}
        }
    }

    /// Whether something may stand at a path.
    pub(super) fn may_have(&self, steps: &[&str]) -> bool {
        match (self, steps) {
            (Self::Choice { parts, .. }, _) => parts.iter().any(|part| part.may_have(steps)),
            (Self::Fixed { value, .. }, _) => {
                path::find_steps(value, steps.iter().copied()).is_some()
            }
            (_, []) => true,
            (_, [step, rest @ ..]) => {
                self.entry(step).is_some_and(|entry| entry.node.may_have(rest))
            }
        }
    }

    /// Calls `see` with every part that may stand at a path; with `None` where there is none.
    pub(super) fn each_at<'a>(&'a self, steps: &[&str], see: &mut dyn FnMut(Option<Found<'a>>)) {
        match (self, steps) {
            (Self::Choice { parts, .. }, _) => {
                for part in parts {
                    part.each_at(steps, see);
                }
            }
            (Self::Fixed { value, .. }, _) => {
                see(path::find_steps(value, steps.iter().copied()).map(Found::Value));
            }
            (_, []) => see(Some(Found::Node(self))),
            (_, [step, rest @ ..]) => match self.entry(step) {
                Some(entry) => entry.node.each_at(rest, see),
                None => see(None),
            },
        }
    }
}

/// What stands at a path.
pub(super) enum Found<'a> {
    Value(&'a Value),
    Node(&'a Node),
}

impl Found<'_> {
    pub(super) const fn is_map(&self) -> bool {
        matches!(self, Self::Value(Value::Object(_)) | Self::Node(Node::Map { .. }))
    }

    /// Whether it is a map or a list.
    pub(super) const fn is_tree(&self) -> bool {
        match self {
            Self::Value(value) => matches!(value, Value::Object(_) | Value::Array(_)),
            Self::Node(node) => matches!(node, Node::Map { .. } | Node::List { .. }),
        }
    }
}

fn write_entries(entries: &[Entry], index: u64, out: &mut String, close: char) {
    for (at, entry) in entries.iter().enumerate() {
        match &entry.lead {
            Some(lead) => out.push_str(lead),
            None => out.push(if at == 0 { '[' } else { ',' }),
        }
        entry.node.write_canonical(entry.index(index), out);
    }
    out.push(close);
}

/// The order of keys in canonical JSON.
pub(super) fn order(a: &str, b: &str) -> std::cmp::Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}
