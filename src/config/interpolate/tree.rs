//! The values that are read and those that are made.

use super::{
    address::{Address, Step, child},
    drawn::DrawnFrom,
};
use serde_json::Value;

/// A document, in which another value may stand in place of one part.
pub(super) struct Tree<'a> {
    pub(super) root: &'a Value,
    pub(super) part: Option<(Address, &'a Value)>,
}

impl<'a> Tree<'a> {
    /// What stands at `address`, which is a step below `value`.
    pub(super) fn child(&self, value: &'a Value, address: &Address) -> Option<&'a Value> {
        match &self.part {
            Some((at, part)) if at == address => Some(part),
            _ => child(value, address.0.last()?),
        }
    }

    pub(super) fn at(&self, address: &Address) -> Option<&'a Value> {
        let (mut value, mut steps) = match &self.part {
            Some((at, part)) if address.0.starts_with(&at.0) => (*part, &address.0[at.0.len()..]),
            _ => (self.root, address.0.as_slice()),
        };
        while let [first, rest @ ..] = steps {
            value = child(value, first)?;
            steps = rest;
        }
        Some(value)
    }
}

/// A value that was made, and what its parts were drawn from.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) value: Value,
    pub(super) traces: Vec<Trace>,
}

#[derive(Debug, Clone)]
pub(super) struct Trace {
    /// From the value to the part.
    pub(super) below: Vec<Step>,
    pub(super) sources: DrawnFrom,
}

impl Made {
    pub(super) fn new(value: Value, sources: DrawnFrom) -> Self {
        let mut made = Self { value, traces: Vec::new() };
        made.mark(sources);
        made
    }

    pub(super) fn mark(&mut self, sources: DrawnFrom) {
        if !sources.is_none() {
            self.traces.push(Trace { below: Vec::new(), sources });
        }
    }

    pub(super) fn sources(&self) -> DrawnFrom {
        let mut all = DrawnFrom::NONE;
        self.traces.iter().for_each(|trace| all.add(trace.sources));
        all
    }
}
