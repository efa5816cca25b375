//! What browsers are told: of answers, and before they ask.

use super::Doors;
use crate::server::reply::{Body, Reply};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts};

/// How long a browser may remember that it may ask, in seconds.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

impl Doors {
    /// The site whose page asks, if it was let in by name.
    pub(in crate::server) fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        origin.to_str().is_ok_and(|origin| self.allows(origin)).then(|| origin.clone())
    }

    /// The answer to a browser that asks whether it may ask (WHATWG Fetch, CORS-preflight). Such a
    /// request carries no token.
    pub(in crate::server) fn preflight(&self, head: &Parts) -> Option<Response<Body>> {
        let asked = head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if head.method != Method::OPTIONS || !asked {
            return None;
        }
        self.allowed_origin(&head.headers)?;
        let mut response = Reply::empty().with_status(StatusCode::NO_CONTENT).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        let methods = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let names = HeaderValue::from_static("authorization, content-type");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED);
        Some(response)
    }

    /// What stands on every answer: nothing of a store is kept by a browser, taken for something
    /// that it is not, or shown within another site.
    pub(in crate::server) fn mark(
        &self,
        origin: Option<HeaderValue>,
        response: &mut Response<Body>,
    ) {
        let is_unauthenticated = response.status() == StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        if is_unauthenticated {
            for challenge in [r#"Basic realm="spearmint""#, r#"Bearer realm="spearmint""#] {
                headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
        }
        let no_store = HeaderValue::from_static("no-store");
        headers.entry(header::CACHE_CONTROL).or_insert(no_store);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let same_origin = HeaderValue::from_static("same-origin");
        headers.insert("cross-origin-resource-policy", same_origin);
        if !self.origins.is_empty() {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
    }
}
