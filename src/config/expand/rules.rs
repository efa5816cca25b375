//! `$expand` at the top of a template: which of its configs there are, and what they are called.

use super::{
    SpaceError,
    expression::Expression,
    node::Node,
    words::{RULES, shown},
};
use crate::config::{SecretKeys, canonical_json, interpolate::Drawn, nearest, path};
use serde_json::{Map, Value};
use std::{borrow::Cow, fmt::Write as _};

/// Honest templates have fewer conditions in one list.
const MAX_CONDITIONS: usize = 32;
/// Honest names are shorter, in bytes.
const MAX_NAME: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Rules {
    include: Vec<Expression>,
    exclude: Vec<Expression>,
    name: Option<Name>,
}

/// A `config_id` with holes.
#[derive(Debug)]
pub(super) struct Name(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Path(Vec<String>),
    Index,
}

impl Rules {
    pub(super) fn read(
        rules: &Value,
        root: &Node,
        secrets: &SecretKeys,
    ) -> Result<Self, SpaceError> {
        let Value::Object(map) = rules else {
            let message = format!(
                "{} is not a map, as in {{ exclude: \"temperature > 0.8\" }}",
                shown(rules)
            );
            return Err(SpaceError::new(RULES, message));
        };
        let mut read = Self::default();
        for (key, value) in map {
            let at = path::join(RULES, key);
            match key.as_str() {
                "include" => read.include = conditions(value, &at, root)?,
                "exclude" => read.exclude = conditions(value, &at, root)?,
                "name" => read.name = Some(Name::read(value, &at, root, secrets)?),
                other => {
                    let message = match nearest(other, ["exclude", "include", "name"]) {
                        Some(known) => format!("unknown key `{other}`; did you mean `{known}`?"),
                        None => format!("unknown key `{other}`; there are exclude, include, name"),
                    };
                    return Err(SpaceError::new(&at, message));
                }
            }
        }
        Ok(read)
    }

    pub(super) const fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Whether some configs may be left out.
    pub(super) const fn is_filter(&self) -> bool {
        !(self.include.is_empty() && self.exclude.is_empty())
    }

    /// What it costs to look at a config.
    pub(super) fn weight(&self) -> u64 {
        self.include.iter().chain(&self.exclude).map(Expression::weight).sum()
    }

    pub(super) fn keeps(&self, root: &Node, index: u64) -> bool {
        let find = |path: &[Box<str>]| root.find(index, path.iter().map(|step| &**step));
        self.include.iter().all(|condition| condition.holds(&find))
            && !self.exclude.iter().any(|condition| condition.holds(&find))
    }
}

/// One condition, or a list of them.
fn conditions(value: &Value, at: &str, root: &Node) -> Result<Vec<Expression>, SpaceError> {
    match value {
        Value::String(text) => Ok(vec![condition(text, at, root)?]),
        Value::Array(items) if items.len() > MAX_CONDITIONS => {
            let message = format!("{} conditions; at most {MAX_CONDITIONS}", items.len());
            Err(SpaceError::new(at, message))
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let at = format!("{at}[{index}]");
                let text = item.as_str().ok_or_else(|| not_a_condition(item, &at))?;
                condition(text, &at, root)
            })
            .collect(),
        other => Err(not_a_condition(other, at)),
    }
}

fn not_a_condition(value: &Value, at: &str) -> SpaceError {
    let message =
        format!("{} is not a condition in quotes, as in \"temperature > 0.8\"", shown(value));
    SpaceError::new(at, message)
}

fn condition(text: &str, at: &str, root: &Node) -> Result<Expression, SpaceError> {
    let expression = Expression::parse(text).map_err(|error| error.at(at))?;
    for (steps, column) in expression.paths() {
        let steps: Vec<&str> = steps.iter().map(|step| &**step).collect();
        if !root.may_have(&steps) {
            return Err(expression.error(column, unknown_path(&steps, root)).at(at));
        }
    }
    Ok(expression)
}

/// What to say of a path that leads nowhere: what it may have been meant to be.
fn unknown_path(steps: &[&str], root: &Node) -> String {
    let name = steps.join(".");
    let mut known = Vec::new();
    root.paths(String::new(), &mut known);
    match nearest(&name, known.iter().map(String::as_str)) {
        Some(known) => format!("no config has `{name}`; did you mean `{known}`?"),
        None => format!(
            "no config has `{name}`; there are {}{}",
            known.iter().take(12).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", "),
            if known.len() > 12 { ", …" } else { "" }
        ),
    }
}

impl Name {
    /// A name is shown everywhere: nothing in it may be drawn from a secret.
    pub(super) fn check(&self, drawn: &Drawn) -> Result<(), SpaceError> {
        let shows = self.0.iter().find_map(|piece| match piece {
            Piece::Path(steps) => {
                let path = steps.iter().fold(String::new(), |path, step| path::child(&path, step));
                drawn.at(&path).is_secret().then_some(path)
            }
            _ => None,
        });
        match shows {
            Some(path) => Err(SpaceError::new(
                &format!("{RULES}.name"),
                format!("`{path}` is made of a secret; a name is shown everywhere"),
            )),
            None => Ok(()),
        }
    }

    fn read(
        value: &Value,
        at: &str,
        root: &Node,
        secrets: &SecretKeys,
    ) -> Result<Self, SpaceError> {
        let wrong = |message: String| SpaceError::new(at, message);
        let Some(text) = value.as_str().filter(|text| !text.trim().is_empty()) else {
            let message = format!("{} is not a name, as in \"{{model}}-{{$index}}\"", shown(value));
            return Err(wrong(message));
        };
        if text.len() > MAX_NAME {
            return Err(wrong(format!("longer than {MAX_NAME} bytes")));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            pieces.push(Piece::Text(before.to_owned()));
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                pieces.push(Piece::Text(from[..1].to_owned()));
                rest = after;
                continue;
            }
            let (hole, after) =
                from.strip_prefix('{').and_then(|from| from.split_once('}')).ok_or_else(|| {
                    wrong(format!("a single `{}`; write it twice for itself", &from[..1]))
                })?;
            pieces.push(Self::hole(hole.trim(), root, secrets).map_err(wrong)?);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    fn hole(hole: &str, root: &Node, secrets: &SecretKeys) -> Result<Piece, String> {
        if hole == "$index" {
            return Ok(Piece::Index);
        }
        let steps: Vec<String> = path::steps(hole).map(Cow::into_owned).collect();
        let names: Vec<&str> = steps.iter().map(String::as_str).collect();
        if steps.is_empty() {
            return Err("an empty {}; write a path, as in {model}, or {$index}".to_owned());
        }
        if secrets.cover(hole) {
            return Err(format!("`{hole}` is a secret; a name is shown everywhere"));
        }
        let (mut is_missing, mut is_somewhere, mut is_tree) = (false, false, false);
        root.each_at(&names, &mut |found| {
            is_missing |= found.is_none();
            is_somewhere |= found.is_some();
            is_tree |= found.is_some_and(|found| found.is_tree());
        });
        match (is_missing, is_somewhere) {
            (true, false) => Err(unknown_path(&names, root)),
            (true, true) => Err(format!("not every config has `{hole}`; name what all have")),
            _ if is_tree => Err(format!("`{hole}` is a map or a list; name a value inside it")),
            _ => Ok(Piece::Path(steps)),
        }
    }

    /// The name of the config with this index, whose values `find` gives.
    pub(super) fn render<'a>(
        &self,
        index: u64,
        find: impl Fn(&[String]) -> Option<Cow<'a, Value>>,
    ) -> String {
        let mut name = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Index => {
                    let _ = write!(name, "{index}");
                }
                Piece::Path(steps) => match find(steps).as_deref() {
                    Some(Value::String(text)) => name.push_str(text),
                    Some(value) => name.push_str(&canonical_json(value).unwrap_or_default()),
                    None => name.push_str("null"),
                },
            }
        }
        name
    }
}

/// The rules of a template, taken off it.
pub(super) fn take(template: &mut Value) -> Option<Value> {
    template.as_object_mut().and_then(|map: &mut Map<String, Value>| map.remove(RULES))
}
