//! Bodies, by what they mean.

use super::{CompareRules, Settled, events};
use crate::{
    compare::{DifferenceKind, Differences, texts},
    config::REDACTED,
    http::content::{
        Kind,
        decode::{Coding, Undecoded, codings, decoded},
    },
};
use http::{HeaderMap, Response};
use serde_json::Value;
use std::borrow::Cow;

/// How much of two bodies is shown before the place where they part, and in all.
const BEFORE: usize = 24;
const SHOWN: usize = 120;

/// How two bodies are compared: JSON with something that does not say so is compared as JSON,
/// and has to be some. Anything is an event stream, so both must say so.
fn common(primary: &HeaderMap, shadow: &HeaderMap) -> Kind {
    match (Kind::of(primary), Kind::of(shadow)) {
        (a, b) if a == b => a,
        (Kind::Json, _) | (_, Kind::Json) => Kind::Json,
        (Kind::Ndjson, _) | (_, Kind::Ndjson) => Kind::Ndjson,
        _ => Kind::Other,
    }
}

/// Whether the bytes are the same, and encoded in the same way.
pub(super) fn are_same(primary: &Response<Settled>, shadow: &Response<Settled>) -> bool {
    let (a, b) = (primary.body(), shadow.body());
    a.same_bytes(b) && (a.len == 0 || codings(primary.headers()).eq(codings(shadow.headers())))
}

pub(super) fn compare(
    rules: &CompareRules,
    primary: &Response<Settled>,
    shadow: &Response<Settled>,
    out: &mut Differences,
) {
    let (a, b) = (primary.body(), shadow.body());
    if rules.json.ignores_all() || are_same(primary, shadow) {
        return;
    }
    let kind = common(primary.headers(), shadow.headers());
    if !(a.is_whole() && b.is_whole()) {
        let is_plain = [primary, shadow].iter().all(|it| codings(it.headers()).next().is_none());
        return if kind == Kind::Other && is_plain {
            opaque(rules, (&a.head, Some(a)), (&b.head, Some(b)), out);
        } else {
            changed(out, unread(primary), unread(shadow));
        };
    }
    // What is wrong with one is to be said even if the other could be read.
    match (read(rules, primary), read(rules, shadow)) {
        (Ok(a), Ok(b)) if a == b => {}
        (Ok(first), Ok(second)) => match kind {
            Kind::Json => parsed(rules, json(&first), json(&second), out),
            Kind::Ndjson => parsed(rules, ndjson(&first), ndjson(&second), out),
            Kind::Events => events::compare(rules, &first, &second, out),
            Kind::Other => opaque(rules, (&first, None), (&second, None), out),
        },
        (first, second) => {
            let said =
                |read: Result<_, String>, response| read.err().unwrap_or_else(|| unread(response));
            changed(out, said(first.map(drop), primary), said(second.map(drop), shadow));
        }
    }
}

/// A body without its codings, or why not.
fn read<'a>(
    rules: &CompareRules,
    response: &'a Response<Settled>,
) -> Result<Cow<'a, [u8]>, String> {
    let body = response.body();
    decoded(response.headers(), &body.head, rules.max_decoded).map_err(|why| undecoded(why, body))
}

fn changed(out: &mut Differences, primary: String, shadow: String) {
    out.add("body", DifferenceKind::Changed, 1, || (Some(primary), Some(shadow)));
}

/// A body of which only the size can be shown.
fn unread(response: &Response<Settled>) -> String {
    let body = response.body();
    let hash = body.hash().to_hex();
    let mut said = format!("{} bytes, BLAKE3 {}…", body.len, &hash[..16]);
    for coding in codings(response.headers()) {
        said.push_str(&format!(", {coding}"));
    }
    said
}

fn undecoded(why: Undecoded, body: &Settled) -> String {
    let len = body.len;
    match why {
        Undecoded::Unknown => format!("{len} bytes in {}", Coding::Unknown),
        Undecoded::Broken(coding) => format!("{len} bytes that are not {coding}"),
        Undecoded::TooLarge(coding) => format!("{len} bytes of {coding}, too large when decoded"),
        Undecoded::TooDeep => format!("{len} bytes, encoded too often"),
    }
}

/// What a body is read as, or what is wrong with it (without a word of its content).
pub(super) type Parsed = Result<Value, String>;

fn json(body: &[u8]) -> Parsed {
    serde_json::from_slice(body)
        .map_err(|error| format!("{} bytes that are not JSON: {error}", body.len()))
}

/// Newline-delimited JSON, as an array of its lines.
fn ndjson(body: &[u8]) -> Parsed {
    let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let lines = lines.enumerate().filter(|(_, line)| !line.is_empty());
    let values = lines.map(|(at, line)| {
        serde_json::from_slice(line).map_err(|error| {
            let (len, at) = (body.len(), at + 1);
            format!("{len} bytes that are not NDJSON: {error} of line {at}")
        })
    });
    values.collect::<Result<_, _>>().map(Value::Array)
}

/// Compares what was read; if only one side could be, its beginning beside what is wrong.
pub(super) fn parsed(rules: &CompareRules, primary: Parsed, shadow: Parsed, out: &mut Differences) {
    match (primary, shadow) {
        (Ok(primary), Ok(shadow)) => rules.json.compare_into(&primary, &shadow, out),
        (primary, shadow) => {
            let said = |side: Parsed| match side {
                Ok(value) => rules.json.sample(&value),
                Err(wrong) => wrong,
            };
            changed(out, said(primary), said(shadow));
        }
    }
}

/// Bytes that mean nothing to us: where they part, and what is there. With the body that they are
/// the beginning of, if they are not all of it.
pub(super) fn opaque(
    rules: &CompareRules,
    (a, primary): (&[u8], Option<&Settled>),
    (b, shadow): (&[u8], Option<&Settled>),
    out: &mut Differences,
) {
    let at = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let sample = |bytes: &[u8], body: Option<&Settled>| {
        let len = body.map_or(bytes.len() as u64, |body| body.len);
        // The end of what was kept, of a body that goes on.
        if let Some(body) = body
            && at == bytes.len()
            && !body.is_whole()
        {
            return format!("{len} bytes, BLAKE3 {}…", &body.hash().to_hex()[..16]);
        }
        if looks_like_json(a) || looks_like_json(b) {
            return format!("{len} bytes, another from byte {at}");
        }
        let start = at.saturating_sub(BEFORE);
        let end = bytes.len().min(start + SHOWN);
        let shown = String::from_utf8_lossy(bytes.get(start..end).unwrap_or_default());
        format!("{len} bytes, from byte {start}: {shown}")
    };
    if rules.json.redacts_all() {
        return changed(out, REDACTED.to_owned(), REDACTED.to_owned());
    }
    changed(out, sample(a, primary), sample(b, shadow));
}

/// Text that may hold secrets under keys that cannot be told.
pub(super) fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Texts that differ at `path`, around the place where they part.
pub(super) fn text(
    rules: &CompareRules,
    path: &str,
    (primary, shadow): (Option<&[u8]>, Option<&[u8]>),
    out: &mut Differences,
) {
    let kind = match (primary, shadow) {
        (_, None) => DifferenceKind::Missing,
        (None, _) => DifferenceKind::Added,
        _ => DifferenceKind::Changed,
    };
    out.add(path, kind, 1, || {
        let lossy =
            |text: Option<&[u8]>| String::from_utf8_lossy(text.unwrap_or_default()).into_owned();
        let (a, b) = if rules.json.redacts_all() {
            (REDACTED.to_owned(), REDACTED.to_owned())
        } else {
            texts(&lossy(primary), &lossy(shadow))
        };
        (primary.map(|_| a), shadow.map(|_| b))
    });
}
