//! Copies of parts of the tree, counted.

use super::{
    address::{Address, Step, is_space},
    drawn::DrawnFrom,
    engine::{Engine, Stop},
    grammar::is_template,
    tree::{Made, Trace},
};
use serde_json::{Map, Value};

/// What the references of one document may make, by estimate: a text that doubles from line to
/// line, or a map, would fill any memory.
const MAX_BYTES: usize = 32 << 20;

impl<'a> Engine<'a> {
    /// Whether no more may be made.
    pub(super) const fn is_spent(&self) -> bool {
        self.spent > MAX_BYTES
    }

    /// Counts what is made.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), Stop> {
        if self.is_spent() {
            // Said already.
            return Err(Stop::Failed);
        }
        self.spent += bytes;
        if self.is_spent() {
            let message = format!(
                "with this, the references make more than {} MiB of this document",
                MAX_BYTES >> 20
            );
            return Err(self.wrong(message));
        }
        Ok(())
    }

    /// A copy of a part of the tree, with everything in it resolved.
    pub(super) fn copy(&mut self, at: &Address, value: &'a Value) -> Result<Made, Stop> {
        let mut traces = Vec::new();
        let value = self.part(&mut at.clone(), value, at.0.len(), &mut traces)?;
        Ok(Made { value, traces })
    }

    /// `base`: how much of `at` leads to the copy.
    fn part(
        &mut self,
        at: &mut Address,
        value: &'a Value,
        base: usize,
        traces: &mut Vec<Trace>,
    ) -> Result<Value, Stop> {
        if self.is_spent() {
            return Err(Stop::Failed);
        }
        self.charge(weight(value))?;
        match value {
            Value::String(text) if is_template(text) => {
                let made = self.leaf(at, text)?;
                self.charge_whole(&made.value)?;
                let below = &at.0[base..];
                self.charge(made.traces.len() * 128)?;
                traces.extend(made.traces.iter().map(|trace| Trace {
                    below: [below, &trace.below].concat(),
                    sources: trace.sources,
                }));
                Ok(made.value.clone())
            }
            Value::Array(items) => {
                self.deeper()?;
                let mut list = Vec::with_capacity(items.len());
                for index in 0..items.len() {
                    list.push(self.member(at, value, Step::At(index), base, traces)?);
                }
                self.depth -= 1;
                Ok(Value::Array(list))
            }
            Value::Object(map) if is_space(map) => Err(Stop::Left),
            Value::Object(map) => {
                self.deeper()?;
                let mut copy = Map::new();
                for key in map.keys() {
                    let item = self.member(at, value, Step::Key(key.clone()), base, traces)?;
                    if self.is_secret(key) {
                        let below = [&at.0[base..], &[Step::Key(key.clone())]].concat();
                        traces.push(Trace { below, sources: DrawnFrom::SECRET });
                    }
                    copy.insert(key.clone(), item);
                }
                self.depth -= 1;
                Ok(Value::Object(copy))
            }
            value => Ok(value.clone()),
        }
    }

    fn member(
        &mut self,
        at: &mut Address,
        value: &'a Value,
        step: Step,
        base: usize,
        traces: &mut Vec<Trace>,
    ) -> Result<Value, Stop> {
        at.0.push(step);
        let item = match self.tree.child(value, at) {
            Some(item) => self.part(at, item, base, traces),
            None => Ok(Value::Null),
        };
        at.0.pop();
        item
    }

    pub(super) fn charge_whole(&mut self, value: &Value) -> Result<(), Stop> {
        self.charge(weight(value))?;
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.charge_whole(item)),
            Value::Object(map) => map.values().try_for_each(|item| self.charge_whole(item)),
            _ => Ok(()),
        }
    }
}

/// What a copy of a value takes up, without what is in it, about.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 48 + text.len(),
        // A map's entries come in blocks of up to eleven.
        Value::Object(map) if !map.is_empty() => {
            700 * map.len().div_ceil(6) + map.keys().map(|key| 24 + key.len()).sum::<usize>()
        }
        _ => 40,
    }
}

pub(super) fn height(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(height).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(height).max().unwrap_or(0),
        _ => 0,
    }
}
