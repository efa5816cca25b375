//! Which requests are meant.

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

/// Requests by their path and headers. What is not set matches all.
///
/// ```
/// use http::{HeaderMap, HeaderName, Uri};
/// use tower_spearmint::http::RequestMatch;
///
/// let rank = RequestMatch::new().path("/rank").path("/v2/*");
/// let none = HeaderMap::new();
/// assert!(rank.matches(&Uri::from_static("/v2/rank?q=1"), &none));
/// assert!(!rank.matches(&Uri::from_static("/ranking"), &none));
///
/// let beta = rank.has_header(HeaderName::from_static("x-beta"));
/// assert!(!beta.matches(&Uri::from_static("/rank"), &none));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestMatch {
    paths: Vec<String>,
    headers: Vec<(HeaderName, Wanted)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    There,
    NotThere,
    Is(HeaderValue),
}

impl RequestMatch {
    /// All requests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests with this path, or one of several: exactly, or with a `*` at the end all that begin
    /// so.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Requests that have this header, whatever its value.
    #[must_use]
    pub fn has_header(mut self, name: HeaderName) -> Self {
        self.headers.push((name, Wanted::There));
        self
    }

    /// Requests that do not have this header.
    #[must_use]
    pub fn lacks_header(mut self, name: HeaderName) -> Self {
        self.headers.push((name, Wanted::NotThere));
        self
    }

    /// Requests that have this header with this value.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, Wanted::Is(value)));
        self
    }

    /// Whether a request is meant: by one of the paths, and by all of the headers.
    pub fn matches(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        (self.paths.is_empty() || self.paths.iter().any(|path| is_path(path, uri.path())))
            && self.headers.iter().all(|(name, wanted)| wanted.fits(headers, name))
    }
}

impl Wanted {
    pub(super) fn fits(&self, headers: &HeaderMap, name: &HeaderName) -> bool {
        match self {
            Self::There => headers.contains_key(name),
            Self::NotThere => !headers.contains_key(name),
            Self::Is(value) => headers.get_all(name).iter().any(|found| found == value),
        }
    }
}

pub(super) fn is_path(pattern: &str, path: &str) -> bool {
    pattern.strip_suffix('*').map_or(path == pattern, |prefix| path.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_paths_and_all_of_the_headers_must_fit() {
        let name = HeaderName::from_static;
        let beta = RequestMatch::new()
            .path("/a")
            .path("/b/*")
            .header(name("x-team"), HeaderValue::from_static("red"))
            .lacks_header(name("x-internal"));
        let fits = |path: &'static str, headers: &[(&'static str, &'static str)]| {
            let headers =
                headers.iter().map(|(key, value)| (name(key), HeaderValue::from_static(value)));
            beta.matches(&Uri::from_static(path), &headers.collect())
        };
        assert!(fits("/a", &[("x-team", "red")]));
        assert!(fits("/b/c?x", &[("x-team", "red")]));
        assert!(!fits("/b", &[("x-team", "red")]));
        assert!(!fits("/a/", &[("x-team", "red")]));
        assert!(!fits("/a", &[("x-team", "blue")]));
        assert!(!fits("/a", &[]));
        assert!(!fits("/a", &[("x-team", "red"), ("x-internal", "1")]));
    }
}
