//! `traceparent` and `tracestate` (W3C Trace Context).

use crate::{
    branch::{SpanId, TraceId, TraceParent},
    trial::Place,
};
use http::{HeaderMap, HeaderName, HeaderValue, header::Entry};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The caller's trace, if there is one and one only.
pub(crate) fn caller(headers: &HeaderMap) -> Option<TraceParent> {
    only(headers.get_all(TRACEPARENT).iter())
}

/// The 32 digits of the caller's trace.
#[cfg(feature = "proxy")]
pub(crate) fn id(headers: &HeaderMap) -> Option<&[u8]> {
    caller(headers)?;
    headers.get(TRACEPARENT)?.as_bytes().get(3..35)
}

pub(super) fn set(headers: &mut HeaderMap, place: &Place) {
    let entry = headers.entry(TRACEPARENT);
    // What the strategy saw is what is recorded; below it somebody may have begun a trace.
    let caller = place.trace().copied().or_else(|| match &entry {
        Entry::Occupied(values) => only(values.iter()),
        Entry::Vacant(_) => None,
    });
    let own = value(caller, place);
    match entry {
        Entry::Occupied(mut entry) => {
            entry.insert(own);
        }
        Entry::Vacant(entry) => {
            entry.insert(own);
        }
    }
    if caller.is_none() {
        // It tells of a trace that ends here.
        headers.remove(TRACESTATE);
    }
}

/// What the service further down is told: the branch is the span that calls it.
fn value(caller: Option<TraceParent>, place: &Place) -> HeaderValue {
    let trace_id = TraceId::of_request(caller.as_ref(), place.request_id());
    let flags = caller.map_or(TraceParent::SAMPLED, |caller| caller.flags);
    let own = TraceParent::new(trace_id, SpanId::of_branch(place.branch_id()), flags);
    // Digits and dashes make a value.
    HeaderValue::from_bytes(&own.text()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn only<'a>(mut values: impl Iterator<Item = &'a HeaderValue>) -> Option<TraceParent> {
    let first = values.next()?;
    if values.next().is_some() {
        return None;
    }
    TraceParent::parse(first.as_bytes())
}
