//! Numbers in few bytes: seven bits in each, the lowest first (LEB128).

/// Appends a number.
pub(super) fn write(out: &mut Vec<u8>, mut number: u128) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads one number after the other. `None` where the bytes end, or hold what is too large.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn u128(&mut self) -> Option<u128> {
        let mut number = 0_u128;
        for shift in (0..u128::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn i128(&mut self) -> Option<i128> {
        self.u128().map(u128::cast_signed)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        u64::try_from(self.u128()?).ok().map(u64::cast_signed)
    }

    pub(super) fn usize(&mut self) -> Option<usize> {
        usize::try_from(self.u128()?).ok()
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_as_they_were_written() {
        let numbers = [0, 1, 127, 128, 300, u128::from(u64::MAX), u128::MAX];
        let mut bytes = Vec::new();
        numbers.iter().for_each(|number| write(&mut bytes, *number));
        let mut reader = Reader::new(&bytes);
        for number in numbers {
            assert_eq!(reader.u128(), Some(number));
        }
        assert!(reader.is_at_end());
        assert_eq!(reader.u128(), None);
        assert_eq!(Reader::new(&[0xff; 30]).u128(), None);
    }
}
