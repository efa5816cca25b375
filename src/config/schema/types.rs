//! The types that a schema allows.

use super::places::reference;
use serde_json::Value;

/// A set of JSON types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const NONE: Self = Self(0);
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    pub(super) const INTEGER: Self = Self(4);
    /// Whole numbers are numbers, too.
    pub(super) const NUMBER: Self = Self(8 | 4);
    pub(super) const TEXT: Self = Self(16);
    const LIST: Self = Self(32);
    const MAP: Self = Self(64);
    pub(super) const ANY: Self = Self(127);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn allow(self, value: &Value) -> bool {
        self.has(Self::of(value))
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if number.is_f64() => Self(8),
            Value::Number(_) => Self::INTEGER,
            Value::String(_) => Self::TEXT,
            Value::Array(_) => Self::LIST,
            Value::Object(_) => Self::MAP,
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" => Self::TEXT,
            "array" => Self::LIST,
            "object" => Self::MAP,
            _ => Self::ANY,
        }
    }

    /// In words, as in `a whole number or a text`. `null` is not what someone is told to write
    /// unless nothing else is allowed.
    pub(super) fn words(self) -> String {
        let words = [
            (Self::NUMBER, "a number"),
            (Self::INTEGER, "a whole number"),
            (Self::TEXT, "a text"),
            (Self::BOOLEAN, "true or false"),
            (Self::LIST, "a list, as in [a, b],"),
            (Self::MAP, "a map, as in { key: value },"),
        ];
        let is_number = self.has(Self::NUMBER);
        let words: Vec<_> = words
            .into_iter()
            .filter(|(types, _)| self.has(*types) && !(is_number && *types == Self::INTEGER))
            .map(|(_, word)| word)
            .collect();
        match words.as_slice() {
            [] => "nothing".to_owned(),
            [word] => (*word).to_owned(),
            [words @ .., last] => {
                let words: Vec<_> = words.iter().map(|word| word.trim_end_matches(',')).collect();
                format!("{} or {last}", words.join(", "))
            }
        }
    }
}

/// More steps than an honest schema takes at one place.
const MAX_STEPS: u32 = 500;

/// The types that a schema allows at its own place, through references and combinations.
pub(super) fn types_of(root: &Value, schema: &Value) -> Types {
    let mut steps = MAX_STEPS;
    walk(root, schema, &mut steps, 0)
}

fn walk(root: &Value, schema: &Value, steps: &mut u32, depth: u32) -> Types {
    let Value::Object(map) = schema else {
        return if *schema == Value::Bool(false) { Types::NONE } else { Types::ANY };
    };
    if *steps == 0 || depth > 32 {
        return Types::ANY;
    }
    *steps -= 1;
    let mut types = match map.get("type") {
        Some(Value::String(name)) => Types::named(name),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .fold(Types::NONE, |types, name| types.or(Types::named(name))),
        _ => Types::ANY,
    };
    if let Some(constant) = map.get("const") {
        types = types.and(Types::of(constant));
    }
    if let Some(Value::Array(values)) = map.get("enum") {
        types = types.and(values.iter().fold(Types::NONE, |all, value| all.or(Types::of(value))));
    }
    if let Some(target) = reference(root, map) {
        types = types.and(walk(root, target, steps, depth + 1));
    }
    if let Some(Value::Array(all)) = map.get("allOf") {
        for schema in all {
            types = types.and(walk(root, schema, steps, depth + 1));
        }
    }
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(any)) = map.get(key) else { continue };
        let either = any
            .iter()
            .fold(Types::NONE, |types, schema| types.or(walk(root, schema, steps, depth + 1)));
        types = types.and(either);
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_are_found_through_references_and_combinations() {
        let root = json!({
            "$defs": {
                "size": { "type": ["integer", "string"] },
                "loop": { "$ref": "#/$defs/loop" },
            },
        });
        let words = |schema| types_of(&root, &schema).words();
        assert_eq!(words(json!({ "$ref": "#/$defs/size" })), "a whole number or a text");
        assert_eq!(
            words(json!({ "anyOf": [{ "$ref": "#/$defs/size" }, { "type": "null" }] })),
            "a whole number or a text"
        );
        assert_eq!(
            words(json!({ "allOf": [{ "$ref": "#/$defs/size" }, { "type": "number" }] })),
            "a whole number"
        );
        assert_eq!(words(json!({ "enum": [1.5, true] })), "true or false");
        assert_eq!(types_of(&root, &json!({ "$ref": "#/$defs/loop" })), Types::ANY);
        assert_eq!(types_of(&root, &json!(false)), Types::NONE);
    }
}
