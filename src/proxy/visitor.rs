//! A cookie for callers that have none: so that they are a unit, and stay one.

use crate::{
    config::{ConfigError, Document, units},
    http::cookies::cookie,
};
use http::{HeaderMap, HeaderValue, Request, header};
use serde::Deserialize;
use std::{
    fmt::Write as _,
    hash::{BuildHasher as _, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// A cookie, by its name alone or with what is set where it is missing.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "write the name of a cookie, or a map as in { name: uid, set: { max_age: 365d } }"
)]
pub(super) enum CookieText {
    Name(String),
    Settable(Settable),
}

#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settable {
    /// Its name.
    name: String,
    /// Sets it, with a fresh random value, where a caller has none.
    #[serde(default)]
    set: Option<Attributes>,
}

/// What a cookie is set with (RFC 6265).
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Attributes {
    /// How long the caller keeps it.
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    max_age: Option<Duration>,
    /// Whether it is sent on requests that come from other sites.
    same_site: SameSite,
    /// Over TLS only.
    secure: bool,
    /// Not for scripts.
    http_only: bool,
    /// Below this path only.
    path: String,
    /// For this domain and those below it.
    domain: Option<String>,
}

#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum SameSite {
    Strict,
    Lax,
    None,
}

impl Default for Attributes {
    /// A year, for the whole site, not for scripts, not on requests that come from other sites.
    fn default() -> Self {
        Self {
            max_age: Some(Duration::from_secs(365 * 86_400)),
            same_site: SameSite::Lax,
            secure: false,
            http_only: true,
            path: "/".to_owned(),
            domain: None,
        }
    }
}

impl CookieText {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Settable(Settable { name, .. }) => name,
        }
    }

    /// `at`: its path in the document.
    pub(super) fn check(&self, document: &Document, at: &str) -> Result<(), ConfigError> {
        let name = self.name();
        if name.is_empty() || !name.bytes().all(is_token) {
            let message =
                format!("`{name}` is not a cookie's name; write letters, digits, `-` and `_`");
            return Err(document.error(at, message));
        }
        let Self::Settable(Settable { set: Some(set), .. }) = self else { return Ok(()) };
        for (key, value) in [("path", Some(&set.path)), ("domain", set.domain.as_ref())] {
            if value.is_some_and(|value| !value.bytes().all(|b| b.is_ascii_graphic() && b != b';'))
            {
                let message = "may hold neither spaces nor semicolons";
                return Err(document.error(&format!("{at}.set.{key}"), message));
            }
        }
        if matches!(set.same_site, SameSite::None) && !set.secure {
            let message = "`none` needs `secure: true`; browsers refuse the cookie otherwise";
            return Err(document.error(&format!("{at}.set.same_site"), message));
        }
        Ok(())
    }

    pub(super) fn set_cookie(&self) -> Option<SetCookie> {
        let Self::Settable(Settable { name, set: Some(set) }) = self else { return None };
        let mut attributes = format!("; Path={}", set.path);
        if let Some(domain) = &set.domain {
            let _ = write!(attributes, "; Domain={domain}");
        }
        if let Some(age) = set.max_age {
            let _ = write!(attributes, "; Max-Age={}", age.as_secs());
        }
        let _ = write!(attributes, "; SameSite={:?}", set.same_site);
        attributes += if set.secure { "; Secure" } else { "" };
        attributes += if set.http_only { "; HttpOnly" } else { "" };
        Some(SetCookie { name: name.clone(), attributes })
    }
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'!' | b'+')
}

/// The cookie that is given to whoever has none.
#[derive(Debug, Clone)]
pub(super) struct SetCookie {
    name: String,
    attributes: String,
}

/// In the extensions of a request: the cookie that its caller is about to be given.
#[derive(Debug, Clone)]
pub(super) struct Fresh {
    name: String,
    value: String,
}

impl Fresh {
    /// Its value, if it has this name.
    pub(super) fn of(&self, name: &str) -> Option<&str> {
        (self.name == name).then_some(&self.value)
    }
}

impl SetCookie {
    /// Gives the request a fresh value if it has none, and returns what its response must say.
    pub(super) fn greet<B>(&self, request: &mut Request<B>) -> Option<HeaderValue> {
        if cookie(request.headers(), &self.name).is_some_and(|value| !value.is_empty()) {
            return None;
        }
        let value = fresh();
        let header = format!("{}={value}{}", self.name, self.attributes);
        request.extensions_mut().insert(Fresh { name: self.name.clone(), value });
        // What was checked when the file was read makes a value.
        HeaderValue::from_str(&header).ok()
    }

    pub(super) fn set(headers: &mut HeaderMap, value: HeaderValue) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// 128 bits that nobody can guess: BLAKE3 of a counter, under a key drawn once per process.
fn fresh() -> String {
    // `RandomState` is seeded by the operating system, 128 bits once for each thread.
    static KEY: LazyLock<[u8; 32]> = LazyLock::new(|| {
        let mut key = blake3::Hasher::new();
        for at in 0..4_u64 {
            let drawn = std::thread::spawn(move || RandomState::new().hash_one(at));
            key.update(&drawn.join().unwrap_or(at).to_le_bytes());
        }
        key.update(&RandomState::new().hash_one(std::time::SystemTime::now()).to_le_bytes());
        *key.finalize().as_bytes()
    });
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Relaxed);
    blake3::keyed_hash(&KEY, &count.to_le_bytes()).to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_value_is_new_each_time() {
        let values: std::collections::HashSet<_> = (0..10_000).map(|_| fresh()).collect();
        assert_eq!(values.len(), 10_000);
        assert!(values.iter().all(|value| value.len() == 32));
    }
}
