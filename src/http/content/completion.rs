//! Completions that come in chunks, as OpenAI's API sends them and others after it: events with
//! `choices`, each with an `index` and the next piece (`delta`, or `text`).
//!
//! The pieces are added up per choice as OpenAI's own clients do: texts are joined, items of a
//! list are told by their `index`. So it does not count how a completion was cut into chunks, nor
//! what is new in every answer (`id`, `created`, the ids of tool calls) or says nothing of the
//! text (`model`, `usage`, `logprobs`, the mark at the end).

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The data of the event after the last chunk.
pub(in crate::http) const DONE: &[u8] = b"[DONE]";

/// Of a choice, what is compared.
const COMPARED: [&str; 6] = ["index", "delta", "message", "text", "finish_reason", "stop_reason"];

/// Fields that are said once, or again with each chunk, but never in pieces.
const WHOLE: [&str; 4] = ["role", "type", "finish_reason", "stop_reason"];

/// Whether these are the events of a completion.
pub(in crate::http) fn is_one(events: &[Value]) -> bool {
    events.iter().any(|event| choices(event).is_some())
}

fn choices(event: &Value) -> Option<&Vec<Value>> {
    event.get("choices")?.as_array()
}

/// The completion, and the events that are not chunks of it.
pub(in crate::http) fn added_up(events: Vec<Value>) -> (Value, Value) {
    let mut sum = BTreeMap::new();
    let mut others = Vec::new();
    for event in events {
        match event {
            Value::Object(mut event) if event.get("choices").is_some_and(Value::is_array) => {
                if let Some(Value::Array(choices)) = event.remove("choices") {
                    for choice in choices {
                        let Value::Object(mut choice) = choice else { continue };
                        choice.retain(|key, _| COMPARED.contains(&key.as_str()));
                        let index = choice.get("index").and_then(Value::as_u64).unwrap_or(0);
                        add(
                            sum.entry(index).or_insert(Sum::Whole(Value::Null)),
                            Value::Object(choice),
                            "",
                        );
                    }
                }
            }
            Value::String(_) => {}
            other => others.push(other),
        }
    }
    let choices = sum.into_values().map(Sum::value).collect();
    (Value::Object(Map::from_iter([("choices".to_owned(), choices)])), Value::Array(others))
}

/// What pieces have added up to.
enum Sum {
    Map(BTreeMap<String, Self>),
    /// By the items' own index.
    List(BTreeMap<u64, Self>),
    Text(String),
    Whole(Value),
}

/// Adds a piece. It is as deep as what was parsed: 128 at most.
fn add(sum: &mut Sum, piece: Value, key: &str) {
    match (&mut *sum, piece) {
        (_, Value::Null) => {}
        (Sum::Text(text), Value::String(more)) if !WHOLE.contains(&key) => text.push_str(&more),
        (_, Value::String(text)) => *sum = Sum::Text(text),
        (Sum::Map(_), Value::Object(piece)) => add_fields(sum, piece),
        (_, Value::Object(piece)) => {
            *sum = Sum::Map(BTreeMap::new());
            add_fields(sum, piece);
        }
        (Sum::List(_), Value::Array(piece)) => add_items(sum, piece),
        (_, Value::Array(piece)) => {
            *sum = Sum::List(BTreeMap::new());
            add_items(sum, piece);
        }
        (_, whole) => *sum = Sum::Whole(whole),
    }
}

fn add_fields(sum: &mut Sum, piece: Map<String, Value>) {
    let Sum::Map(fields) = sum else { return };
    for (key, value) in piece {
        if key != "id" && !value.is_null() {
            let name = key.clone();
            add(fields.entry(key).or_insert(Sum::Whole(Value::Null)), value, &name);
        }
    }
}

fn add_items(sum: &mut Sum, piece: Vec<Value>) {
    let Sum::List(items) = sum else { return };
    for (at, item) in piece.into_iter().enumerate() {
        let index = item.get("index").and_then(Value::as_u64).unwrap_or(at as u64);
        add(items.entry(index).or_insert(Sum::Whole(Value::Null)), item, "");
    }
}

impl Sum {
    fn value(self) -> Value {
        match self {
            Self::Map(fields) => fields.into_iter().map(|(key, sum)| (key, sum.value())).collect(),
            Self::List(items) => items.into_values().map(Self::value).collect(),
            Self::Text(text) => Value::String(text),
            Self::Whole(value) => value,
        }
    }
}
