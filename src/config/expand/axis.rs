//! What varies in a space, digit by digit.

use super::node::Node;
use crate::config::path;
use std::collections::HashMap;

/// What varies independently of everything else in a space: one digit of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    paths: Vec<String>,
    len: u64,
    stride: u64,
}

impl Axis {
    /// The paths that vary: several if they are zipped. An empty one is the whole config.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// How many values there are.
    // A length of 0 is an error of the template.
    #[allow(clippy::len_without_is_empty)]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// The position on it of the config with this index.
    pub(super) const fn digit(&self, index: u64) -> u64 {
        index / self.stride % self.len
    }
}

impl Node {
    /// The axes of a template.
    pub(super) fn all_axes(&self) -> Vec<Axis> {
        let mut axes = Vec::new();
        self.axes(String::new(), 1, &mut axes);
        axes
    }

    fn axes(&self, here: String, outer: u64, axes: &mut Vec<Axis>) {
        let (entries, is_list) = match self {
            Self::Fixed { .. } => return,
            Self::Map { entries, .. } => (entries, false),
            Self::List { items, .. } => (items, true),
            Self::Choice { .. } | Self::Numbers { .. } => {
                axes.push(Axis { paths: vec![here], len: self.len(), stride: outer });
                return;
            }
        };
        let first = axes.len();
        let varying = || entries.iter().enumerate().filter(|(_, entry)| entry.node.len() > 1);
        // What is zipped has one stride.
        let mut sharing: HashMap<u64, usize> = HashMap::new();
        for (_, entry) in varying() {
            *sharing.entry(entry.stride).or_default() += 1;
        }
        let mut zipped: HashMap<u64, usize> = HashMap::new();
        for (at, entry) in varying() {
            let path =
                if is_list { format!("{here}[{at}]") } else { path::join(&here, &entry.key) };
            let stride = outer * entry.stride;
            if sharing.get(&entry.stride) == Some(&1) {
                entry.node.axes(path, stride, axes);
            } else if let Some(axis) = zipped.get(&stride) {
                axes[*axis].paths.push(path);
            } else {
                zipped.insert(stride, axes.len());
                axes.push(Axis { paths: vec![path], len: entry.node.len(), stride });
            }
        }
        axes[first..].sort_by_key(|axis| std::cmp::Reverse(axis.stride));
    }
}
