//! What differs.

use crate::branch::named;
use serde::Serialize;

/// How many differences of one comparison are kept; the others are counted.
const MAX_KEPT: usize = 32;

/// How many bytes of a value are kept as its sample.
const MAX_SAMPLE: usize = 256;

named! {
    /// In what way two answers differ at a path.
    DifferenceKind {
        /// Both have something there, and not the same.
        Changed = "changed",
        /// Both have something there, of different types.
        Type = "type",
        /// Only the primary has something there.
        Missing = "missing",
        /// Only the other has something there.
        Added = "added",
    }
}

/// One place where two answers differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Where: `status`, `header:content-type`, `body`, or a JSON pointer (RFC 6901) into the body
    /// in which `*` stands for the places of an array: `/items/*/id`.
    pub path: String,
    /// In what way.
    pub kind: DifferenceKind,
    /// The primary's value there, cut to 256 bytes, if it has one.
    pub primary: Option<String>,
    /// The other's value there, likewise.
    pub shadow: Option<String>,
}

/// What differs between two answers: the first 32 places, and how many more there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    list: Vec<Difference>,
    more: u64,
}

impl Differences {
    /// Adds one.
    pub fn push(
        &mut self,
        path: impl Into<String>,
        kind: DifferenceKind,
        primary: Option<&str>,
        shadow: Option<&str>,
    ) {
        if self.list.len() >= MAX_KEPT {
            self.more += 1;
            return;
        }
        let sample = |text: Option<&str>| text.map(cut);
        let (primary, shadow) = (sample(primary), sample(shadow));
        self.list.push(Difference { path: path.into(), kind, primary, shadow });
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The first of them.
    pub fn list(&self) -> &[Difference] {
        &self.list
    }

    /// How many there are beyond [`list`](Self::list).
    pub const fn more(&self) -> u64 {
        self.more
    }
}

impl From<bool> for Differences {
    /// Whether the two are equal: if not, they differ as a whole (path `body`).
    fn from(is_equal: bool) -> Self {
        let mut differences = Self::default();
        if !is_equal {
            differences.push("body", DifferenceKind::Changed, None, None);
        }
        differences
    }
}

fn cut(text: &str) -> String {
    if text.len() <= MAX_SAMPLE {
        return text.to_owned();
    }
    let end = (0..=MAX_SAMPLE).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &text[..end])
}
