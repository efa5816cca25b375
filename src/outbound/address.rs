//! An address, and the credentials that were in it.

use reqwest::Url;

/// Never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

/// Where a server is.
pub(crate) struct Address {
    /// Without credentials.
    pub(crate) url: Url,
    /// User and password, if there were some.
    pub(crate) credentials: Option<(String, Secret)>,
}

/// What is no address of an HTTP server.
#[derive(Debug)]
pub(crate) struct WrongAddress {
    /// What was said, without credentials.
    pub(crate) shown: String,
    pub(crate) reason: String,
}

impl Address {
    /// Reads `http://…` or `https://…`.
    pub(crate) fn parse(uri: &str) -> Result<Self, WrongAddress> {
        // What is not understood may hold a password all the same.
        let shown = uri.rsplit_once('@').map_or(uri, |(_, after)| after).to_owned();
        let refuse = |reason: String| WrongAddress { shown, reason };
        let mut url = match Url::parse(uri.trim()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            Ok(url) => return Err(refuse(format!("the scheme is `{}`", url.scheme()))),
            Err(error) => return Err(refuse(error.to_string())),
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => {
                Some((percent_decoded(user), Secret(percent_decoded(password.unwrap_or_default()))))
            }
        };
        // Both fail only where there is no host, and `http` always has one.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { url, credentials })
    }
}

/// `%40` is `@`.
pub(crate) fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = (byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(hex.unwrap_or(byte));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_that_encode_nothing_stay() {
        assert_eq!(percent_decoded("50%25"), "50%");
        assert_eq!(percent_decoded("%zz%4"), "%zz%4");
        assert_eq!(percent_decoded("%c3%bc"), "ü");
    }
}
