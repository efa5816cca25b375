//! What the bytes on a connection are once an upgrade was asked for.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering::Relaxed},
};

/// What the bytes after a request that asks for an upgrade, or is a CONNECT, are: that is for the
/// service to say.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Phase(Arc<AtomicU8>);

const HTTP: u8 = 0;
const ASKED: u8 = 1;
/// Asked, and bytes came before the answer.
const ASKED_AND_MORE: u8 = 2;
const TUNNEL: u8 = 3;

impl Phase {
    /// From here on the connection is a tunnel.
    pub(in super::super) fn tunnel(&self) {
        self.0.store(TUNNEL, Relaxed);
    }

    /// There was no upgrade. Whether the connection can go on: not when bytes have come since that
    /// nobody has looked at.
    pub(in super::super) fn stays_http(&self) -> bool {
        self.0.compare_exchange(ASKED, HTTP, Relaxed, Relaxed).is_ok()
    }

    /// The request was read to its end: what comes now is not known until it is answered.
    pub(super) fn asked(&self) {
        self.0.store(ASKED, Relaxed);
    }

    /// What the bytes are that have come since.
    pub(super) fn bytes_came(&self) -> Meaning {
        match self.0.load(Relaxed) {
            HTTP => Meaning::Http,
            TUNNEL => Meaning::Tunnel,
            _ => {
                self.0.store(ASKED_AND_MORE, Relaxed);
                Meaning::Unknown
            }
        }
    }
}

/// What bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Http,
    Tunnel,
    /// It was not answered yet.
    Unknown,
}
