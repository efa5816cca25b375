//! `traceparent` and `tracestate` (W3C Trace Context).

use crate::trial::Place;
use http::{HeaderMap, HeaderName, HeaderValue, header::Entry};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// `00-<32 digits>-<16 digits>-<2 digits>`
const LENGTH: usize = 55;
const SAMPLED: u8 = 0x01;
/// The flags there are: sampled, and (level 2) that the trace id is random.
const KNOWN_FLAGS: u8 = 0x03;

/// What of a trace goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Trace {
    id: [u8; 16],
    flags: u8,
}

/// The 32 digits of the caller's trace, if there is one and one only.
#[cfg(feature = "proxy")]
pub(crate) fn id(headers: &HeaderMap) -> Option<&[u8]> {
    only(headers.get_all(TRACEPARENT).iter())?;
    headers.get(TRACEPARENT)?.as_bytes().get(3..35)
}

pub(super) fn set(headers: &mut HeaderMap, place: &Place) {
    let begun = Trace { id: *place.request_id().as_bytes(), flags: SAMPLED };
    let goes_on = match headers.entry(TRACEPARENT) {
        Entry::Occupied(mut entry) => {
            let trace = only(entry.iter());
            entry.insert(value(trace.unwrap_or(begun), place));
            trace.is_some()
        }
        Entry::Vacant(entry) => {
            entry.insert(value(begun, place));
            false
        }
    };
    if !goes_on {
        // It tells of a trace that ends here.
        headers.remove(TRACESTATE);
    }
}

fn value(trace: Trace, place: &Place) -> HeaderValue {
    let branch = place.branch_id();
    let mut span = [0; 8];
    span.copy_from_slice(&branch.as_bytes()[8..]);
    let mut text = [0; LENGTH];
    write(&mut text, trace, span);
    // Digits and dashes make a value.
    HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The caller's trace, if there is one and one only.
fn only<'a>(mut values: impl Iterator<Item = &'a HeaderValue>) -> Option<Trace> {
    let first = values.next()?;
    if values.next().is_some() {
        return None;
    }
    read(first.as_bytes())
}

/// Reads a `traceparent`; one of a later version as far as this one knows (section 4.3 of the
/// recommendation).
fn read(text: &[u8]) -> Option<Trace> {
    let (known, more) = text.split_at_checked(LENGTH)?;
    if known[2] != b'-' || known[35] != b'-' || known[52] != b'-' {
        return None;
    }
    let [version] = digits(&known[..2])?;
    let id: [u8; 16] = digits(&known[3..35])?;
    let span: [u8; 8] = digits(&known[36..52])?;
    let [flags] = digits(&known[53..])?;
    let fits = match version {
        0 => more.is_empty(),
        0xff => false,
        _ => more.first().is_none_or(|next| *next == b'-'),
    };
    (fits && id != [0; 16] && span != [0; 8]).then_some(Trace { id, flags: flags & KNOWN_FLAGS })
}

/// Lower-case hexadecimal digits.
fn digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

fn write(text: &mut [u8; LENGTH], trace: Trace, span: [u8; 8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    *text = [b'-'; LENGTH];
    let mut put = |at: usize, bytes: &[u8]| {
        for (pair, byte) in text[at..].chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0xf)];
        }
    };
    put(0, &[0]);
    put(3, &trace.id);
    put(36, &span);
    put(53, &[trace.flags]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_recommendation_calls_malformed_is_none() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(read(good.as_bytes()).is_some());
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
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        for later in [
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-what-comes",
        ] {
            assert_eq!(read(later.as_bytes()).unwrap().flags, KNOWN_FLAGS);
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic(text in any::<Vec<u8>>(), at in 0..LENGTH, byte: u8) {
            let _ = read(&text);
            let mut near = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_vec();
            near.insert(at.min(near.len()), byte);
            let _ = read(&near);
            near.truncate(at);
            prop_assert_eq!(read(&near), None);
        }

        #[test]
        fn what_is_written_is_read(id: [u8; 16], span: [u8; 8], flags in 0..=KNOWN_FLAGS) {
            prop_assume!(id != [0; 16] && span != [0; 8]);
            let mut text = [0; LENGTH];
            write(&mut text, Trace { id, flags }, span);
            prop_assert_eq!(read(&text), Some(Trace { id, flags }));
            prop_assert_eq!(digits(&text[36..52]), Some(span));
        }
    }
}
