//! Where MLflow is, and how to say who we are.

use super::MlflowError;
use crate::outbound::Address;
pub(super) use crate::outbound::Secret;
use reqwest::{RequestBuilder, Url};
use std::fmt;

/// The address of a server, without credentials, and the credentials that were in it.
pub(super) fn parse(uri: &str) -> Result<(Url, Auth), MlflowError> {
    let Address { url, credentials } = Address::parse(uri)
        .map_err(|wrong| MlflowError::Address { uri: wrong.shown, reason: wrong.reason })?;
    let auth = credentials.map_or(Auth::None, |(user, password)| Auth::Basic(user, password));
    Ok((url, auth))
}

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
}
