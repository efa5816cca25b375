//! The token of a request, in the two ways MLflow's client sends one.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};

/// The token of `Bearer TOKEN`, or of `Basic` as the password of whatever user.
pub(super) fn secret(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    // Of two, nobody knows which is meant.
    let value = all.next().filter(|_| all.next().is_none())?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.into());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = STANDARD.decode(credentials).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(pair[colon + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        secret(&headers).map(|secret| String::from_utf8(secret).unwrap())
    }

    #[test]
    fn a_token_is_a_bearer_or_the_password_of_anyone() {
        assert_eq!(of(&["Bearer abc"]).unwrap(), "abc");
        assert_eq!(of(&["bEARER  abc"]).unwrap(), "abc");
        // "ann:a:b"
        assert_eq!(of(&["Basic YW5uOmE6Yg=="]).unwrap(), "a:b");
    }

    #[test]
    fn what_says_no_token_or_two_has_none() {
        for values in [
            &[][..],
            &["Bearer"],
            &["Digest abc"],
            &["Basic ???"],
            &["Basic YW5u"],
            &["Bearer a", "Bearer b"],
        ] {
            assert_eq!(of(values), None, "{values:?}");
        }
    }
}
