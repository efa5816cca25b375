//! The wire format of protocol buffers, as far as it has to be read and written here
//! (<https://protobuf.dev/programming-guides/encoding>).

/// A field of a message.
pub(crate) enum Field<'a> {
    Varint(u64),
    #[cfg_attr(not(feature = "server"), allow(dead_code, reason = "no answer has one"))]
    Fixed64(u64),
    Fixed32,
    /// A text, bytes, or another message.
    Bytes(&'a [u8]),
}

/// What is no message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads a message field by field.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field, and its number; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let field = match tag & 7 {
            VARINT => Field::Varint(self.varint()?),
            FIXED64 => Field::Fixed64(u64::from_le_bytes(*self.array()?)),
            BYTES => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
                self.rest = rest;
                Field::Bytes(taken)
            }
            FIXED32 => {
                self.array::<4>()?;
                Field::Fixed32
            }
            // (Groups, which nobody writes any more.)
            _ => return Err(Malformed),
        };
        Ok(Some((tag >> 3, field)))
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(Malformed)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

/// A text; what is no UTF-8 is replaced.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// A message that is being written, field after field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// A number, or whether something is so.
    pub(crate) fn varint(&mut self, number: u64, value: u64) {
        varint(&mut self.0, number << 3 | VARINT);
        varint(&mut self.0, value);
    }

    /// A text, bytes, or a message that was written.
    pub(crate) fn bytes(&mut self, number: u64, bytes: &[u8]) {
        varint(&mut self.0, number << 3 | BYTES);
        varint(&mut self.0, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn message(&mut self, number: u64, message: &Self) {
        self.bytes(number, &message.0);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(feature = "otlp")]
impl Message {
    /// Bytes that are to be found at once: a time, or the bits of a number.
    pub(crate) fn fixed64(&mut self, number: u64, value: u64) {
        varint(&mut self.0, number << 3 | FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// The same of four bytes.
    pub(crate) fn fixed32(&mut self, number: u64, value: u32) {
        varint(&mut self.0, number << 3 | FIXED32);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// How many bytes it has.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(number in 1..1_000_u64, value: u64, bytes: Vec<u8>) {
            let mut message = Message::default();
            message.varint(number, value);
            message.bytes(number, &bytes);
            let message = message.into_bytes();
            let mut reader = Reader::new(&message);
            let read = reader.next().unwrap();
            prop_assert!(matches!(read, Some((n, Field::Varint(v))) if n == number && v == value));
            let read = reader.next().unwrap();
            prop_assert!(matches!(read, Some((n, Field::Bytes(b))) if n == number && b == bytes));
            prop_assert!(reader.next().unwrap().is_none());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while let Ok(Some(_)) = reader.next() {}
        }
    }
}
