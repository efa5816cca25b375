//! What is left of a response body that nobody keeps.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

/// What is left of a response body: its beginning, its length, and a hash of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settled {
    /// The first bytes (`capture_bytes` at most).
    pub head: Bytes,
    /// How many bytes the whole body had.
    pub len: u64,
    /// The trailers, if it had any.
    pub trailers: Option<HeaderMap>,
    /// Of a body that is larger than its head.
    hash: Option<blake3::Hash>,
}

impl Settled {
    /// Whether the head is the whole body.
    pub fn is_whole(&self) -> bool {
        self.len == self.head.len() as u64
    }

    /// The BLAKE3 hash of the whole body.
    pub fn hash(&self) -> blake3::Hash {
        self.hash.unwrap_or_else(|| blake3::hash(&self.head))
    }

    /// Whether the two bodies have the same bytes, whatever their size.
    pub fn same_bytes(&self, other: &Self) -> bool {
        if self.len != other.len {
            return false;
        }
        if self.is_whole() && other.is_whole() {
            return self.head == other.head;
        }
        self.hash() == other.hash()
    }
}

/// Gathers it while the body passes. A body that fits the head is not hashed: it can be compared
/// as it is.
#[derive(Debug)]
pub(super) struct Gather {
    head: BytesMut,
    len: u64,
    trailers: Option<HeaderMap>,
    hasher: Option<Box<blake3::Hasher>>,
    capture_bytes: usize,
}

impl Gather {
    pub(super) fn new(capture_bytes: usize) -> Self {
        Self { head: BytesMut::new(), len: 0, trailers: None, hasher: None, capture_bytes }
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn data(&mut self, data: &[u8]) {
        self.len += data.len() as u64;
        let room = self.capture_bytes - self.head.len();
        if self.hasher.is_none() && data.len() > room {
            let mut hasher = Box::new(blake3::Hasher::new());
            hasher.update(&self.head);
            self.hasher = Some(hasher);
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(data);
        }
        self.head.extend_from_slice(&data[..data.len().min(room)]);
    }

    pub(super) fn trailers(&mut self, trailers: &HeaderMap) {
        self.trailers = Some(trailers.clone());
    }

    pub(super) fn settled(self) -> Settled {
        Settled {
            head: self.head.freeze(),
            len: self.len,
            trailers: self.trailers,
            hash: self.hasher.map(|hasher| hasher.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(capture_bytes: usize, frames: &[&str]) -> Settled {
        let mut gather = Gather::new(capture_bytes);
        frames.iter().for_each(|frame| gather.data(frame.as_bytes()));
        gather.settled()
    }

    #[test]
    fn bodies_are_equal_by_their_bytes_however_they_came_and_however_much_was_kept() {
        for capture in [0, 1, 4, 5, 100] {
            let whole = settled(capture, &["hello"]);
            assert_eq!(whole.hash(), blake3::hash(b"hello"));
            assert!(whole.same_bytes(&settled(capture, &["he", "", "llo"])));
            assert!(whole.same_bytes(&settled(2, &["hell", "o"])));
            assert!(!whole.same_bytes(&settled(capture, &["hellO"])), "{capture}");
            assert!(!whole.same_bytes(&settled(capture, &["hell"])));
        }
    }
}
