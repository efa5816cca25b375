//! Changes made by the program: put, update, delete.

use super::{
    Document, Lists, Origin, Trace,
    merge::{clash, lay_over},
};
use crate::config::{
    ConfigError,
    interpolate::refers_to,
    path::{self, Trail},
};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Longer paths would make a tree too deep to walk.
pub(super) const MAX_STEPS: usize = 64;

/// What stands in the way of a path.
pub(super) enum Blocked {
    /// It leads through something that is neither a map nor a list with that item.
    NoWay,
    /// It leads through a reference: where to, if that is plain.
    Reference {
        at: String,
        instead: Option<String>,
    },
    TooDeep,
}

impl Blocked {
    pub(super) fn message(&self) -> String {
        match self {
            Self::NoWay => {
                "the path leads through something that is not a map or a list item".to_owned()
            }
            Self::Reference { at, instead: Some(instead) } => {
                format!("`{at}` is a reference; change `{instead}`, or the whole of `{at}`")
            }
            Self::Reference { at, instead: None } => {
                format!("`{at}` is a reference; change what it leads to, or the whole of `{at}`")
            }
            Self::TooDeep => "the path has more than 64 steps".to_owned(),
        }
    }

    /// A text stands at the first `depth` steps of a path that leads further.
    fn by_text(text: &str, path: &str, depth: usize) -> Self {
        let Some(target) = refers_to(text) else { return Self::NoWay };
        let joined = |base: String, steps: &mut dyn Iterator<Item = Cow<'_, str>>| {
            steps.fold(base, |path, step| path::step(&path, &step))
        };
        let at = joined(String::new(), &mut path::steps(path).take(depth));
        let instead = target.map(|target| joined(target, &mut path::steps(path).skip(depth)));
        Self::Reference { at, instead }
    }
}

impl Document {
    /// Whether something is at `path` (`null` counts as something).
    pub fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Puts a value at `path`, in place of what is there; maps on the way that are not there are
    /// made. The empty path is the whole.
    ///
    /// # Errors
    ///
    /// When the path leads through a value that is neither a map nor a list with that item, or has
    /// more than 64 steps.
    pub fn put(&mut self, path: &str, value: impl Into<Value>) -> Result<(), ConfigError> {
        self.put_from(path, value.into(), Origin::Code)
    }

    /// As [`Document::put`], for a value with an origin of its own.
    ///
    /// # Errors
    ///
    /// As [`Document::put`].
    pub fn put_from(
        &mut self,
        path: &str,
        value: Value,
        origin: Origin,
    ) -> Result<(), ConfigError> {
        match self.place(path, &origin) {
            Ok((here, trace)) => {
                *here = value;
                *trace = Trace::whole(origin);
                Ok(())
            }
            Err(blocked) => Err(self.error(path, blocked.message())),
        }
    }

    /// Lays a value over what is at `path`, as [`Document::merge_with`] does for a whole document.
    ///
    /// # Errors
    ///
    /// As [`Document::put`], and when a map would meet a list.
    pub fn update(
        &mut self,
        path: &str,
        value: impl Into<Value>,
        lists: &Lists,
    ) -> Result<(), ConfigError> {
        self.update_from(path, value.into(), Origin::Code, lists)
            .map_err(|message| self.error(path, message))
    }

    pub(super) fn update_from(
        &mut self,
        path: &str,
        value: Value,
        origin: Origin,
        lists: &Lists,
    ) -> Result<(), String> {
        if let Some(here) = self.get(path)
            && let Some(clash) = clash(here, &value, lists, &Trail::Top)
        {
            let whole = path::join(path, &clash.path);
            let before = self.trace.nearest(&whole).map(|origin| format!(" ({origin})"));
            let message = clash.message(&before.unwrap_or_default());
            return Err(if clash.path.is_empty() {
                message
            } else {
                format!("`{whole}`: {message}")
            });
        }
        let (here, trace) = self.place(path, &origin).map_err(|blocked| blocked.message())?;
        lay_over(here, trace, value, Trace::whole(origin), lists);
        Ok(())
    }

    /// Takes out what is at `path`, and returns it. The items of a list that stand behind it move
    /// up.
    ///
    /// # Errors
    ///
    /// When nothing is there; the error says how far the path leads.
    pub fn delete(&mut self, path: &str) -> Result<Value, ConfigError> {
        self.take(path).ok_or_else(|| path::missing(&self.value, path))
    }

    pub(super) fn take(&mut self, path: &str) -> Option<Value> {
        let mut steps: Vec<_> = path::steps(path).collect();
        let last = steps.pop()?;
        let mut value = &mut self.value;
        let mut trace = &mut self.trace;
        for step in steps {
            (value, trace) = match value {
                Value::Object(map) => (map.get_mut(&*step)?, trace.entry(&step)),
                Value::Array(items) => {
                    let at = step.parse().ok()?;
                    (items.get_mut(at)?, trace.item(at))
                }
                _ => return None,
            };
        }
        let taken = match value {
            Value::Object(map) => map.remove(&*last)?,
            Value::Array(items) => {
                let at = last.parse().ok().filter(|at| *at < items.len())?;
                items.remove(at)
            }
            _ => return None,
        };
        trace.remove(&last);
        Some(taken)
    }

    /// The reference that a path leads through to what is not there, if there is one.
    pub(super) fn reference_on_the_way(&self, path: &str) -> Option<Blocked> {
        let mut here = &self.value;
        for (depth, step) in path::steps(path).enumerate() {
            here = match here {
                Value::String(text) => {
                    let blocked = Blocked::by_text(text, path, depth);
                    return matches!(blocked, Blocked::Reference { .. }).then_some(blocked);
                }
                other => path::find_steps(other, std::iter::once(step))?,
            };
        }
        None
    }

    /// What is at `path`, to be changed, with its origins. What is made on the way came from
    /// `origin`, too.
    pub(super) fn place(
        &mut self,
        path: &str,
        origin: &Origin,
    ) -> Result<(&mut Value, &mut Trace), Blocked> {
        // Nothing is made before the way is known to be free.
        let mut here = Some(&self.value);
        for (depth, step) in path::steps(path).enumerate() {
            if depth == MAX_STEPS {
                return Err(Blocked::TooDeep);
            }
            here = match here {
                None | Some(Value::Null) => None,
                Some(Value::Object(map)) => map.get(&*step),
                Some(Value::Array(items)) => {
                    let item = step.parse::<usize>().ok().and_then(|at| items.get(at));
                    Some(item.ok_or(Blocked::NoWay)?)
                }
                Some(Value::String(text)) => return Err(Blocked::by_text(text, path, depth)),
                Some(_) => return Err(Blocked::NoWay),
            };
        }
        let mut value = &mut self.value;
        let mut trace = &mut self.trace;
        for step in path::steps(path) {
            if value.is_null() {
                *value = Value::Object(Map::new());
                *trace = Trace::whole(origin.clone());
            }
            (value, trace) = match value {
                Value::Array(items) => {
                    let at = step.parse().map_err(|_| Blocked::NoWay)?;
                    (items.get_mut(at).ok_or(Blocked::NoWay)?, trace.item(at))
                }
                Value::Object(map) => {
                    let trace = trace.entry(&step);
                    let value = map.entry(step).or_insert_with(|| {
                        trace.origin = Some(origin.clone());
                        Value::Null
                    });
                    (value, trace)
                }
                _ => return Err(Blocked::NoWay),
            };
        }
        Ok((value, trace))
    }
}
