//! Which paths an artifact may have.

use crate::server::error::ApiError;
use percent_encoding::percent_decode_str;

/// Bytes of one name between slashes: the most that file systems take, for those who download.
const MAX_NAME: usize = 255;
/// Bytes of a whole path.
const MAX_PATH: usize = 4_096;
/// A path may have been encoded so many times.
const MAX_DECODED: usize = 10;

/// The path that is meant, in its plain form, without slashes at its ends; empty for the root.
///
/// As MLflow does, it is decoded until nothing changes, and refused when it leads out of where it
/// starts. Refused besides is what MLflow takes on some systems only, or escapes: backslashes and
/// control characters.
///
/// # Errors
///
/// Whatever could lead elsewhere, here or where it is downloaded to.
pub(super) fn plain(path: &str) -> Result<String, ApiError> {
    let path = decoded(path)?;
    if path.starts_with('/') || path.starts_with("file:") || names_drive(&path) {
        return Err(invalid());
    }
    // (A replacement character is what is left of bytes that were no UTF-8.)
    if path.contains(|c: char| c.is_control() || matches!(c, '\\' | '#' | '\u{fffd}')) {
        return Err(invalid());
    }
    let mut plain = String::with_capacity(path.len());
    for name in path.split('/').filter(|name| !matches!(*name, "" | ".")) {
        if name == ".." {
            return Err(invalid());
        }
        if name.len() > MAX_NAME {
            return Err(ApiError::invalid(format!(
                "Invalid path: a name in it has {} bytes; it may have {MAX_NAME}",
                name.len()
            )));
        }
        if !plain.is_empty() {
            plain.push('/');
        }
        plain.push_str(name);
    }
    if plain.len() > MAX_PATH {
        return Err(ApiError::invalid(format!(
            "Invalid path: it has {} bytes; it may have {MAX_PATH}",
            plain.len()
        )));
    }
    Ok(plain)
}

/// The path of a file to be: as [`plain`], and it must be written in its plain form.
///
/// # Errors
///
/// As [`plain`], and when it names a directory, or could be written more plainly.
pub(super) fn of_file(path: &str) -> Result<String, ApiError> {
    let plain = plain(path)?;
    let written = decoded(path)?;
    if written.is_empty() || written.ends_with('/') {
        return Err(ApiError::invalid(
            "Artifact path must include a filename (cannot end with '/').",
        ));
    }
    if plain != written {
        return Err(ApiError::invalid(format!(
            "Invalid artifact path: '{written}'. Names may be treated as files in certain cases, \
             and must not resolve to other names when treated as such. This name would resolve to \
             '{plain}'"
        )));
    }
    Ok(plain)
}

/// One below the other; either may be empty.
pub(super) fn join(root: &str, path: &str) -> String {
    match (root, path) {
        (root, "") => root.to_owned(),
        ("", path) => path.to_owned(),
        (root, path) => format!("{root}/{path}"),
    }
}

/// The last name of a path.
pub(super) fn last(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn decoded(path: &str) -> Result<String, ApiError> {
    let mut path = path.to_owned();
    for _ in 0..MAX_DECODED {
        let again = percent_decode_str(&path).decode_utf8().map_err(|_| invalid())?;
        if again == path {
            return Ok(path);
        }
        path = again.into_owned();
    }
    Err(invalid())
}

/// `C:/…` is absolute on Windows.
fn names_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic())
}

/// In MLflow's words.
fn invalid() -> ApiError {
    ApiError::invalid("Invalid path")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_in_its_plain_form() {
        for (written, meant) in [
            ("", ""),
            (".", ""),
            ("a", "a"),
            ("a/b.txt", "a/b.txt"),
            ("a//b/./c/", "a/b/c"),
            ("a%20b", "a b"),
            ("100%", "100%"),
            ("über/図.png", "über/図.png"),
            ("..a/b..", "..a/b.."),
            ("C:x", "C:x"),
        ] {
            assert_eq!(plain(written).unwrap(), meant, "{written:?}");
        }
    }

    #[test]
    fn a_path_that_could_lead_elsewhere_is_refused() {
        let deep = format!("%{}2e%{}2e/x", "25".repeat(8), "25".repeat(8));
        for written in [
            "..",
            "a/../b",
            "a/..",
            "%2e%2e/x",
            "%252e%252e/x",
            &deep,
            &format!("%{}41", "25".repeat(20)),
            "/etc/passwd",
            "%2fetc/passwd",
            "\\\\host\\share",
            "a\\..\\b",
            "a%5cb",
            "C:/x",
            "file:///etc/passwd",
            "a\0b",
            "a%00b",
            "a\nb",
            "a#b",
            "a/%ff",
        ] {
            assert_eq!(plain(written).unwrap_err().message, "Invalid path", "{written:?}");
        }
    }

    #[test]
    fn names_and_paths_have_a_longest_length() {
        assert!(plain(&"n".repeat(MAX_NAME)).is_ok());
        assert!(plain(&"n".repeat(MAX_NAME + 1)).is_err());
        assert!(plain(&"n/".repeat(MAX_PATH / 2)).is_ok());
        assert!(plain(&"nn/".repeat(MAX_PATH / 2)).is_err());
    }

    #[test]
    fn a_new_file_is_named_plainly() {
        assert_eq!(of_file("a/b").unwrap(), "a/b");
        for written in ["", "a/", "a//b", "./a", "a/./b", "a/."] {
            assert!(of_file(written).is_err(), "{written:?}");
        }
    }
}
