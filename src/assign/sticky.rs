//! The same unit, the same config: everywhere and always.

use super::NoKey;
use std::{borrow::Cow, fmt, sync::Arc};

/// Takes the key of the unit (a user, a session) from a request: a closure does.
pub trait UnitKey<R> {
    /// The key, if the request has one. Equal bytes are the same unit.
    fn unit_key<'a>(&self, request: &'a R) -> Option<Cow<'a, [u8]>>;
}

impl<R> UnitKey<R> for NoKey {
    fn unit_key<'a>(&self, _: &'a R) -> Option<Cow<'a, [u8]>> {
        None
    }
}

impl<R, F: Fn(&R) -> Option<String>> UnitKey<R> for F {
    fn unit_key<'a>(&self, request: &'a R) -> Option<Cow<'a, [u8]>> {
        self(request).map(|key| Cow::Owned(key.into_bytes()))
    }
}

impl<R, K: UnitKey<R>> UnitKey<R> for Option<K> {
    fn unit_key<'a>(&self, request: &'a R) -> Option<Cow<'a, [u8]>> {
        self.as_ref()?.unit_key(request)
    }
}

/// What a salt and a key say of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// The point on the weights' line.
    pub(crate) point: u64,
    /// The point that decides whether the unit takes part at all.
    pub(crate) entry: u64,
    /// What is recorded of the key.
    pub(crate) hash: u64,
}

/// A text made ready once as the key of a hash. What has another context or another text is
/// independent.
#[derive(Clone)]
pub(crate) struct Keyed([u8; 32]);

impl Keyed {
    /// `context`: what the words are for. It must never change, nor be used for anything else.
    pub(crate) fn new(context: &str, text: &str) -> Self {
        Self(blake3::derive_key(context, text.as_bytes()))
    }

    /// BLAKE3 in keyed mode, as four words of eight bytes, each little-endian.
    pub(crate) fn words(&self, key: &[u8]) -> [u64; 4] {
        let hash = blake3::keyed_hash(&self.0, key);
        let (words, _) = hash.as_bytes().as_chunks();
        std::array::from_fn(|at| words.get(at).map_or(0, |word| u64::from_le_bytes(*word)))
    }

    /// What a file keeps, to hash by it later without knowing the text.
    #[cfg(feature = "store")]
    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    #[cfg(feature = "store")]
    pub(crate) const fn of_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The words of a unit, if this was made from the salt of an experiment.
    pub(crate) fn unit(&self, key: &[u8]) -> Unit {
        let [point, entry, hash, _] = self.words(key);
        Unit { point, entry, hash }
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed")
    }
}

/// The salt of an experiment. Experiments with different salts assign independently.
#[derive(Debug, Clone)]
pub(crate) struct Salt {
    text: Arc<str>,
    key: Keyed,
}

impl Salt {
    pub(crate) fn new(salt: &str) -> Self {
        Self { text: salt.into(), key: Keyed::new("tower-spearmint sticky assignment v1", salt) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The first word is the point, the second decides who is in at all, the third is the recorded
    /// hash.
    pub(crate) fn unit(&self, key: &[u8]) -> Unit {
        self.key.unit(key)
    }

    #[cfg(feature = "store")]
    pub(crate) const fn key(&self) -> &Keyed {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These values must never change: users in running experiments would move.
    #[test]
    fn assignment_is_the_same_for_ever() {
        let salt = Salt::new("ranker");
        let first = salt.unit(b"user-1");
        assert_eq!(first, salt.unit(b"user-1"));
        assert_ne!(first.point, Salt::new("other").unit(b"user-1").point);
        assert_eq!([first.point, salt.unit(b"user-2").point, salt.unit(b"").point], PINNED,);
    }

    const PINNED: [u64; 3] =
        [1_268_009_392_929_498_311, 3_190_470_295_565_608_096, 1_474_379_377_360_368_045];
}
