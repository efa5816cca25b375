//! Where each HTTP/1 request on a connection ends, read as strictly as RFC 9112 allows.
//!
//! A request that two readers take for two different ones is how requests are smuggled past a
//! proxy. The parser behind this one is lenient where the standard lets it be: it takes a bare LF
//! for a line's end, and of `transfer-encoding` and `content-length` it drops one without a word.
//! So the bytes are read here first, and what is not plain is refused:
//!
//! - a line that ends in LF without CR;
//! - more than one `content-length`, or one that is not a plain number;
//! - any `transfer-encoding` but one `chunked`, or one together with a `content-length`;
//! - a chunk whose size is not hexadecimal digits and at most an extension, or that is longer or
//!   shorter than it says;
//! - a CONNECT with a body: some take it for the first bytes of the tunnel.
//!
//! What else is wrong in a head (whitespace before a colon, folded lines, NUL, an unknown version)
//! the parser behind refuses itself.

use super::upgrade;
use memchr::memchr;
use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering::Relaxed},
};

/// The longest line that says the size of a chunk.
const MAX_SIZE_LINE: usize = 1 << 10;
/// The longest trailer line that is looked at; the parser behind allows fewer bytes in all.
const MAX_TRAILER: usize = 64 << 10;

/// What the bytes after a request that asks for an upgrade, or is a CONNECT, are: that is for the
/// service to say.
#[derive(Debug, Clone, Default)]
pub(super) struct Phase(Arc<AtomicU8>);

const HTTP: u8 = 0;
const ASKED: u8 = 1;
/// Asked, and bytes came before the answer.
const ASKED_AND_MORE: u8 = 2;
const TUNNEL: u8 = 3;

impl Phase {
    /// From here on the connection is a tunnel.
    pub(super) fn tunnel(&self) {
        self.0.store(TUNNEL, Relaxed);
    }

    /// There was no upgrade. Whether the connection can go on: not when bytes have come since that
    /// nobody has looked at.
    pub(super) fn stays_http(&self) -> bool {
        self.0.compare_exchange(ASKED, HTTP, Relaxed, Relaxed).is_ok()
    }
}

/// What cannot be read in one way only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    /// How many of the bytes may pass.
    pub(super) passed: usize,
    /// Whether it is the head of a request, or else its body.
    pub(super) in_head: bool,
}

/// Where in the bytes of a connection we are.
#[derive(Debug)]
enum At {
    Head,
    Length(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd {
        has_cr: bool,
    },
    Trailers,
    /// After a request that asks for an upgrade, or is a CONNECT.
    Asked,
    /// So many bytes of what opens an HTTP/2 connection are to come.
    Preface(usize),
    /// HTTP/2 or a tunnel: not ours to read.
    Beyond,
}

/// What opens an HTTP/2 connection (RFC 9113 section 3.4), after its first line.
const PREFACE_LEFT: usize = b"\r\nSM\r\n\r\n".len();

#[derive(Debug, Default)]
struct Head {
    has_started: bool,
    length: Option<u64>,
    is_chunked: bool,
    is_connect: bool,
    asks_upgrade: bool,
}

/// See [the module](self).
#[derive(Debug)]
pub(super) struct Framer {
    at: At,
    /// The line under way, when it came in pieces.
    line: Vec<u8>,
    head: Head,
    blank_lines: u8,
    is_first: bool,
    heads: u64,
    phase: Phase,
}

impl Framer {
    pub(super) fn new(phase: Phase) -> Self {
        Self {
            at: At::Head,
            line: Vec::new(),
            head: Head::default(),
            blank_lines: 0,
            is_first: true,
            heads: 0,
            phase,
        }
    }

    /// Whether the head of a request is awaited that must come soon: the first, or one that has
    /// begun.
    pub(super) const fn awaits_head(&self) -> bool {
        match self.at {
            At::Head => self.is_first || self.head.has_started || !self.line.is_empty(),
            At::Preface(_) => true,
            _ => false,
        }
    }

    /// How many heads have been read to their end.
    pub(super) const fn heads(&self) -> u64 {
        self.heads
    }

    /// Reads what came next.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let in_head = matches!(self.at, At::Head);
            let (taken, is_fine) = self.step(rest);
            if !is_fine {
                // The last byte taken is the one that does not fit.
                let passed = bytes.len() - rest.len() + taken - 1;
                return Err(Refused { passed, in_head });
            }
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// Takes at least one byte.
    fn step(&mut self, bytes: &[u8]) -> (usize, bool) {
        match &mut self.at {
            At::Head | At::ChunkSize | At::Trailers => self.line(bytes),
            At::Length(left) | At::Chunk(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= taken as u64;
                if *left == 0 {
                    match self.at {
                        At::Chunk(_) => self.at = At::ChunkEnd { has_cr: false },
                        _ => self.message_ended(),
                    }
                }
                (taken, true)
            }
            At::ChunkEnd { has_cr } => {
                let expected = if *has_cr { b'\n' } else { b'\r' };
                self.at = if *has_cr { At::ChunkSize } else { At::ChunkEnd { has_cr: true } };
                (1, bytes[0] == expected)
            }
            At::Asked => match self.phase.0.load(Relaxed) {
                HTTP => {
                    self.at = At::Head;
                    self.line(bytes)
                }
                TUNNEL => {
                    self.at = At::Beyond;
                    (bytes.len(), true)
                }
                _ => {
                    self.phase.0.store(ASKED_AND_MORE, Relaxed);
                    (bytes.len(), true)
                }
            },
            At::Preface(left) => {
                let taken = bytes.len().min(*left);
                *left -= taken;
                if *left == 0 {
                    self.at = At::Beyond;
                }
                (taken, true)
            }
            At::Beyond => (bytes.len(), true),
        }
    }

    fn line(&mut self, bytes: &[u8]) -> (usize, bool) {
        let Some(end) = memchr(b'\n', bytes) else {
            self.line.extend_from_slice(bytes);
            let longest = match self.at {
                At::ChunkSize => MAX_SIZE_LINE,
                At::Trailers => MAX_TRAILER,
                // The parser behind gives up at its bound.
                _ => usize::MAX,
            };
            return (bytes.len(), self.line.len() <= longest);
        };
        let taken = end + 1;
        let is_fine = if self.line.is_empty() {
            self.whole_line(&bytes[..taken])
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(&bytes[..taken]);
            self.whole_line(&line)
        };
        (taken, is_fine)
    }

    fn whole_line(&mut self, line: &[u8]) -> bool {
        let Some(line) = line.strip_suffix(b"\r\n") else { return false };
        match self.at {
            At::ChunkSize => self.chunk_size(line),
            At::Trailers => {
                if line.is_empty() {
                    self.message_ended();
                }
                true
            }
            _ => self.head_line(line),
        }
    }

    fn head_line(&mut self, line: &[u8]) -> bool {
        if !self.head.has_started {
            if line.is_empty() {
                // One is allowed (RFC 9112 section 2.2).
                self.blank_lines += 1;
                return self.blank_lines <= 1;
            }
            if self.is_first && line == b"PRI * HTTP/2.0" {
                self.at = At::Preface(PREFACE_LEFT);
            }
            self.head.has_started = true;
            self.head.is_connect = line.starts_with(b"CONNECT ");
            return true;
        }
        if line.is_empty() {
            return self.head_ended();
        }
        // Only these three say where a request ends.
        if !matches!(line[0], b'c' | b'C' | b't' | b'T' | b'u' | b'U') {
            return true;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return true };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let is_again = self.head.length.is_some() || self.head.is_chunked;
            self.head.length = number(value, 10, 19);
            return !is_again && self.head.length.is_some();
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let is_again = std::mem::replace(&mut self.head.is_chunked, true);
            return !is_again
                && value.eq_ignore_ascii_case(b"chunked")
                && self.head.length.is_none();
        }
        if name.eq_ignore_ascii_case(b"upgrade") {
            self.head.asks_upgrade |= upgrade::offers_other(value);
        }
        true
    }

    fn head_ended(&mut self) -> bool {
        if self.head.is_connect && (self.head.is_chunked || self.head.length > Some(0)) {
            return false;
        }
        self.is_first = false;
        self.heads += 1;
        match (self.head.is_chunked, self.head.length) {
            (true, _) => self.at = At::ChunkSize,
            (false, Some(length @ 1..)) => self.at = At::Length(length),
            (false, _) => self.message_ended(),
        }
        true
    }

    /// `1a`, `1a;name=value`. An extension means nothing to us, but a CR in it may to others.
    fn chunk_size(&mut self, line: &[u8]) -> bool {
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let is_plain = !line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
        let Some(size) = number(digits, 16, 16).filter(|_| is_plain) else { return false };
        self.at = if size == 0 { At::Trailers } else { At::Chunk(size) };
        true
    }

    fn message_ended(&mut self) {
        self.at = At::Head;
        let head = std::mem::take(&mut self.head);
        if head.asks_upgrade || head.is_connect {
            self.at = At::Asked;
            self.phase.0.store(ASKED, Relaxed);
        }
        self.blank_lines = 0;
    }
}

/// Digits and nothing else, not too many.
fn number(text: &[u8], radix: u32, most: usize) -> Option<u64> {
    if text.is_empty() || text.len() > most {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| {
        let digit = char::from(*byte).to_digit(radix)?;
        sum.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How many bytes pass when they come in pieces of these lengths.
    fn passed(bytes: &[u8], lengths: &[usize]) -> Result<usize, Refused> {
        let mut framer = Framer::new(Phase::default());
        let (mut rest, mut lengths, mut before) = (bytes, lengths.iter().cycle(), 0);
        while !rest.is_empty() {
            let length = rest.len().min(*lengths.next().unwrap_or(&1));
            let (piece, after) = rest.split_at(length);
            framer
                .feed(piece)
                .map_err(|refused| Refused { passed: before + refused.passed, ..refused })?;
            (rest, before) = (after, before + length);
        }
        Ok(before)
    }

    const PIECES: [&str; 21] = [
        "GET / HTTP/1.1\r\n",
        "CONNECT x:443 HTTP/1.1\r\n",
        "host: x\r\n",
        "\r\n",
        "\r\n",
        "content-length: 5\r\n",
        "transfer-encoding: chunked\r\n",
        "connection: upgrade\r\n",
        "upgrade: websocket\r\n",
        "upgrade: h2c\r\n",
        "hello",
        "5\r\nhello\r\n",
        "5;a=b\r\nhello\r\n",
        "0\r\n\r\n",
        "0\r\nx: y\r\n\r\n",
        "x: y\n",
        "\r",
        "\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "content-length: 5, 5\r\n",
        "\0",
    ];

    proptest! {
        #[test]
        fn it_makes_no_difference_in_which_pieces_the_bytes_come(
            pieces in prop::collection::vec(prop::sample::select(&PIECES), 0..16),
            lengths in prop::collection::vec(1..20_usize, 1..8),
        ) {
            let bytes = pieces.concat().into_bytes();
            let whole = passed(&bytes, &[usize::MAX]);
            prop_assert_eq!(passed(&bytes, &lengths), whole);
            prop_assert_eq!(passed(&bytes, &[1]), whole);
        }

        #[test]
        fn nothing_makes_it_panic(
            bytes in any::<Vec<u8>>(), lengths in prop::collection::vec(1..20_usize, 1..8),
        ) {
            let _ = passed(&bytes, &lengths);
        }
    }

    #[test]
    fn a_head_is_awaited_until_it_has_ended() {
        let mut framer = Framer::new(Phase::default());
        for piece in ["", "\r\n", "GET / HTTP/1.1\r\nhost", ": x\r\ncontent-length: 2\r\n"] {
            framer.feed(piece.as_bytes()).unwrap();
            assert!(framer.awaits_head());
        }
        for piece in ["\r\n", "h", "i"] {
            framer.feed(piece.as_bytes()).unwrap();
            assert!(!framer.awaits_head());
        }
        // The next one is, once it begins.
        framer.feed(b"G").unwrap();
        assert!(framer.awaits_head());
    }

    #[test]
    fn after_a_request_for_an_upgrade_nothing_is_judged_until_it_was_answered() {
        let request = b"GET / HTTP/1.1\r\nupgrade: x\r\n\r\n";
        let mut framer = Framer::new(Phase::default());
        framer.feed(request).unwrap();
        assert!(framer.phase.clone().stays_http());
        assert!(framer.feed(b"\n").is_err());

        let mut framer = Framer::new(Phase::default());
        framer.feed(request).unwrap();
        framer.feed(b"\n\n\n").unwrap();
        assert!(!framer.phase.clone().stays_http());

        let mut framer = Framer::new(Phase::default());
        framer.feed(request).unwrap();
        framer.phase.tunnel();
        framer.feed(b"\n\n\n").unwrap();
    }
}
