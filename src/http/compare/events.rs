//! Event streams.
//!
//! Equal are streams whose data, put together, is the same, however it was cut into events (of
//! one name). Otherwise, if the data of every event is JSON, a completion in chunks is compared
//! by what its chunks add up to, and other events one by one, as an array.

use super::{
    CompareRules,
    body::{Parsed, looks_like_json, parsed, text},
    completion,
    sse::{self, Event},
};
use crate::compare::Differences;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn compare(rules: &CompareRules, primary: &[u8], shadow: &[u8], out: &mut Differences) {
    let a: Vec<_> = sse::events(primary).collect();
    let b: Vec<_> = sse::events(shadow).collect();
    if runs(&a) == runs(&b) {
        return;
    }
    match (values(&a), values(&b)) {
        (Some(first), Some(second))
            if completion::is_one(&first) || completion::is_one(&second) =>
        {
            completion::compare(rules, first, second, out);
        }
        (Some(first), Some(second)) => {
            rules.json.compare_into(&Value::Array(first), &Value::Array(second), out);
            names(rules, &a, &b, out);
        }
        (first, second) if [&a, &b].iter().any(|events| has_json(events)) => {
            let read = |values: Option<Vec<Value>>, body: &[u8]| -> Parsed {
                values
                    .map(Value::Array)
                    .ok_or_else(|| format!("{} bytes of events that are not all JSON", body.len()))
            };
            parsed(rules, read(first, primary), read(second, shadow), out);
        }
        _ => plain(rules, &a, &b, out),
    }
}

/// The data of events of the same name that follow each other, put together.
fn runs<'a>(events: &[Event<'a>]) -> Vec<(&'a [u8], Vec<u8>)> {
    let mut runs: Vec<(&[u8], Vec<u8>)> = Vec::new();
    for event in events {
        match runs.last_mut() {
            Some((name, data)) if *name == event.name => data.extend_from_slice(&event.data),
            _ => runs.push((event.name, event.data.clone())),
        }
    }
    runs
}

/// The events as values, if they are all objects or arrays (or the mark at the end of a
/// completion).
fn values(events: &[Event<'_>]) -> Option<Vec<Value>> {
    let value = |event: &Event<'_>| match event.data.as_slice() {
        completion::DONE => Some(Value::from("[DONE]")),
        data => serde_json::from_slice(data)
            .ok()
            .filter(|value: &Value| value.is_object() || value.is_array()),
    };
    events.iter().map(value).collect()
}

fn has_json(events: &[Event<'_>]) -> bool {
    events.iter().any(|event| looks_like_json(&event.data))
}

/// The first event that has another name.
fn names(rules: &CompareRules, a: &[Event<'_>], b: &[Event<'_>], out: &mut Differences) {
    if let Some((a, b)) = a.iter().zip(b).find(|(a, b)| a.name != b.name) {
        text(rules, "event", (Some(a.name), Some(b.name)), out);
    }
}

/// Events of plain text: all data of one name, put together.
fn plain(rules: &CompareRules, a: &[Event<'_>], b: &[Event<'_>], out: &mut Differences) {
    let (first, second) = (by_name(a), by_name(b));
    let names: BTreeSet<_> = first.keys().chain(second.keys()).collect();
    for name in names {
        let (a, b) = (first.get(name), second.get(name));
        if a != b {
            let path = match *name {
                b"message" => "data".to_owned(),
                name => format!("data:{}", String::from_utf8_lossy(name)),
            };
            text(rules, &path, (a.map(Vec::as_slice), b.map(Vec::as_slice)), out);
        }
    }
    if first == second {
        text(rules, "event", (Some(b"the same data of each name"), Some(b"in another order")), out);
    }
}

fn by_name<'a>(events: &[Event<'a>]) -> BTreeMap<&'a [u8], Vec<u8>> {
    let mut data = BTreeMap::<_, Vec<u8>>::new();
    for event in events {
        data.entry(event.name).or_default().extend_from_slice(&event.data);
    }
    data
}
