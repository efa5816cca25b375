//! From byte offsets of a text to lines and columns.

use super::Spot;

/// How many bytes a look-up walks over at most.
const STRIDE: usize = 64;

/// The lines of a text, with a mark every few bytes: a hostile text is one long line.
pub(super) struct Lines<'a> {
    text: &'a str,
    marks: Vec<Spot>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut marks = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut spot = Spot::START;
        for (at, byte) in text.bytes().enumerate() {
            if at % STRIDE == 0 {
                marks.push(spot);
            }
            pass(&mut spot, byte);
        }
        Self { text, marks }
    }

    /// The line and column at which the byte at `offset` stands.
    pub(super) fn spot(&self, offset: usize) -> Spot {
        let offset = offset.min(self.text.len().saturating_sub(1));
        let mark = offset / STRIDE;
        let mut spot = self.marks.get(mark).copied().unwrap_or(Spot::START);
        for byte in self.text.bytes().take(offset).skip(mark * STRIDE) {
            pass(&mut spot, byte);
        }
        spot
    }
}

/// Columns count characters, that is bytes that do not continue one.
const fn pass(spot: &mut Spot, byte: u8) {
    if byte == b'\n' {
        spot.line += 1;
        spot.column = 1;
    } else if byte & 0xC0 != 0x80 {
        spot.column += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_those_an_editor_shows() {
        let text = format!("a\né{}x\n\nz", "ü".repeat(1_000));
        let lines = Lines::new(&text);
        for (found, expected) in [('a', (1, 1)), ('x', (2, 1_002)), ('z', (4, 1))] {
            let spot = lines.spot(text.find(found).unwrap());
            assert_eq!((spot.line, spot.column), expected, "{found}");
        }
        assert_eq!(Lines::new("").spot(7), Spot::START);
    }
}
