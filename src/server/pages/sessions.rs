//! Browsers that have shown a token.
//!
//! What a browser keeps is no token: it reads pages, and nothing else, until it logs out or the server ends.

use super::super::doors::{TokenError, Tokens};
use http::{HeaderMap, header};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The name of the cookie.
pub(super) const COOKIE: &str = "spearmint_session";
/// Browsers that are logged in at once; with one more, the first no longer is.
const MAX_SESSIONS: usize = 1_024;

/// As hashes, the oldest first.
#[derive(Default)]
pub(super) struct Sessions(Mutex<VecDeque<blake3::Hash>>);

impl Sessions {
    /// What a browser is to keep.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub(super) fn open(&self) -> Result<String, TokenError> {
        let secret = Tokens::generate()?;
        let mut open = self.lock();
        if open.len() >= MAX_SESSIONS {
            open.pop_front();
        }
        open.push_back(blake3::hash(secret.as_bytes()));
        Ok(secret)
    }

    /// Whether a request comes from such a browser.
    pub(super) fn knows(&self, headers: &HeaderMap) -> bool {
        // (Hashes are compared in constant time.)
        hash(headers).is_some_and(|hash| self.lock().contains(&hash))
    }

    pub(super) fn end(&self, headers: &HeaderMap) {
        if let Some(hash) = hash(headers) {
            self.lock().retain(|open| *open != hash);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<blake3::Hash>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of the cookie (RFC 6265, section 4.2.1).
fn hash(headers: &HeaderMap) -> Option<blake3::Hash> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    let (_, secret) = pairs.find(|(name, _)| name.trim() == COOKIE)?;
    Some(blake3::hash(secret.trim().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())])
    }

    #[test]
    fn a_browser_is_known_until_it_logs_out() {
        let sessions = Sessions::default();
        let (one, other) = (sessions.open().unwrap(), sessions.open().unwrap());
        let cookie = |secret: &str| with(&format!("a=b; {COOKIE}={secret}; c"));
        assert!(sessions.knows(&cookie(&one)) && sessions.knows(&cookie(&other)));
        assert!(!sessions.knows(&cookie(&one[1..])) && !sessions.knows(&HeaderMap::new()));
        sessions.end(&cookie(&one));
        assert!(!sessions.knows(&cookie(&one)) && sessions.knows(&cookie(&other)));
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let sessions = Sessions::default();
        let first = sessions.open().unwrap();
        for _ in 0..MAX_SESSIONS {
            sessions.open().unwrap();
        }
        assert!(!sessions.knows(&with(&format!("{COOKIE}={first}"))));
        assert_eq!(sessions.lock().len(), MAX_SESSIONS);
    }
}
