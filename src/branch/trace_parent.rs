//! Where a request stands in its caller's trace.

use super::{
    SpanId, TraceId,
    trace_id::{digits, write_digits},
};
use serde::Serialize;
use std::fmt;

/// `00-<32 digits>-<16 digits>-<2 digits>`
const LENGTH: usize = 55;
/// The flags there are: sampled, and (level 2) that the trace id is random.
const KNOWN_FLAGS: u8 = 0x03;

/// Where a request stands in its caller's trace: what its `traceparent` said
/// ([W3C Trace Context](https://www.w3.org/TR/trace-context/)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct TraceParent {
    /// The trace.
    pub trace_id: TraceId,
    /// The caller's span in it.
    pub parent_span_id: SpanId,
    /// 1: sampled; 2: the trace id is random. Others are not kept.
    pub flags: u8,
}

impl TraceParent {
    /// That of a span that others are called from.
    pub const fn new(trace_id: TraceId, parent_span_id: SpanId, flags: u8) -> Self {
        Self { trace_id, parent_span_id, flags: flags & KNOWN_FLAGS }
    }

    /// The flag of a trace that is recorded.
    pub const SAMPLED: u8 = 0x01;

    /// Reads a `traceparent`; one of a later version as far as this one is known (section 4.3 of the
    /// recommendation). `None` for one that is malformed.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (known, more) = text.split_at_checked(LENGTH)?;
        if known[2] != b'-' || known[35] != b'-' || known[52] != b'-' {
            return None;
        }
        let [version] = digits(&known[..2])?;
        let trace_id = TraceId::from_digits(&known[3..35])?;
        let parent_span_id = SpanId::from_digits(&known[36..52])?;
        let [flags] = digits(&known[53..])?;
        let fits = match version {
            0 => more.is_empty(),
            0xff => false,
            _ => more.first().is_none_or(|next| *next == b'-'),
        };
        fits.then_some(Self::new(trace_id, parent_span_id, flags))
    }

    /// As the store keeps it: trace, span, flags.
    #[cfg(feature = "store")]
    pub(crate) fn to_bytes(self) -> [u8; 25] {
        let mut bytes = [self.flags; 25];
        bytes[..16].copy_from_slice(self.trace_id.as_bytes());
        bytes[16..24].copy_from_slice(self.parent_span_id.as_bytes());
        bytes
    }

    /// What the store kept.
    #[cfg(feature = "store")]
    pub(crate) fn from_bytes(bytes: [u8; 25]) -> Self {
        let (mut trace, mut span) = ([0; 16], [0; 8]);
        trace.copy_from_slice(&bytes[..16]);
        span.copy_from_slice(&bytes[16..24]);
        Self::new(TraceId::from_bytes(trace), SpanId::from_bytes(span), bytes[24])
    }

    /// The `traceparent`.
    pub(crate) fn text(&self) -> [u8; LENGTH] {
        let mut text = [b'-'; LENGTH];
        write_digits(&mut text[..2], &[0]);
        write_digits(&mut text[3..35], self.trace_id.as_bytes());
        write_digits(&mut text[36..52], self.parent_span_id.as_bytes());
        write_digits(&mut text[53..], &[self.flags]);
        text
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Digits and dashes are a text.
        f.pad(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_recommendation_calls_malformed_is_none() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceParent::parse(good.as_bytes()).unwrap().to_string(), good);
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        ] {
            assert_eq!(TraceParent::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        for later in [
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-what-comes",
        ] {
            assert_eq!(TraceParent::parse(later.as_bytes()).unwrap().flags, KNOWN_FLAGS);
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic(text in any::<Vec<u8>>(), at in 0..LENGTH, byte: u8) {
            let _ = TraceParent::parse(&text);
            let mut near = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_vec();
            near.insert(at.min(near.len()), byte);
            let _ = TraceParent::parse(&near);
            near.truncate(at);
            prop_assert_eq!(TraceParent::parse(&near), None);
        }

        #[test]
        fn what_is_written_is_read(id: [u8; 16], span: [u8; 8], flags in 0..=KNOWN_FLAGS) {
            prop_assume!(id != [0; 16] && span != [0; 8]);
            let trace = TraceParent::new(TraceId::from_bytes(id), SpanId::from_bytes(span), flags);
            prop_assert_eq!(TraceParent::parse(&trace.text()), Some(trace));
            #[cfg(feature = "store")]
            prop_assert_eq!(TraceParent::from_bytes(trace.to_bytes()), trace);
        }
    }
}
