//! One value laid over another.

use super::{Document, Trace};
use crate::config::{
    ConfigError,
    path::{Trail, kind},
};
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
    /// Items that are maps with the same value under this key are merged; the others follow. Takes
    /// time that grows with the product of both lengths.
    MergeBy(String),
}

impl Document {
    /// Lays `over` over this document: maps are merged at any depth, anything else that `over` holds
    /// replaces what is here. `null` clears: the key stays, with nothing under it. What comes later
    /// wins, so several documents are merged from the left. Each part keeps its origin.
    ///
    /// # Errors
    ///
    /// When a map would meet a list; the error names the places of both, and nothing is changed.
    pub fn merge(&mut self, over: Self) -> Result<(), ConfigError> {
        self.merge_with(over, &Lists::Replace)
    }

    /// As [`Document::merge`], with the caller's rule for lists.
    ///
    /// # Errors
    ///
    /// As [`Document::merge`].
    pub fn merge_with(&mut self, over: Self, lists: &Lists) -> Result<(), ConfigError> {
        if let Some(clash) = clash(&self.value, &over.value, lists, &Trail::Top) {
            let before = self.trace.nearest(&clash.path).map(|origin| format!(" ({origin})"));
            let before = before.unwrap_or_default();
            return Err(over.error(&clash.path, clash.message(&before)));
        }
        let Self { value, trace, files, drawn, .. } = over;
        self.drawn.lay_over(drawn, *lists == Lists::Replace);
        lay_over(&mut self.value, &mut self.trace, value, trace, lists);
        for file in files {
            if !self.files.contains(&file) {
                self.files.push(file);
            }
        }
        Ok(())
    }
}

/// A map and a list at the same path.
pub(super) struct Clash {
    pub(super) path: String,
    under: &'static str,
    over: &'static str,
}

impl Clash {
    pub(super) fn message(&self, before: &str) -> String {
        let Self { under, over, .. } = self;
        format!(
            "{over} cannot be merged with {under} that stands there{before}; clear it with null first"
        )
    }
}

/// Where merging would fail, if it would.
pub(super) fn clash(
    under: &Value,
    over: &Value,
    lists: &Lists,
    trail: &Trail<'_>,
) -> Option<Clash> {
    match (under, over) {
        (Value::Object(below), Value::Object(above)) => above
            .iter()
            .find_map(|(key, value)| clash(below.get(key)?, value, lists, &Trail::Key(trail, key))),
        (Value::Array(below), Value::Array(above)) => {
            above.iter().enumerate().find_map(|(at, value)| {
                clash(&below[twin(below, value, lists)?], value, lists, &Trail::Item(trail, at))
            })
        }
        (Value::Object(_), Value::Array(_)) | (Value::Array(_), Value::Object(_)) => {
            Some(Clash { path: trail.to_string(), under: kind(under), over: kind(over) })
        }
        _ => None,
    }
}

/// Which item of a list the item of another is merged with.
fn twin(below: &[Value], item: &Value, lists: &Lists) -> Option<usize> {
    let Lists::MergeBy(key) = lists else { return None };
    let id = item.get(key)?;
    below.iter().position(|other| other.get(key).is_some_and(|own| own == id))
}

/// The rule of merging, for values and their origins alike. As OmegaConf: `???` says that a value is
/// missing, and so replaces none.
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
            let before = below.len();
            for (at, value) in above.into_iter().enumerate() {
                let trace = part(std::mem::take(over_trace.item(at)));
                match twin(&below[..before], &value, lists) {
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
