//! One value laid over another.

use super::{Document, Trace};
use serde_json::Value;

/// What becomes of a list where a list stands already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lists {
    /// The later one replaces it.
    #[default]
    Replace,
    /// The items of the later one follow those of the earlier one.
    Append,
    /// Items that are maps with the same value under this key are merged; the others follow.
    MergeBy(String),
}

impl Document {
    /// Lays `over` over this document: maps are merged at any depth, anything else that `over` holds
    /// replaces what is here. `null` clears: the key stays, with nothing under it. What comes later
    /// wins, so several documents are merged from the left. Each part keeps its origin.
    pub fn merge(&mut self, over: Self) {
        self.merge_with(over, &Lists::Replace);
    }

    /// As [`Document::merge`], with the caller's rule for lists.
    pub fn merge_with(&mut self, over: Self, lists: &Lists) {
        let Self { value, trace, files, .. } = over;
        lay_over(&mut self.value, &mut self.trace, value, trace, lists);
        for file in files {
            if !self.files.contains(&file) {
                self.files.push(file);
            }
        }
    }
}

/// The rule of merging, for values and their origins alike. As OmegaConf: a map meets anything but
/// a map → it replaces it; `???` says that a value is missing, and so replaces none.
pub(super) fn lay_over(
    under: &mut Value,
    under_trace: &mut Trace,
    over: Value,
    mut over_trace: Trace,
    lists: &Lists,
) {
    // What came as a whole has one origin for all its parts.
    let whole = over_trace.origin.clone();
    let part = |mut trace: Trace| {
        trace.origin = trace.origin.take().or_else(|| whole.clone());
        trace
    };
    match (under, over) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                let trace = part(std::mem::take(over_trace.entry(&key)));
                match below.get_mut(&key) {
                    Some(here) => {
                        lay_over(here, under_trace.entry(&key), value, trace, lists);
                    }
                    None => {
                        *under_trace.entry(&key) = trace;
                        below.insert(key, value);
                    }
                }
            }
        }
        (Value::Array(below), Value::Array(above)) if *lists != Lists::Replace => {
            for (at, value) in above.into_iter().enumerate() {
                let trace = part(std::mem::take(over_trace.item(at)));
                let twin = match lists {
                    Lists::MergeBy(key) => value.get(key).and_then(|id| {
                        below.iter().position(|item| item.get(key).is_some_and(|own| own == id))
                    }),
                    Lists::Replace | Lists::Append => None,
                };
                match twin {
                    Some(at) => {
                        lay_over(&mut below[at], under_trace.item(at), value, trace, lists);
                    }
                    None => {
                        *under_trace.item(below.len()) = trace;
                        below.push(value);
                    }
                }
            }
        }
        (_, Value::String(text)) if text == "???" => {}
        (under, over) => {
            *under = over;
            *under_trace = over_trace;
        }
    }
}
