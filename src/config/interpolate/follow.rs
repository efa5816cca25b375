//! From a reference to what it refers to.

use super::{
    address::{Address, Step, child, is_space, step},
    drawn::DrawnFrom,
    engine::{Engine, Stop},
    grammar::is_template,
    missing::is_missing,
    template::{Insert, Key, Reference},
    tree::{Made, Trace},
};
use crate::config::{nearest::nearest, path};
use serde_json::{Map, Value};
use std::{borrow::Cow, rc::Rc};

/// What a path leads to.
#[derive(Debug, Clone)]
pub(super) enum Found<'a> {
    /// A part of the tree, not yet resolved.
    Part(Address, &'a Value),
    /// A part of a value that was made.
    Made(Rc<Made>, Vec<Step>),
}

/// What a text leads to, if it is a reference to a part of the tree: the part itself, so that what
/// lies in it can be found without resolving all of it.
pub(super) type Followed<'a> = (Found<'a>, DrawnFrom);

/// A reference whose keys are known.
pub(super) struct Route {
    base: Address,
    names: Vec<String>,
    /// What the keys were drawn from.
    sources: DrawnFrom,
}

impl<'a> Engine<'a> {
    /// The value at a path, with all in it resolved; it may be missing (`???`).
    pub(super) fn read(&mut self, path: &str) -> Result<Value, Stop> {
        path.clone_into(&mut self.asked);
        let names = path::steps(path).map(Cow::into_owned).collect();
        let route = Route { base: Address::default(), names, sources: DrawnFrom::NONE };
        let made = self.locate(route, path).and_then(|(found, _)| match found {
            Found::Part(_, value) if is_missing(value) => {
                Ok(Made::new(value.clone(), DrawnFrom::NONE))
            }
            found => self.take(found, path),
        });
        match made {
            Err(Stop::Left) => {
                Err(self.wrong(format!("`{path}` has to do with what stands for many values")))
            }
            made => Ok(made?.value),
        }
    }

    /// The value that a reference refers to.
    pub(super) fn reference(
        &mut self,
        reference: &Reference,
        insert: &Insert,
        at: &Address,
    ) -> Result<Made, Stop> {
        let route = self.route(reference, at)?;
        let outline = insert.outline();
        let (found, sources) = self.locate(route, &outline)?;
        let mut made = self.take(found, &outline)?;
        made.mark(sources);
        Ok(made)
    }

    /// Where a reference that stands at `at` goes.
    pub(super) fn route(&mut self, reference: &Reference, at: &Address) -> Result<Route, Stop> {
        let mut route =
            Route { base: Address::default(), names: Vec::new(), sources: DrawnFrom::NONE };
        let mut up = reference.up;
        for key in &reference.keys {
            match key {
                Key::Name(name) => route.names.push(name.clone()),
                Key::Insert { insert, bracketed } => {
                    let made = self.insert(insert, at)?;
                    route.sources.add(made.sources());
                    let text = match made.value {
                        Value::String(text) => text,
                        Value::Number(number) => number.to_string(),
                        other => {
                            return Err(self.wrong(format!(
                                "`{}` is {}, which is no key",
                                insert.outline(),
                                path::kind(&other)
                            )));
                        }
                    };
                    if *bracketed {
                        route.names.push(text);
                    } else {
                        if route.names.is_empty() {
                            up += text.len() - text.trim_start_matches('.').len();
                        }
                        route.names.extend(path::steps(&text).map(Cow::into_owned));
                    }
                }
            }
        }
        self.raise(&mut route, up, at)?;
        Ok(route)
    }

    /// Where a path that is given as a text goes, from a text at `at`.
    pub(super) fn route_of_text(&mut self, text: &str, at: &Address) -> Result<Route, Stop> {
        let up = text.len() - text.trim_start_matches('.').len();
        let names = path::steps(text).map(Cow::into_owned).collect();
        let mut route = Route { base: Address::default(), names, sources: DrawnFrom::NONE };
        self.raise(&mut route, up, at)?;
        Ok(route)
    }

    /// `.a` begins beside the text, `..a` beside what is around it.
    fn raise(&mut self, route: &mut Route, up: usize, at: &Address) -> Result<(), Stop> {
        if up == 0 {
            return Ok(());
        }
        match at.0.len().checked_sub(up) {
            Some(kept) => route.base = Address(at.0[..kept].to_vec()),
            None => {
                return Err(self.wrong(format!(
                    "{up} dots lead out of the document; the text stands {} deep",
                    at.0.len()
                )));
            }
        }
        Ok(())
    }

    /// What stands at the end of a route, through references on the way.
    pub(super) fn locate(&mut self, route: Route, outline: &str) -> Result<Followed<'a>, Stop> {
        let may_be_quoted = route.sources.may_be_quoted();
        let dead = match self.seek(route)? {
            Ok(followed) => return Ok(followed),
            Err(dead) => dead,
        };
        Err(match dead {
            Dead::Space => Stop::Left,
            Dead::Missing(path) => self.lacks(refers_to_missing(outline, &path)),
            Dead::End { reached, value, name } => {
                let holds = path::holds(&value);
                let keys = value.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
                let route = outline.trim_start_matches("${").trim_end_matches('}');
                if reached.is_empty() && self.resolvers.names().any(|known| known == route) {
                    let message = format!(
                        "`{outline}` refers to nothing; a resolver is called with a colon: `${{{route}:}}`"
                    );
                    return Err(self.wrong(message));
                }
                let hint = Some(name)
                    .filter(|_| may_be_quoted)
                    .and_then(|name| nearest(&name, keys))
                    .map(|key| format!("; did you mean `{key}`?"))
                    .unwrap_or_default();
                let reached = match reached.as_str() {
                    "" => "the document".to_owned(),
                    path => format!("`{path}`"),
                };
                self.wrong(format!("`{outline}` refers to nothing: {reached} {holds}{hint}"))
            }
        })
    }

    /// As [`locate`](Self::locate); that nothing is there is no mistake.
    pub(super) fn seek(&mut self, route: Route) -> Result<Result<Followed<'a>, Dead>, Stop> {
        let Route { base, names, mut sources } = route;
        if self.is_below_secret(&base) {
            sources.add(DrawnFrom::SECRET);
        }
        // Every address on the way to a text is there.
        let Some(start) = self.tree.at(&base) else { return Err(Stop::Failed) };
        let mut found = Found::Part(base, start);
        for name in names {
            if let Found::Part(at, Value::String(text)) = &found
                && is_template(text)
            {
                let (further, drawn) = self.follow(&at.clone(), text)?;
                sources.add(drawn);
                found = further;
            }
            if self.is_secret(&name) {
                sources.add(DrawnFrom::SECRET);
            }
            found = match self.below(found, name) {
                Ok(found) => found,
                Err(dead) => return Ok(Err(dead)),
            };
        }
        Ok(Ok((found, sources)))
    }

    fn below(&self, found: Found<'a>, name: String) -> Result<Found<'a>, Dead> {
        match found {
            Found::Part(mut at, value) => {
                at.0.push(step(Some(value), &name));
                if let Some(item) = self.tree.child(value, &at) {
                    return Ok(Found::Part(at, item));
                }
                at.0.pop();
                Err(Dead::at(at.to_string(), value, name))
            }
            Found::Made(made, mut steps) => {
                let value = descend(&made.value, &steps).unwrap_or(&Value::Null);
                let step = step(Some(value), &name);
                if child(value, &step).is_none() {
                    return Err(Dead::at("what it leads through".to_owned(), value, name));
                }
                steps.push(step);
                Ok(Found::Made(made, steps))
            }
        }
    }

    /// What the text at `at` leads to, when more of the path comes after it.
    fn follow(&mut self, at: &Address, text: &'a str) -> Result<Followed<'a>, Stop> {
        if let Some(known) = self.followed.get(at) {
            return Ok(known.clone());
        }
        let depth = self.depth;
        self.enter(at)?;
        let followed = self.lead(at, text);
        self.leave(depth);
        let followed = match followed? {
            Some(followed) => followed,
            None => (Found::Made(self.leaf(at, text)?, Vec::new()), DrawnFrom::NONE),
        };
        self.followed.insert(at.clone(), followed.clone());
        Ok(followed)
    }

    /// To the end of the references, if they are nothing else.
    fn lead(&mut self, at: &Address, text: &'a str) -> Result<Option<Followed<'a>>, Stop> {
        let template = self.parse(at, text)?;
        let Some(insert @ Insert::Reference(reference)) = template.sole() else { return Ok(None) };
        let route = self.route(reference, at)?;
        let (found, mut sources) = self.locate(route, &insert.outline())?;
        if let Found::Part(next, Value::String(text)) = &found
            && is_template(text)
        {
            let (found, further) = self.follow(&next.clone(), text)?;
            sources.add(further);
            return Ok(Some((found, sources)));
        }
        Ok(Some((found, sources)))
    }

    /// A copy of what was found.
    pub(super) fn take(&mut self, found: Found<'a>, outline: &str) -> Result<Made, Stop> {
        match found {
            Found::Part(at, value) if is_missing(value) => {
                Err(self.lacks(refers_to_missing(outline, &at.to_string())))
            }
            Found::Part(at, value) => self.copy(&at, value),
            Found::Made(made, steps) => {
                let value = descend(&made.value, &steps).unwrap_or(&Value::Null);
                self.charge_whole(value)?;
                let mut traces = Vec::new();
                for Trace { below, sources } in &made.traces {
                    if let Some(rest) = below.strip_prefix(steps.as_slice()) {
                        traces.push(Trace { below: rest.to_vec(), sources: *sources });
                    } else if steps.starts_with(below) {
                        traces.push(Trace { below: Vec::new(), sources: *sources });
                    }
                }
                Ok(Made { value: value.clone(), traces })
            }
        }
    }
}

fn descend<'v>(value: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    steps.iter().try_fold(value, child)
}

pub(super) fn refers_to_missing(outline: &str, path: &str) -> String {
    format!("`{outline}` refers to `{path}`, which is missing (`???`)")
}

/// Where a path ends too soon.
pub(super) enum Dead {
    /// At what stands for many values.
    Space,
    /// At a value that is missing.
    Missing(String),
    /// At a value that has nothing of this name.
    End { reached: String, value: Value, name: String },
}

impl Dead {
    fn at(reached: String, value: &Value, name: String) -> Self {
        match value {
            Value::Object(map) if is_space(map) => Self::Space,
            value if is_missing(value) => Self::Missing(reached),
            value => Self::End { reached, value: outside(value), name },
        }
    }
}

/// A value without what is in it.
fn outside(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.keys().map(|key| (key.clone(), Value::Null)).collect())
        }
        Value::Array(items) => Value::Array(vec![Value::Null; items.len()]),
        value => value.clone(),
    }
}
