//! The ids of OpenTelemetry and of the W3C: of a trace, and of a span in it.

use super::{BranchId, TraceParent};
use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// What is no id: not as many hexadecimal digits, or nothing but zeros.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not an id of {digits} hexadecimal digits that are not all zeros")]
pub struct InvalidTraceId {
    found: String,
    digits: usize,
}

macro_rules! hexadecimal_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The id from its bytes.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The id as bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// Reads lower-case digits; `None` where the W3C allows no id.
            pub(super) fn from_digits(text: &[u8]) -> Option<Self> {
                let bytes = digits(text)?;
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; 2 * $bytes];
                write_digits(&mut text, &self.0);
                // Digits are a text.
                f.pad(std::str::from_utf8(&text).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidTraceId;

            fn from_str(text: &str) -> Result<Self, InvalidTraceId> {
                Self::from_digits(text.to_ascii_lowercase().as_bytes())
                    .ok_or_else(|| InvalidTraceId { found: text.to_owned(), digits: 2 * $bytes })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

hexadecimal_id! {
    /// The id of a trace: 16 bytes, written as 32 hexadecimal digits.
    TraceId, 16
}

hexadecimal_id! {
    /// The id of a span in a trace: 8 bytes, written as 16 hexadecimal digits.
    SpanId, 8
}

impl TraceId {
    /// The trace that a request belongs to: the caller's, or else one that begins with the
    /// request and has its id.
    pub(crate) fn of_request(caller: Option<&TraceParent>, request: BranchId) -> Self {
        caller.map_or(Self(*request.as_bytes()), |caller| caller.trace_id)
    }
}

impl SpanId {
    /// The span that a branch is in its trace: the lower half of the branch id.
    pub(crate) fn of_branch(id: BranchId) -> Self {
        let mut span = [0; 8];
        span.copy_from_slice(&id.as_bytes()[8..]);
        Self(span)
    }
}

/// Lower-case hexadecimal digits, exactly as many as there are bytes.
pub(super) fn digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
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

/// Writes two digits for each byte.
pub(super) fn write_digits(text: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_in_either_case() {
        let text = "4bf92f3577b34da6a3ce929d0e0e4736";
        let id: TraceId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(text.to_ascii_uppercase().parse(), Ok(id));
        assert_eq!(format!("{:?}", "00f067aa0ba902b7".parse::<SpanId>()), "Ok(00f067aa0ba902b7)");
    }

    #[test]
    fn what_is_no_id_says_what_one_is() {
        for wrong in
            ["", "4bf9", "00000000000000000000000000000000", "4bf92f3577b34da6a3ce929d0e0e473g"]
        {
            assert_eq!(
                wrong.parse::<TraceId>().unwrap_err().to_string(),
                format!("`{wrong}` is not an id of 32 hexadecimal digits that are not all zeros")
            );
        }
    }
}
