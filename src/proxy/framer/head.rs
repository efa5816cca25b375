//! What the head of a request says of where the request ends.

use crate::proxy::upgrade;

/// What has been read of it.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) has_started: bool,
    pub(super) length: Option<u64>,
    pub(super) is_chunked: bool,
    pub(super) is_connect: bool,
    pub(super) asks_upgrade: bool,
}

impl Head {
    /// Reads a line after the first. Whether what it says can be read in one way only.
    pub(super) fn field(&mut self, line: &[u8]) -> bool {
        // Only these three say where a request ends.
        if !matches!(line[0], b'c' | b'C' | b't' | b'T' | b'u' | b'U') {
            return true;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return true };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let is_again = self.length.is_some() || self.is_chunked;
            self.length = number(value, 10, 19);
            return !is_again && self.length.is_some();
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let is_again = std::mem::replace(&mut self.is_chunked, true);
            return !is_again && value.eq_ignore_ascii_case(b"chunked") && self.length.is_none();
        }
        if name.eq_ignore_ascii_case(b"upgrade") {
            self.asks_upgrade |= upgrade::offers_other(value);
        }
        true
    }

    pub(super) fn has_body(&self) -> bool {
        self.is_chunked || self.length > Some(0)
    }
}

/// Digits and nothing else, not too many.
pub(super) fn number(text: &[u8], radix: u32, most: usize) -> Option<u64> {
    if text.is_empty() || text.len() > most {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| {
        let digit = char::from(*byte).to_digit(radix)?;
        sum.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })
}
