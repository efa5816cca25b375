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

mod head;
mod phase;

use self::{
    head::{Head, number},
    phase::Meaning,
};
use memchr::memchr;

pub(super) use self::phase::Phase;

/// The longest line that says the size of a chunk.
const MAX_SIZE_LINE: usize = 1 << 10;
/// The longest trailer line that is looked at; the parser behind allows fewer bytes in all.
const MAX_TRAILER: usize = 64 << 10;

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
            At::Asked => match self.phase.bytes_came() {
                Meaning::Http => {
                    self.at = At::Head;
                    self.line(bytes)
                }
                Meaning::Tunnel => {
                    self.at = At::Beyond;
                    (bytes.len(), true)
                }
                Meaning::Unknown => (bytes.len(), true),
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
        self.head.field(line)
    }

    fn head_ended(&mut self) -> bool {
        if self.head.is_connect && self.head.has_body() {
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
            self.phase.asked();
        }
        self.blank_lines = 0;
    }
}

#[cfg(test)]
mod tests;
