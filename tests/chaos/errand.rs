//! What a request is about: both ends know every byte of it, from its path.

use bytes::Bytes;
use std::sync::OnceLock;

/// The largest body, and as far into the noise as the last one begins.
const NOISE: usize = (20 << 20) + (1 << 20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// The answer has so many bytes.
    Get,
    /// The request has so many bytes, and so has the answer.
    Post,
    /// The answer has so many events.
    Events,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errand {
    pub verb: Verb,
    /// Tells the errands apart, and their bytes.
    pub seed: usize,
    pub len: usize,
}

impl Errand {
    pub fn path(&self) -> String {
        let verb = match self.verb {
            Verb::Get => "get",
            Verb::Post => "post",
            Verb::Events => "events",
        };
        format!("/{verb}/{}/{}", self.seed, self.len)
    }

    pub fn at(path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix('/')?.split('/');
        let verb = match parts.next()? {
            "get" => Verb::Get,
            "post" => Verb::Post,
            "events" => Verb::Events,
            _ => return None,
        };
        Some(Self { verb, seed: parts.next()?.parse().ok()?, len: parts.next()?.parse().ok()? })
    }

    /// Its bytes: no two errands have the same.
    pub fn bytes(&self) -> Bytes {
        let from = self.seed * 4_099 % (1 << 20);
        noise().slice(from..from + self.len)
    }

    /// What the request's body is.
    pub fn sent(&self) -> Bytes {
        if self.verb == Verb::Post { self.bytes() } else { Bytes::new() }
    }
}

fn noise() -> &'static Bytes {
    static NOISE_BYTES: OnceLock<Bytes> = OnceLock::new();
    NOISE_BYTES.get_or_init(|| {
        // Marsaglia's xorshift64.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut bytes = Vec::with_capacity(NOISE);
        while bytes.len() < NOISE {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        bytes.into()
    })
}
