//! The wire format of protocol buffers, as far as it has to be read and written here
//! (<https://protobuf.dev/programming-guides/encoding>).

/// A field of a message.
pub(super) enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    /// A text, bytes, or another message.
    Bytes(&'a [u8]),
}

/// What is no message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads a message field by field.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field, and its number; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(u64::from_le_bytes(*self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
                self.rest = rest;
                Field::Bytes(taken)
            }
            5 => {
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
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Writes a number as a field.
pub(super) fn write_varint(to: &mut Vec<u8>, number: u8, value: u64) {
    to.push(number << 3);
    varint(to, value);
}

/// Writes a text, or a message that was written, as a field.
pub(super) fn write_bytes(to: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    to.push(number << 3 | 2);
    varint(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
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
        fn what_is_written_is_read(number in 1..16_u8, value: u64, bytes: Vec<u8>) {
            let mut message = Vec::new();
            write_varint(&mut message, number, value);
            write_bytes(&mut message, number, &bytes);
            let mut reader = Reader::new(&message);
            let read = reader.next().unwrap();
            prop_assert!(matches!(read, Some((n, Field::Varint(v))) if n == u64::from(number) && v == value));
            let read = reader.next().unwrap();
            prop_assert!(matches!(read, Some((_, Field::Bytes(b))) if b == bytes));
            prop_assert!(reader.next().unwrap().is_none());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while let Ok(Some(_)) = reader.next() {}
        }
    }
}
