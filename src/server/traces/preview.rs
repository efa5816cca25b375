//! The beginning of what a trace was given, or gave back.

/// The most characters of it.
const MAX: usize = 1_000;

pub(super) fn preview(text: String) -> String {
    if text.len() <= MAX || text.chars().nth(MAX).is_none() {
        return text;
    }
    text.chars().take(MAX - 3).chain("...".chars()).collect()
}
