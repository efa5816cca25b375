//! Differences as lines.

use super::{Change, Diff};
use crate::config::REDACTED;
use serde_json::Value;
use std::fmt;

/// How many characters of a value are printed; JSON has all of it.
pub(super) const MAX_PRINTED: usize = 120;

impl Diff {
    /// Only the first `max` lines, and how many there are more.
    pub const fn first_lines(&self, max: usize) -> impl fmt::Display + '_ {
        Lines { diff: self, max }
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = Plain(if self.path.is_empty() { "." } else { &self.path });
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                write!(f, "~ {path}: {} → {}", Brief(before), Brief(after))
            }
            (Some(before), None) => write!(f, "- {path}: {}", Brief(before)),
            (None, Some(after)) => write!(f, "+ {path}: {}", Brief(after)),
            (None, None) => Ok(()),
        }
    }
}

struct Lines<'a> {
    diff: &'a Diff,
    max: usize,
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = &self.diff.changes;
        changes.iter().take(self.max).try_for_each(|change| writeln!(f, "{change}"))?;
        match changes.len().saturating_sub(self.max) {
            0 => Ok(()),
            more => writeln!(f, "… and {more} more"),
        }
    }
}

/// A path on one line: its keys come from whoever wrote the file.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character.is_control() {
            true => write!(f, "{}", character.escape_default()),
            false => write!(f, "{character}"),
        })
    }
}

/// The beginning of a value.
struct Brief<'a>(&'a Value);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == REDACTED {
            return f.write_str(REDACTED);
        }
        let text = self.0.to_string();
        match text.char_indices().nth(MAX_PRINTED) {
            Some((end, _)) => write!(f, "{}…", &text[..end]),
            None => f.write_str(&text),
        }
    }
}
