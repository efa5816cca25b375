//! Where the key of a unit is found.

use super::target::header_name;
use crate::{
    assign::UnitKey,
    config::{ConfigError, Document},
};
use http::{HeaderName, Request, header};
use serde::Deserialize;
use std::borrow::Cow;

/// A unit is told by a header or by a cookie, and `salt` (the name of the experiment, if there is
/// none) says which.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct UnitSettings {
    /// Two experiments with one salt draw alike [default: the name of the experiment].
    #[serde(default)]
    pub(super) salt: Option<String>,
    /// Where the key of a unit is found.
    pub(super) key: UnitKeySource,
}

/// Where the key of a unit is found, in a file.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum UnitKeySource {
    /// The value of this header.
    Header(String),
    /// The value of this cookie.
    Cookie(String),
}

/// The same, checked.
#[derive(Debug, Clone)]
pub(super) enum KeySource {
    Header(HeaderName),
    Cookie(String),
}

impl KeySource {
    /// `at`: the path of `source` in the document.
    pub(super) fn new(
        document: &Document,
        at: &str,
        source: &UnitKeySource,
    ) -> Result<Self, ConfigError> {
        Ok(match source {
            UnitKeySource::Header(name) => {
                Self::Header(header_name(document, &format!("{at}.header"), name)?)
            }
            UnitKeySource::Cookie(name) => Self::Cookie(name.clone()),
        })
    }
}

impl<B> UnitKey<Request<B>> for KeySource {
    fn unit_key<'a>(&self, request: &'a Request<B>) -> Option<Cow<'a, [u8]>> {
        let headers = request.headers();
        let key = match self {
            Self::Header(name) => headers.get(name)?.as_bytes(),
            Self::Cookie(name) => headers
                .get_all(header::COOKIE)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(';'))
                .filter_map(|pair| pair.trim().split_once('='))
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_bytes())?,
        };
        Some(Cow::Borrowed(key))
    }
}
