//! Where MLflow is, and how to say who we are.

use super::MlflowError;
use reqwest::{RequestBuilder, Url};
use std::fmt;

/// The address of a server, without credentials, and the credentials that were in it.
pub(super) fn parse(uri: &str) -> Result<(Url, Auth), MlflowError> {
    // What is not understood may hold a password all the same.
    let shown = uri.rsplit_once('@').map_or(uri, |(_, after)| after).to_owned();
    let refuse = |reason: String| MlflowError::Address { uri: shown, reason };
    let mut url = match Url::parse(uri.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        Ok(url) => return Err(refuse(format!("the scheme is `{}`", url.scheme()))),
        Err(error) => return Err(refuse(error.to_string())),
    };
    let auth = match (url.username(), url.password()) {
        ("", None) => Auth::None,
        (user, password) => Auth::Basic(decode(user), Secret(decode(password.unwrap_or_default()))),
    };
    // Both fail only where there is no host, and `http` always has one.
    let _ = (url.set_username(""), url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    Ok((url, auth))
}

/// Whether the server is on this machine, where no proxy should stand between.
pub(super) fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

/// `%40` is `@`.
fn decode(text: &str) -> String {
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

/// Never shown.
#[derive(Clone)]
pub(super) struct Secret(pub(super) String);

/// Who we are to the server.
#[derive(Clone)]
pub(super) enum Auth {
    None,
    Basic(String, Secret),
    Bearer(Secret),
}

impl Auth {
    pub(super) fn add_to(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::None => request,
            Self::Basic(user, password) => request.basic_auth(user, Some(&password.0)),
            Self::Bearer(token) => request.bearer_auth(&token.0),
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Basic(..) => "basic [redacted]",
            Self::Bearer(_) => "bearer [redacted]",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_the_address() {
        let (url, auth) = parse("https://ann:p%40ss@ml.example/base/").unwrap();
        assert_eq!(url.as_str(), "https://ml.example/base/");
        assert!(matches!(&auth, Auth::Basic(user, Secret(p)) if user == "ann" && p == "p@ss"));
        assert_eq!(format!("{auth:?}"), "basic [redacted]");
    }

    #[test]
    fn an_address_of_something_else_is_refused_without_its_password() {
        for uri in [
            "sqlite:///mlflow.db",
            "ftp://u:hidden@host/",
            "u:hidden@host:80:80",
            "http://u:hidden@",
            "./runs",
        ] {
            let error = parse(uri).unwrap_err().to_string();
            assert!(error.contains("expected http://"), "{error}");
            assert!(!error.contains("hidden"), "{error}");
        }
    }

    #[test]
    fn percent_signs_that_encode_nothing_stay() {
        assert_eq!(decode("50%25"), "50%");
        assert_eq!(decode("%zz%4"), "%zz%4");
        assert_eq!(decode("%c3%bc"), "ü");
    }
}
