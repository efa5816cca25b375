//! Headers and trailers.

use super::{CompareRules, Settled};
use crate::{
    compare::{DifferenceKind, Differences},
    config::REDACTED,
};
use http::{HeaderMap, HeaderName, Response};

pub(super) fn compare(
    rules: &CompareRules,
    primary: &Response<Settled>,
    shadow: &Response<Settled>,
    out: &mut Differences,
) {
    for name in &rules.headers {
        one(rules, "header", name, primary.headers(), shadow.headers(), out);
    }
    for name in &rules.trailers {
        one(rules, "trailer", name, trailers(primary, name), trailers(shadow, name), out);
    }
}

pub(super) fn are_same(
    rules: &CompareRules,
    primary: &Response<Settled>,
    shadow: &Response<Settled>,
) -> bool {
    rules.headers.iter().all(|name| equal(name, primary.headers(), shadow.headers()))
        && rules
            .trailers
            .iter()
            .all(|name| equal(name, trailers(primary, name), trailers(shadow, name)))
}

fn equal(name: &HeaderName, primary: &HeaderMap, shadow: &HeaderMap) -> bool {
    primary.get_all(name).iter().eq(shadow.get_all(name).iter())
}

fn trailers<'a>(response: &'a Response<Settled>, name: &HeaderName) -> &'a HeaderMap {
    match &response.body().trailers {
        Some(trailers) if trailers.contains_key(name) => trailers,
        _ => response.headers(),
    }
}

fn one(
    rules: &CompareRules,
    what: &str,
    name: &HeaderName,
    primary: &HeaderMap,
    shadow: &HeaderMap,
    out: &mut Differences,
) {
    if equal(name, primary, shadow) {
        return;
    }
    let hidden = rules.redact_headers.contains(name) || rules.secrets.matches(name.as_str());
    let sample = |headers: &HeaderMap| {
        let values = headers.get_all(name).iter();
        let values: Vec<_> =
            values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        match values.as_slice() {
            [] => None,
            _ if hidden => Some(REDACTED.to_owned()),
            values => Some(values.join(", ")),
        }
    };
    let (primary, shadow) = (sample(primary), sample(shadow));
    let kind = match (&primary, &shadow) {
        (_, None) => DifferenceKind::Missing,
        (None, _) => DifferenceKind::Added,
        _ => DifferenceKind::Changed,
    };
    out.add(&format!("{what}:{name}"), kind, 1, || (primary, shadow));
}
