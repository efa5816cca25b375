//! The config that a tester asks for.

use super::cookies::cookie;
use crate::assign::Testers;
use http::{HeaderName, Request};
use std::borrow::Cow;

/// Where a tester's request names the config it wants: for
/// [`RoundRobinLayer::testers`](crate::round_robin::GenericRoundRobinLayer::testers).
///
/// ```
/// use http::{HeaderName, Request};
/// use tower_spearmint::{assign::Testers, http::Asked};
///
/// let asked = Asked::header(HeaderName::from_static("x-spearmint-variant"));
/// let request = Request::get("/").header("x-spearmint-variant", "candidate").body(())?;
/// assert_eq!(asked.wanted(&request).as_deref(), Some("candidate"));
/// assert_eq!(Asked::cookie("variant").wanted(&request), None);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Asked(Source);

#[derive(Debug, Clone)]
enum Source {
    Header(HeaderName),
    Cookie(String),
}

impl Asked {
    /// In a header.
    pub const fn header(name: HeaderName) -> Self {
        Self(Source::Header(name))
    }

    /// In a cookie.
    pub fn cookie(name: impl Into<String>) -> Self {
        Self(Source::Cookie(name.into()))
    }
}

impl<B> Testers<Request<B>> for Asked {
    fn wanted<'a>(&self, request: &'a Request<B>) -> Option<Cow<'a, str>> {
        let headers = request.headers();
        let wanted = match &self.0 {
            Source::Header(name) => headers.get(name)?.to_str().ok()?,
            Source::Cookie(name) => std::str::from_utf8(cookie(headers, name)?).ok()?,
        };
        Some(Cow::Borrowed(wanted.trim()))
    }
}
