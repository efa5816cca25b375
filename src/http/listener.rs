//! The receiving end of a copy, and what travels to it.

use crate::BoxError;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};
use tokio::sync::mpsc;

/// What a frame counts for at least: many tiny ones take up memory, too.
const FRAME_COST: usize = 64;

/// A frame is a part of the buffer it was read into (8 KiB at least, with hyper), and keeps all of
/// it. Smaller ones than this are copied if they may have to wait long, so that what waits is what
/// is counted.
const SMALL_FRAME: usize = 4 << 10;

/// Bytes waiting: for one copy, for all copies of its config, and for all.
///
/// With the channel (Tokio's) and the reason (set once) these counters are all that the ends of a
/// copy share, on whichever threads they are. Each [`Waiting`] adds its cost once and takes it off
/// once, and nothing is concluded from a counter about any other memory: so relaxed order is
/// enough, and with none waiting they are at zero, whatever came first. Two that add at the same
/// time may both see too much where one of them would have fitted; never too little.
#[derive(Debug)]
pub(super) struct Level {
    own: AtomicUsize,
    config: Arc<AtomicUsize>,
    all: Arc<AtomicUsize>,
}

impl Level {
    pub(super) fn new(config: Arc<AtomicUsize>, all: &Arc<AtomicUsize>) -> Arc<Self> {
        Arc::new(Self { own: AtomicUsize::new(0), config, all: all.clone() })
    }
}

/// How much waits now.
pub(super) struct Levels {
    pub(super) own: usize,
    pub(super) config: usize,
    pub(super) all: usize,
}

/// Data on its way to a copy. It counts until it is read, or dropped wherever it is then.
pub(super) struct Waiting {
    data: Bytes,
    level: Arc<Level>,
}

impl Waiting {
    /// With how much waits now.
    pub(super) fn new(data: &Bytes, level: &Arc<Level>) -> (Self, Levels) {
        let cost = cost(data);
        let before = level.own.fetch_add(cost, Relaxed);
        let config = level.config.fetch_add(cost, Relaxed) + cost;
        let all = level.all.fetch_add(cost, Relaxed) + cost;
        // Whoever keeps up has read the one before.
        let is_to_wait = before > 0 && data.len() < SMALL_FRAME;
        let data = if is_to_wait { Bytes::copy_from_slice(data) } else { data.clone() };
        (Self { data, level: level.clone() }, Levels { own: before + cost, config, all })
    }

    fn read(self) -> Bytes {
        self.data.clone()
    }
}

fn cost(data: &Bytes) -> usize {
    data.len().max(FRAME_COST)
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let cost = cost(&self.data);
        self.level.own.fetch_sub(cost, Relaxed);
        self.level.config.fetch_sub(cost, Relaxed);
        self.level.all.fetch_sub(cost, Relaxed);
    }
}

/// What travels to a copy.
pub(super) enum Piece {
    Data(Waiting),
    Trailers(HeaderMap),
    /// The body is whole. A channel that closes without it is a body that broke off.
    End,
}

/// A copy of a request body, as it is heard.
pub(super) struct Listener {
    receiver: mpsc::UnboundedReceiver<Piece>,
    /// What follows the last byte, if that is known already.
    next: Option<Piece>,
    left: Option<u64>,
    ended: bool,
}

impl Listener {
    pub(super) fn new(receiver: mpsc::UnboundedReceiver<Piece>, expected: Option<u64>) -> Self {
        Self { receiver, next: None, left: expected, ended: false }
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let piece = match self.next.take() {
            Some(piece) => Some(piece),
            None => ready!(self.receiver.poll_recv(cx)),
        };
        Poll::Ready(match piece {
            Some(Piece::Data(waiting)) => {
                let data = waiting.read();
                self.left = self.left.and_then(|left| left.checked_sub(data.len() as u64));
                self.look_ahead();
                Some(Ok(Frame::data(data)))
            }
            Some(Piece::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Piece::End) => {
                self.ended = true;
                None
            }
            None => {
                self.ended = true;
                Some(Err(CopyError.into()))
            }
        })
    }

    /// Whoever knows the length may not ask again after the last byte, and wants to know then
    /// whether trailers follow.
    pub(super) fn look_ahead(&mut self) {
        if self.left == Some(0) && self.next.is_none() {
            match self.receiver.try_recv() {
                Ok(Piece::End) => self.ended = true,
                Ok(piece) => self.next = Some(piece),
                Err(_) => {}
            }
        }
    }

    pub(super) const fn is_end_stream(&self) -> bool {
        self.ended
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A shadow's copy of a request body ended before the body did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the copy of the request body broke off")]
pub struct CopyError;
