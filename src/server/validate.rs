//! What MLflow takes as a key, a value or an id, and what it says to the rest.

use super::error::ApiError;

/// The longest key of a param, a metric or a tag, in characters.
pub(super) const MAX_KEY: usize = 250;
/// The longest value of a param; what is longer is cut.
const MAX_PARAM_VALUE: usize = 6_000;
/// The longest value of a run's tag; what is longer is cut.
const MAX_TAG_VALUE: usize = 8_000;
/// The longest id of a run.
const MAX_RUN_ID: usize = 256;

/// The key of a param, a metric or a tag, which stands at `path` in the call.
///
/// # Errors
///
/// On other characters than MLflow takes, and where the key, read as the path of a file, would
/// be written differently.
pub(super) fn key(key: &str, path: impl FnOnce() -> String) -> Result<(), ApiError> {
    let known = |c: char| matches!(c, '/' | '.' | '-' | ' ' | ':' | '_') || c.is_alphanumeric();
    if !key.chars().all(known) {
        return Err(invalid_value(
            &path(),
            key,
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), \
             spaces ( ), colon(:) and slashes (/).",
        ));
    }
    self::path(key, path)
}

/// A name, which stands at `path` in the call.
///
/// # Errors
///
/// Where the name, read as the path of a file, would be written differently.
pub(super) fn path(key: &str, path: impl FnOnce() -> String) -> Result<(), ApiError> {
    let plain = !key.is_empty() && !key.contains('/') && !key.starts_with('.');
    if !plain {
        let normal = normal_path(key);
        if normal != key || normal == "." || normal.starts_with("..") || normal.starts_with('/') {
            return Err(invalid_value(
                &path(),
                key,
                &format!(
                    "Names may be treated as files in certain cases, and must not resolve to other \
                     names when treated as such. This name would resolve to '{normal}'"
                ),
            ));
        }
    }
    Ok(())
}

/// # Errors
///
/// When `value` has more than `limit` characters.
pub(super) fn length(name: &str, limit: usize, value: &str) -> Result<(), ApiError> {
    if is_longer(value, limit) {
        return Err(ApiError::invalid(format!(
            "'{name}' exceeds the maximum length of {limit} characters"
        )));
    }
    Ok(())
}

/// A param's key and value. The value is cut where it is too long.
pub(super) fn param(
    name: &str,
    value: &mut String,
    path: impl FnOnce() -> String,
) -> Result<(), ApiError> {
    key(name, path)?;
    length("Param key", MAX_KEY, name)?;
    cut(value, MAX_PARAM_VALUE);
    Ok(())
}

/// A key and a value of a run's tag. The value is cut where it is too long.
pub(super) fn tag(
    name: &str,
    value: &mut String,
    path: impl Fn() -> String,
) -> Result<(), ApiError> {
    key(name, &path)?;
    if is_longer(name, MAX_KEY) {
        length(&path(), MAX_KEY, name)?;
    }
    cut(value, MAX_TAG_VALUE);
    Ok(())
}

/// An id of a run as a client may write it.
pub(super) fn run_id(id: &str) -> Result<(), ApiError> {
    let mut characters = id.chars();
    let fits = characters.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && characters.all(|c| c == '_' || c == '-' || c.is_alphanumeric())
        && !is_longer(id, MAX_RUN_ID);
    if fits { Ok(()) } else { Err(invalid_value("run_id", id, "")) }
}

/// MLflow's words for a value that it does not take.
pub(super) fn invalid_value(path: &str, value: &str, why: &str) -> ApiError {
    let end = if why.is_empty() { "." } else { ": " };
    ApiError::invalid(format!(
        "Invalid value {} for parameter '{path}' supplied{end}{why}",
        in_ascii(value)
    ))
}

fn is_longer(text: &str, limit: usize) -> bool {
    text.len() > limit && text.chars().nth(limit).is_some()
}

fn cut(value: &mut String, limit: usize) {
    if value.len() > limit
        && let Some((end, _)) = value.char_indices().nth(limit)
    {
        value.truncate(end);
    }
}

/// JSON as Python writes it: what is not ASCII is escaped.
fn in_ascii(text: &str) -> String {
    let mut written = String::new();
    for c in serde_json::Value::from(text).to_string().chars() {
        if c.is_ascii() {
            written.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                written += &format!("\\u{unit:04x}");
            }
        }
    }
    written
}

/// The path without steps that change nothing, as POSIX would walk it.
fn normal_path(path: &str) -> String {
    // Two slashes at the beginning mean something else than one or three.
    let root = match path.bytes().take_while(|byte| *byte == b'/').count() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            ".." if !root.is_empty() => {}
            step => steps.push(step),
        }
    }
    let normal = format!("{root}{}", steps.join("/"));
    if normal.is_empty() { ".".to_owned() } else { normal }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> Option<String> {
        key(name, || "key".to_owned()).err().map(|error| error.message)
    }

    #[test]
    fn a_key_is_a_path_that_cannot_be_written_shorter() {
        for good in ["a", "a b", "a/b", "a.b", "a:b-c_d", "ä", ".a", "...", "a/...", "a.."] {
            if good.starts_with("..") {
                assert!(refused(good).is_some(), "{good}");
            } else {
                assert_eq!(refused(good), None, "{good}");
            }
        }
        for (bad, normal) in [
            ("", "."),
            (".", "."),
            ("a//b", "a/b"),
            ("a/", "a"),
            ("/a", "/a"),
            ("//a", "//a"),
            ("///a", "/a"),
            ("a/../b", "b"),
            ("../a", "../a"),
            ("/../a", "/a"),
            ("a/./b", "a/b"),
        ] {
            let message = refused(bad).unwrap_or_default();
            assert!(message.ends_with(&format!("would resolve to '{normal}'")), "{bad}: {message}");
        }
    }

    #[test]
    fn what_is_no_key_is_quoted_as_python_quotes_it() {
        assert_eq!(
            refused("k\"é😀").unwrap(),
            "Invalid value \"k\\\"\\u00e9\\ud83d\\ude00\" for parameter 'key' supplied: Names may \
             only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), \
             colon(:) and slashes (/)."
        );
    }

    #[test]
    fn long_values_are_cut_at_a_character() {
        let mut value = "é".repeat(MAX_PARAM_VALUE + 1);
        param("a", &mut value, String::new).unwrap();
        assert_eq!(value, "é".repeat(MAX_PARAM_VALUE));
    }
}
