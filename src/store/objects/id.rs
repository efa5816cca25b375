//! What a content is called.

use std::fmt::Write;

/// The BLAKE3 hash of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ObjectId([u8; 32]);

impl ObjectId {
    pub(crate) const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// All of it, in lower-case hexadecimal digits.
    pub(crate) fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// The subdirectory it stands in: its first byte.
    pub(super) const fn shard(self) -> u8 {
        self.0[0]
    }

    /// The name of its file there: the other bytes.
    pub(super) fn name(self) -> String {
        hex(&self.0[1..])
    }

    /// What has this name in this subdirectory; `None` for what is no name of ours.
    pub(super) fn of_name(shard: u8, name: &str) -> Option<Self> {
        let mut hash = [0; 32];
        hash[0] = shard;
        if name.len() != 62
            || !name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        {
            return None;
        }
        for (byte, digits) in hash[1..].iter_mut().zip(name.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // A string takes all that is written.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
