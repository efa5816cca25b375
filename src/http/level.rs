//! How many bytes wait for shadows.

use crate::sync::AtomicUsize;
use bytes::Bytes;
use std::sync::{
    Arc,
    atomic::Ordering::{AcqRel, Relaxed},
};

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
/// once: so with none waiting they are at zero, whatever came first. Two that add at the same time
/// may both see too much where one of them would have fitted; never too little. (The tests in
/// `tap/loom_model` try every order.)
#[derive(Debug)]
pub(super) struct Level {
    pub(super) own: AtomicUsize,
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
        // Of two copies of a config the one that adds to it later must see in `all` what the other
        // added. With both counted before either is read, in this order, it does; if `all` were
        // taken from its own addition, each might miss the other in one of the two counters.
        level.all.fetch_add(cost, Relaxed);
        let config = level.config.fetch_add(cost, AcqRel) + cost;
        let all = level.all.load(Relaxed);
        // Whoever keeps up has read the one before.
        let is_to_wait = before > 0 && data.len() < SMALL_FRAME;
        let data = if is_to_wait { Bytes::copy_from_slice(data) } else { data.clone() };
        (Self { data, level: level.clone() }, Levels { own: before + cost, config, all })
    }

    pub(super) fn read(self) -> Bytes {
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
