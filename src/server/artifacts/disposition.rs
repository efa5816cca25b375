//! Under which name a browser keeps a download.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what RFC 5987 calls attr-char.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The value of `Content-Disposition` (RFC 6266). A name outside ASCII stands there twice, for
/// those who do not read the second form: without its other characters, and whole.
pub(super) fn attachment(name: &str) -> String {
    if name.is_ascii() {
        return format!("attachment; filename={}", quoted(name));
    }
    let ascii: String = name.chars().filter(char::is_ascii).collect();
    let ascii = if ascii.is_empty() { "download" } else { &ascii };
    format!(
        "attachment; filename={}; filename*=UTF-8''{}",
        quoted(ascii),
        utf8_percent_encode(name, ENCODED)
    )
}

/// A token as it is, anything else in quotes.
fn quoted(name: &str) -> String {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !name.is_empty() && name.chars().all(is_token) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_where_it_must_be() {
        for (name, value) in [
            ("a.json", "attachment; filename=a.json"),
            ("a b.txt", "attachment; filename=\"a b.txt\""),
            ("a\"b", "attachment; filename=\"a\\\"b\""),
            ("süß.png", "attachment; filename=s.png; filename*=UTF-8''s%C3%BC%C3%9F.png"),
            ("図", "attachment; filename=download; filename*=UTF-8''%E5%9B%B3"),
        ] {
            assert_eq!(attachment(name), value);
        }
    }
}
