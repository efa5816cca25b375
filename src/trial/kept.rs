//! What is kept of a branch for those that evaluate it.

use serde_json::Value;
use std::{any::Any, fmt};

/// What is kept of a branch until it was evaluated. It is no part of its record.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) request: Option<Unread>,
    pub(crate) response: Option<Unread>,
    /// What the answer should have been.
    pub(crate) expected: Option<Value>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("expected", &self.expected).finish_non_exhaustive()
    }
}

/// A body that passed, as it was; what it says is found out in the background.
pub(crate) type Unread = Box<dyn FnOnce() -> Result<Content, Unreadable> + Send>;

/// What a body says.
#[derive(Default)]
pub(crate) struct Content {
    /// The whole of it, if it was kept whole.
    pub(crate) whole: Option<Value>,
    /// If it came in pieces (events, lines): those of them that are JSON, in order.
    pub(crate) pieces: Vec<Value>,
    /// The room that its bytes take of what may be kept.
    pub(crate) room: Option<Room>,
    /// How many they are.
    pub(crate) bytes: usize,
}

/// Room that is free again when this is dropped.
pub(crate) type Room = Box<dyn Any + Send + Sync>;

impl Content {
    pub(crate) const fn of(value: Value) -> Self {
        Self { whole: Some(value), pieces: Vec::new(), room: None, bytes: 0 }
    }

    /// The value at a JSON pointer, if it is not null; of pieces, in the last of them that has one.
    pub(crate) fn pointer(&self, pointer: &str) -> Option<&Value> {
        let all = self.whole.iter().chain(&self.pieces);
        all.rev().filter_map(|value| value.pointer(pointer)).find(|value| !value.is_null())
    }
}

/// Why it is not known what a body says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "compare"), expect(dead_code, reason = "bodies are kept with `compare`"))]
pub(crate) enum Unreadable {
    /// It is larger than what is kept of one.
    TooLarge,
    /// So much is kept already that there was no room for it.
    NoRoom,
    /// It is not what its headers say, or encoded as nobody here knows.
    Broken,
}
