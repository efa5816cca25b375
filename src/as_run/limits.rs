//! What MLflow takes: the limits of its 3.x server (`mlflow/utils/validation.py`), in
//! characters as Python counts them.

use std::{borrow::Cow, fmt::Write};

/// The longest name of a param, metric or tag.
pub(crate) const MAX_NAME: usize = 250;
/// The longest value of a param.
pub(crate) const MAX_PARAM_VALUE: usize = 6_000;
/// The longest value of a tag.
pub(crate) const MAX_TAG_VALUE: usize = 8_000;

/// `text` in at most `max` characters; what is cut says so, and how long it was.
pub(crate) fn cut(text: &str, max: usize) -> Cow<'_, str> {
    // Some databases behind MLflow cannot keep a NUL.
    let text = if text.contains('\0') {
        text.replace('\0', "\u{fffd}").into()
    } else {
        Cow::Borrowed(text)
    };
    if text.len() <= max {
        return text;
    }
    let length = text.chars().count();
    if length <= max {
        return text;
    }
    let mark = format!("… [cut: {length} characters]");
    let mut kept: String = text.chars().take(max - mark.chars().count()).collect();
    kept.push_str(&mark);
    kept.into()
}

/// `path` as a name that MLflow takes. Characters it refuses become `_`; a name that is too long
/// is cut and ends in a hash of the whole.
pub(crate) fn name(path: &str) -> String {
    let clean: String = path.chars().map(|c| if is_allowed(c) { c } else { '_' }).collect();
    // MLflow refuses a name that a file system would read as another one.
    let parts: Vec<_> = clean
        .split('/')
        .map(|part| match part {
            "" | "." => "_",
            ".." => "__",
            part => part,
        })
        .collect();
    let clean = parts.join("/");
    if clean.chars().count() <= MAX_NAME { clean } else { with_hash(&clean, path) }
}

/// `name` cut so that it ends in a hash of `path`: for names that would be equal otherwise.
pub(crate) fn with_hash(name: &str, path: &str) -> String {
    let hash = blake3::hash(path.as_bytes()).to_hex();
    let mut out: String = name.chars().take(MAX_NAME - 16).collect();
    // Writing to a string never fails.
    let _ = write!(out, "-cut-{}", &hash[..10]);
    out
}

/// MLflow takes what Python's `\w` is, and `/`, `.`, `-`, space and, except on Windows, `:`.
/// Of the letters beyond ASCII these are the ranges in which Rust and Python agree.
fn is_allowed(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '.' | '/' | ' ' => true,
        '\u{80}'..='\u{2ff}'
        | '\u{370}'..='\u{58f}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' => c.is_alphanumeric(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_mlflow_takes() {
        for (path, expected) in [
            ("llm.temperature", "llm.temperature"),
            ("/model/name", "_/model/name"),
            ("a//b/../c/.", "a/_/b/__/c/_"),
            ("", "_"),
            ("..", "__"),
            ("x:y=$1\n", "x_y__1_"),
            ("größe.模型.ключ", "größe.模型.ключ"),
            ("ท", "_"),
        ] {
            assert_eq!(name(path), expected);
        }
    }

    #[test]
    fn a_long_name_is_cut_and_stays_unique() {
        let (a, b) =
            (name(&format!("{}a", "k".repeat(300))), name(&format!("{}b", "k".repeat(300))));
        assert!(a.chars().count() <= MAX_NAME && a.contains("-cut-"), "{a}");
        assert_ne!(a, b);
        assert_eq!(name(&"é".repeat(MAX_NAME)), "é".repeat(MAX_NAME));
    }

    #[test]
    fn a_long_value_says_that_it_was_cut() {
        let value = cut(&"é".repeat(10_000), MAX_PARAM_VALUE).into_owned();
        assert_eq!(value.chars().count(), MAX_PARAM_VALUE);
        assert!(value.ends_with("é… [cut: 10000 characters]"));
        assert_eq!(cut(&"é".repeat(6_000), MAX_PARAM_VALUE), "é".repeat(6_000));
        assert_eq!(cut("a\0b", 10), "a\u{fffd}b");
    }
}
