//! Event streams.
//!
//! Equal are streams whose data, put together, is the same, however it was cut into events (of
//! one name). Otherwise, if the data of every event is JSON, a completion in chunks is compared
//! by what its chunks add up to, and other events one by one, as an array.

use super::{
    CompareRules,
    body::{Parsed, looks_like_json, opaque, parsed, text},
    completion,
};
use crate::{
    compare::{DifferenceKind, Differences},
    http::content::{
        completion::{DONE, is_one},
        sse::{Event, Events},
    },
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn compare(rules: &CompareRules, primary: &[u8], shadow: &[u8], out: &mut Differences) {
    let (a, end_a) = read(primary);
    let (b, end_b) = read(shadow);
    if a.is_empty() && b.is_empty() && end_a.is_empty() && end_b.is_empty() {
        // Anything at all can be read as a stream without events.
        return opaque(rules, (primary, None), (shadow, None), out);
    }
    if runs(&a) != runs(&b) {
        events(rules, (primary, &a), (shadow, &b), out);
    }
    if end_a != end_b {
        let said = |end: Vec<u8>| (!end.is_empty()).then(|| format!("{} bytes", end.len()));
        out.add("data:unfinished", DifferenceKind::Changed, 1, || (said(end_a), said(end_b)));
    }
}

/// The events, and the data after the last of them. Clients drop that, but it is not for us to say
/// that two streams that ended too early are the same. The mark at the end of a completion may
/// lack its end.
fn read(body: &[u8]) -> (Vec<Event<'_>>, Vec<u8>) {
    let mut events = Events::new(body);
    let read = events.by_ref().collect();
    let mut unfinished = events.unfinished();
    if unfinished == DONE {
        unfinished.clear();
    }
    (read, unfinished)
}

fn events(
    rules: &CompareRules,
    (primary, a): (&[u8], &[Event<'_>]),
    (shadow, b): (&[u8], &[Event<'_>]),
    out: &mut Differences,
) {
    match (values(a), values(b)) {
        (Some(a), Some(b)) if is_one(&a) || is_one(&b) => {
            completion::compare(rules, a, b, out);
        }
        (Some(first), Some(second)) => {
            rules.json.compare_into(&Value::Array(first), &Value::Array(second), out);
            names(rules, a, b, out);
        }
        (first, second) if has_json(a) || has_json(b) => {
            let read = |values: Option<Vec<Value>>, body: &[u8]| -> Parsed {
                values
                    .map(Value::Array)
                    .ok_or_else(|| format!("{} bytes of events that are not all JSON", body.len()))
            };
            parsed(rules, read(first, primary), read(second, shadow), out);
        }
        _ => plain(rules, a, b, out),
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
        DONE => Some(Value::from("[DONE]")),
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
