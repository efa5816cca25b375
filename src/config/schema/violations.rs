//! What a validator reports, in words for people who write files.

use super::{
    annotations::keys_at,
    child,
    places::Places,
    pointer_steps,
    types::{Types, types_of},
};
use crate::config::{document::unknown_word, path};
use jsonschema::{ValidationError, error::ValidationErrorKind as Kind};
use serde_json::Value;

/// One thing that is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Violation {
    pub(super) path: String,
    pub(super) message: String,
}

/// What the messages need to know beside the error.
pub(super) struct Speaker<'a> {
    pub(super) places: Places<'a>,
    pub(super) value: &'a Value,
    /// Whether the value at a path may be shown.
    pub(super) is_shown: &'a dyn Fn(&str) -> bool,
}

/// No more keys of one map are spoken of.
const MAX_UNEXPECTED: usize = 101;

/// Longer texts are cut.
const MAX_SHOWN: usize = 60;

impl Speaker<'_> {
    /// The violations that one report of the validator comes to.
    pub(super) fn say(&self, error: &ValidationError<'_>, into: &mut Vec<Violation>) {
        let pointer = error.instance_path().as_str();
        let at = dotted(self.value, pointer);
        match error.kind() {
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                let known = keys_at(self.places, self.value, pointer);
                for key in unexpected.iter().take(MAX_UNEXPECTED) {
                    // Where an alternative failed, the keys it knows count as not looked at.
                    if !known.contains(key) {
                        into.push(Violation {
                            path: path::child(&at, key),
                            message: unknown_key(key, &known),
                        });
                    }
                }
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.say_alternatives(error, context, into);
            }
            Kind::PropertyNames { error } => {
                let key = error.instance().as_str().unwrap_or_default();
                let path = path::child(&at, key);
                let message = self.message(error, &path, key);
                into.push(Violation { path, message });
            }
            _ => {
                let message = self.message(error, &at, "");
                into.push(Violation { path: at, message });
            }
        }
    }

    /// None of some alternatives fits: what is said is what is wrong with the one that was meant.
    fn say_alternatives(
        &self,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'static>>],
        into: &mut Vec<Violation>,
    ) {
        let here = error.instance_path().as_str();
        let at = dotted(self.value, here);
        let is_other_type = |branch: &&Vec<ValidationError<'static>>| {
            branch.iter().any(|inner| {
                matches!(inner.kind(), Kind::Type { .. }) && inner.instance_path().as_str() == here
            })
        };
        let meant: Vec<_> = context.iter().filter(|branch| !is_other_type(branch)).collect();
        let words: Vec<&Value> = meant
            .iter()
            .flat_map(|branch| branch.iter())
            .filter(|inner| inner.instance_path().as_str() == here)
            .flat_map(|inner| match inner.kind() {
                Kind::Constant { expected_value } => vec![&**expected_value],
                Kind::Enum { options } => options.as_array().into_iter().flatten().collect(),
                _ => Vec::new(),
            })
            .collect();
        if meant.is_empty() {
            let message = self.wrong_type(error, &at);
            into.push(Violation { path: at, message });
        } else if !words.is_empty() {
            let message = self.none_of(error, &words, &at);
            into.push(Violation { path: at, message });
        } else if let Some((error, options)) = told_apart(&meant) {
            let at = dotted(self.value, error.instance_path().as_str());
            let message = self.none_of(error, &options, &at);
            into.push(Violation { path: at, message });
        } else {
            // The nearest: the one of which the least is wrong.
            let wrong = |branch: &&&Vec<ValidationError<'static>>| {
                let other = branch.iter().any(|e| matches!(e.kind(), Kind::Constant { .. }));
                (other, branch.len())
            };
            for inner in meant.iter().min_by_key(wrong).into_iter().flat_map(|branch| branch.iter())
            {
                self.say(inner, into);
            }
        }
    }

    fn message(&self, error: &ValidationError<'_>, at: &str, key: &str) -> String {
        let found =
            if key.is_empty() { self.found(error, at) } else { format!("`{}`", short(key)) };
        if let Some(Value::String(right)) = self.beside(error, "errorMessage") {
            let found = match &**error.instance() {
                Value::Null => return format!("nothing {right}"),
                Value::Array(_) | Value::Object(_) => return self.wrong_type(error, at),
                hidden if !(self.is_shown)(at) => not_shown(hidden).to_owned(),
                Value::String(text) => format!("`{}`", short(text)),
                scalar => format!("`{scalar}`"),
            };
            return format!("{found} {right}");
        }
        match error.kind() {
            Kind::Type { .. } => self.wrong_type(error, at),
            Kind::Required { property } => {
                format!("missing key `{}`", property.as_str().unwrap_or_default())
            }
            Kind::Enum { options } => {
                let options: Vec<_> = options.as_array().into_iter().flatten().collect();
                self.none_of(error, &options, at)
            }
            Kind::Constant { expected_value } => {
                format!("{found} is not what is expected here; write {expected_value}")
            }
            Kind::Minimum { limit } => format!("{found} is too small; the least is {limit}"),
            Kind::Maximum { limit } => format!("{found} is too large; the most is {limit}"),
            Kind::ExclusiveMinimum { limit } => {
                format!("{found} is too small; write a number above {limit}")
            }
            Kind::ExclusiveMaximum { limit } => {
                format!("{found} is too large; write a number below {limit}")
            }
            Kind::MultipleOf { multiple_of } => {
                format!("{found} is not a multiple of {multiple_of}")
            }
            Kind::MinLength { limit: 1 } => "empty; write a text".to_owned(),
            Kind::MinLength { limit } => {
                format!("{found} is too short; write at least {limit} characters")
            }
            Kind::MaxLength { limit } => {
                format!("{found} is too long; write at most {limit} characters")
            }
            Kind::Pattern { pattern } => format!("{found} does not match the pattern {pattern}"),
            Kind::Format { format } => format!("{found} is not {}", said_format(format)),
            Kind::MinItems { limit } => {
                format!("the list is too short; write at least {}", counted(*limit, "item"))
            }
            Kind::MaxItems { limit } => {
                format!("the list is too long; write at most {}", counted(*limit, "item"))
            }
            Kind::AdditionalItems { limit } => {
                format!("the list is too long; write at most {}", counted(*limit as u64, "item"))
            }
            Kind::MinProperties { limit } => {
                format!("too few keys; write at least {}", counted(*limit, "key"))
            }
            Kind::MaxProperties { limit } => {
                format!("too many keys; write at most {}", counted(*limit, "key"))
            }
            Kind::UniqueItems => "the list has the same item twice".to_owned(),
            Kind::Contains => "the list lacks an item that it must have".to_owned(),
            Kind::FalseSchema => "nothing may stand here".to_owned(),
            Kind::Not { .. } => format!("{found} is what the schema excludes"),
            Kind::OneOfMultipleValid { .. } => {
                format!(
                    "{found} fits more than one of the alternatives; it must be plain which is meant"
                )
            }
            _ => error.masked_with("the value").to_string(),
        }
    }

    fn wrong_type(&self, error: &ValidationError<'_>, at: &str) -> String {
        let node = self.node(error).unwrap_or(self.places.root);
        let types = types_of(self.places.root, node);
        let from_zero = node.get("minimum").is_some_and(|least| least.as_f64() == Some(0.0));
        let words = match types.words() {
            words if words == "a whole number" && from_zero => "a whole number from 0".to_owned(),
            words => words,
        };
        let found = match &**error.instance() {
            Value::Null if !types.has(Types::NULL) => "nothing".to_owned(),
            _ => self.found(error, at),
        };
        format!("{words} is expected here, not {found}")
    }

    fn none_of(&self, error: &ValidationError<'_>, options: &[&Value], at: &str) -> String {
        let texts: Option<Vec<String>> =
            options.iter().map(|option| option.as_str().map(str::to_owned)).collect();
        match (&**error.instance(), texts) {
            (Value::String(found), Some(known)) if (self.is_shown)(at) => {
                unknown_word("value", &short(found), known.iter().map(String::as_str))
            }
            _ => {
                let known: Vec<_> = options.iter().map(ToString::to_string).collect();
                let found = self.found(error, at);
                format!("{found} is not among the values there are: {}", known.join(", "))
            }
        }
    }

    /// The value, as far as it may be shown.
    fn found(&self, error: &ValidationError<'_>, at: &str) -> String {
        let value = &**error.instance();
        match value {
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "a map".to_owned(),
            Value::Null => "nothing".to_owned(),
            hidden if !(self.is_shown)(at) => not_shown(hidden).to_owned(),
            Value::Number(number) => format!("the number {number}"),
            Value::String(text) => format!("the text {:?}", short(text)),
            Value::Bool(value) => value.to_string(),
        }
    }

    /// The part of the schema that the error is about.
    fn node(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let (node, _keyword) = error.schema_path().as_str().rsplit_once('/')?;
        self.places.root.pointer(node)
    }

    fn beside(&self, error: &ValidationError<'_>, keyword: &str) -> Option<&Value> {
        self.node(error)?.get(keyword)
    }
}

/// The constant by which alternatives are told apart, if it is wrong for all of them.
fn told_apart<'e>(
    branches: &[&'e Vec<ValidationError<'static>>],
) -> Option<(&'e ValidationError<'static>, Vec<&'e Value>)> {
    let mut told: Option<(&ValidationError<'static>, Vec<&Value>)> = None;
    for branch in branches {
        let (error, constant) = branch.iter().find_map(|error| match error.kind() {
            Kind::Constant { expected_value } => Some((error, &**expected_value)),
            _ => None,
        })?;
        match &mut told {
            None => told = Some((error, vec![constant])),
            Some((first, constants)) if first.instance_path() == error.instance_path() => {
                constants.push(constant);
            }
            Some(_) => return None,
        }
    }
    told
}

/// Of a secret only the kind is said.
const fn not_shown(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "a number that is not shown",
        Value::String(_) => "a text that is not shown",
        _ => "a value that is not shown",
    }
}

pub(super) fn unknown_key(key: &str, known: &[String]) -> String {
    unknown_word("key", &short(key), known.iter().map(String::as_str))
}

/// A JSON pointer into `value` as a dotted path.
pub(super) fn dotted(value: &Value, pointer: &str) -> String {
    let mut here = Some(value);
    let mut dotted = String::new();
    for step in pointer_steps(pointer) {
        dotted = match here {
            Some(Value::Array(_)) => format!("{dotted}[{step}]"),
            _ => path::join(&dotted, &step),
        };
        here = here.and_then(|here| child(here, &step));
    }
    dotted
}

fn short(text: &str) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SHOWN).collect();
    if text.chars().nth(MAX_SHOWN).is_some() { format!("{line}…") } else { line }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("one {what}") } else { format!("{count} {what}s") }
}

fn said_format(format: &str) -> String {
    let (what, example) = match format {
        "uri" => ("a URL", "https://example.org/x"),
        "email" => ("an e-mail address", "ann@example.org"),
        "date" => ("a date", "2026-01-31"),
        "date-time" => ("a time", "2026-01-31T12:00:00Z"),
        "ipv4" => ("an IPv4 address", "127.0.0.1"),
        "ipv6" => ("an IPv6 address", "::1"),
        "hostname" => ("a host name", "example.org"),
        "uuid" => ("a UUID", "0190163d-8694-739b-aea5-966c26f8ad91"),
        other => return format!("of the format `{other}`"),
    };
    format!("{what}; write one as in {example}")
}
