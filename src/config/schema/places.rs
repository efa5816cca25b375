//! Which parts of a schema speak of a place in a value.
//!
//! A validator says whether a value fits. What it does not say, and what is needed here, is which
//! keys a map may have, which types a scalar may be of, and what is a secret: for that the schema
//! is walked beside the value.

use super::types::{Types, types_of};
use jsonschema::Validator;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The patterns of all `patternProperties`, ready to be asked.
pub(super) type Patterns = BTreeMap<String, Validator>;

/// More parts than honest schemas have at one place.
const MAX_PARTS: usize = 1_000;

/// A schema whose parts are looked up.
#[derive(Clone, Copy)]
pub(super) struct Places<'s> {
    pub(super) root: &'s Value,
    pub(super) patterns: &'s Patterns,
}

/// A part of a schema that speaks of a place: surely, or only if its alternative is the one.
#[derive(Clone, Copy)]
pub(super) struct Part<'s> {
    pub(super) schema: &'s Value,
    pub(super) is_sure: bool,
}

impl<'s> Places<'s> {
    /// What speaks of the whole value.
    pub(super) fn whole(&self) -> Vec<Part<'s>> {
        vec![Part { schema: self.root, is_sure: true }]
    }

    /// The parts, with everything they refer to or are made of. Of alternatives those are left out
    /// that cannot be meant by `value`.
    pub(super) fn spread(&self, parts: &[Part<'s>], value: &Value) -> Vec<Part<'s>> {
        let mut seen = BTreeSet::new();
        let mut waiting = parts.to_vec();
        let mut spread = Vec::new();
        while let Some(part) = waiting.pop() {
            let Value::Object(map) = part.schema else { continue };
            if spread.len() >= MAX_PARTS || !seen.insert(std::ptr::from_ref(map).addr()) {
                continue;
            }
            spread.push(part);
            if let Some(target) = reference(self.root, map) {
                waiting.push(Part { schema: target, ..part });
            }
            let all = map.get("allOf").and_then(Value::as_array).into_iter().flatten();
            waiting.extend(all.map(|schema| Part { schema, ..part }));
            for key in ["anyOf", "oneOf"] {
                let any = map.get(key).and_then(Value::as_array).into_iter().flatten();
                let meant = any.filter(|schema| self.may_mean(schema, value));
                waiting.extend(meant.map(|schema| Part { schema, is_sure: false }));
            }
            let branches = ["if", "then", "else"].into_iter().filter_map(|key| map.get(key));
            waiting.extend(branches.map(|schema| Part { schema, is_sure: false }));
            let dependent = map.get("dependentSchemas").and_then(Value::as_object);
            let dependent =
                dependent.into_iter().flatten().filter(|(key, _)| value.get(key).is_some());
            waiting.extend(dependent.map(|(_, schema)| Part { schema, is_sure: false }));
        }
        spread
    }

    /// Whether an alternative may be the one for a map or a list: it allows that type, and the
    /// constants that tell alternatives apart are those of the value. A scalar may still be
    /// converted, so it may mean anything.
    fn may_mean(&self, schema: &Value, value: &Value) -> bool {
        if !value.is_object() && !value.is_array() {
            return true;
        }
        if !types_of(self.root, schema).allow(value) {
            return false;
        }
        let schema = schema.as_object().and_then(|map| reference(self.root, map)).unwrap_or(schema);
        let properties = schema.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten().all(|(key, property)| {
            match (property.get("const"), value.get(key)) {
                (Some(constant), Some(found)) => constant == found,
                _ => true,
            }
        })
    }

    /// What speaks of the value under `key`, of parts that are spread.
    pub(super) fn under_key(&self, spread: &[Part<'s>], key: &str) -> Vec<Part<'s>> {
        let mut parts = Vec::new();
        for part in spread {
            let mut is_named = false;
            if let Some(schema) = part.schema.get("properties").and_then(|all| all.get(key)) {
                parts.push(Part { schema, ..*part });
                is_named = true;
            }
            for (pattern, schema) in map_at(part.schema, "patternProperties") {
                if self.fits(pattern, key) {
                    parts.push(Part { schema, ..*part });
                    is_named = true;
                }
            }
            if !is_named {
                let others = ["additionalProperties", "unevaluatedProperties"];
                let others = others.into_iter().filter_map(|other| part.schema.get(other));
                parts.extend(others.map(|schema| Part { schema, ..*part }));
            }
        }
        parts
    }

    /// What speaks of the item at `at`, of parts that are spread.
    pub(super) fn under_index(spread: &[Part<'s>], at: usize) -> Vec<Part<'s>> {
        let item = |part: &Part<'s>| {
            let first = part.schema.get("prefixItems").and_then(Value::as_array);
            let schema = first.and_then(|first| first.get(at)).or_else(|| part.schema.get("items"));
            schema.map(|schema| Part { schema, ..*part })
        };
        spread.iter().filter_map(item).collect()
    }

    /// The keys a map may have, if it may not have any others.
    ///
    /// A part that itself says what becomes of other keys is left to the validator.
    pub(super) fn known_keys(&self, spread: &[Part<'s>]) -> Option<BTreeSet<&'s str>> {
        let says = |key| move |part: &Part<'s>| part.schema.get(key).is_some();
        let is_open = |part: &Part<'s>| {
            let takes_any = !part.is_sure
                && part.schema.get("type").is_some_and(|name| name == "object")
                && part.schema.get("properties").is_none();
            takes_any || says("additionalProperties")(part) || says("unevaluatedProperties")(part)
        };
        let is_closed = says("properties");
        if spread.iter().any(is_open) || !spread.iter().any(is_closed) {
            return None;
        }
        Some(Self::named_keys(spread))
    }

    /// The keys that are named.
    pub(super) fn named_keys(spread: &[Part<'s>]) -> BTreeSet<&'s str> {
        let keys = spread.iter().flat_map(|part| map_at(part.schema, "properties"));
        keys.map(|(key, _)| key.as_str()).collect()
    }

    /// Whether a pattern of the parts takes the key.
    pub(super) fn has_pattern_for(&self, spread: &[Part<'s>], key: &str) -> bool {
        spread
            .iter()
            .flat_map(|part| map_at(part.schema, "patternProperties"))
            .any(|(pattern, _)| self.fits(pattern, key))
    }

    fn fits(&self, pattern: &str, key: &str) -> bool {
        let key = Value::String(key.to_owned());
        self.patterns.get(pattern).is_some_and(|validator| validator.is_valid(&key))
    }

    /// The types that the parts allow together; the parts are those before they are spread.
    pub(super) fn types(&self, parts: &[Part<'s>]) -> Types {
        let (mut sure, mut either) = (Types::ANY, None);
        for part in parts {
            let own = types_of(self.root, part.schema);
            if part.is_sure {
                sure = sure.and(own);
            } else {
                either = Some(either.unwrap_or(Types::NONE).or(own));
            }
        }
        sure.and(either.unwrap_or(Types::ANY))
    }
}

/// What a `$ref` within the schema refers to.
pub(super) fn reference<'s>(root: &'s Value, map: &Map<String, Value>) -> Option<&'s Value> {
    let pointer = map.get("$ref")?.as_str()?.strip_prefix('#')?;
    root.pointer(pointer)
}

fn map_at<'s>(schema: &'s Value, key: &str) -> impl Iterator<Item = (&'s String, &'s Value)> {
    schema.get(key).and_then(Value::as_object).into_iter().flatten()
}
