//! What two HTTP answers to the same request differ in.
//!
//! [`CompareRules`] say what is compared and what is passed over. The status, chosen headers and
//! trailers are compared as they are; bodies by what they mean: their content codings are undone
//! (gzip, deflate, br, zstd), JSON is compared by its structure, server-sent events by their data
//! (completions that come in chunks by the text they add up to), NDJSON line by line, anything
//! else by its bytes.
//!
//! ```
//! use http::Response;
//! use tower_spearmint::http::{CompareRules, Settled};
//!
//! let answer = |body: &'static str| {
//!     let response = Response::builder().header("content-type", "application/json");
//!     response.body(Settled::whole(body)).unwrap()
//! };
//! let rules = CompareRules::default();
//! let primary = answer(r#"{ "id": 1, "price": 2.5, "name": "tea" }"#);
//! assert!(rules.compare(&primary, &answer(r#"{"name":"tea","price":2.50,"id":1.0}"#)).is_empty());
//!
//! let differences = rules.compare(&primary, &answer(r#"{"name":"tea","price":3,"id":7}"#));
//! let paths: Vec<_> = differences.list().iter().map(|difference| &*difference.path).collect();
//! assert_eq!(paths, ["/id", "/price"]);
//! ```
//!
//! With rules, and another header:
//!
//! ```
//! # use http::Response;
//! # use tower_spearmint::http::{CompareRules, Settled};
//! # let answer = |body: &'static str| {
//! #     let response = Response::builder().header("content-type", "application/json");
//! #     response.body(Settled::whole(body)).unwrap()
//! # };
//! use http::header;
//! use tower_spearmint::compare::Tolerance;
//!
//! let rules = CompareRules::default()
//!     .headers([header::CONTENT_TYPE, header::CACHE_CONTROL])
//!     .ignore(["/id"])?
//!     .tolerance(Tolerance::relative(1e-3))
//!     .unordered(["/tags"])?;
//! let primary = answer(r#"{ "id": 1, "price": 2.5, "tags": ["hot", "green"] }"#);
//! let shadow = answer(r#"{ "id": 7, "price": 2.501, "tags": ["green", "hot"] }"#);
//! assert!(rules.compare(&primary, &shadow).is_empty());
//! # Ok::<(), tower_spearmint::compare::PatternError>(())
//! ```
//!
//! # What is never equal
//!
//! A comparison that cannot tell says that there is a difference, at `body`: bodies that are
//! larger than what was kept of them and have other bytes, that decode to more than
//! [`max_decoded`](CompareRules::max_decoded), or whose content coding is not known or is broken.
//!
//! # Samples
//!
//! Differences carry samples of what differs, 256 bytes of each side at most. Hidden in them are
//! credentials in headers, JSON values under keys that look like secrets
//! ([`SecretKeys`]), and what [`redact`](CompareRules::redact) and
//! [`redact_headers`](CompareRules::redact_headers) name. Of text that looks like JSON and is not,
//! only sizes are shown. In any other text nothing is hidden unless the whole is: `redact([""])`.

mod body;
mod completion;
mod events;
mod headers;
mod settings;

use super::Settled;
use crate::{
    compare::{Compare, DifferenceKind, Differences, JsonRules, PatternError, Tolerance},
    config::SecretKeys,
};
use http::{HeaderName, Response, header};

/// What is compared of two HTTP answers, and what is passed over; see [the module](self).
///
/// In a file (every setting has its default if it is not there):
///
/// ```yaml
/// headers: [content-type]       # which headers are compared
/// trailers: [grpc-status]       # which trailers
/// ignore: [/id, /items/*/seen]  # JSON paths that are passed over, with all below them
/// tolerance: 1e-6               # how far apart numbers may be; or { absolute: …, relative: … }
/// tolerances: { /score: 0.01 }  # the same for some paths
/// unordered: [/tags]            # arrays whose order does not count; or `true` for all
/// redact: [/user]               # JSON paths that samples do not show
/// redact_headers: [x-user]      # headers that samples do not show, besides credentials
/// max_decoded: 1MiB             # how large a body may be when its content coding is undone
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CompareRules {
    headers: Vec<HeaderName>,
    trailers: Vec<HeaderName>,
    redact_headers: Vec<HeaderName>,
    json: JsonRules,
    secrets: SecretKeys,
    max_decoded: usize,
}

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

impl Default for CompareRules {
    fn default() -> Self {
        Self {
            headers: vec![header::CONTENT_TYPE],
            trailers: vec![GRPC_STATUS],
            redact_headers: Vec::new(),
            json: JsonRules::default(),
            secrets: SecretKeys::default(),
            max_decoded: 1 << 20,
        }
    }
}

impl CompareRules {
    /// Which headers are compared; `content-type` until then. One that stands several times is
    /// compared as a list, in order.
    #[must_use]
    pub fn headers(mut self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        self.headers = headers.into_iter().collect();
        self
    }

    /// Which trailers are compared; `grpc-status` until then. They are looked for in the headers,
    /// too: a gRPC answer without messages has them there.
    #[must_use]
    pub fn trailers(mut self, trailers: impl IntoIterator<Item = HeaderName>) -> Self {
        self.trailers = trailers.into_iter().collect();
        self
    }

    /// Passes over these JSON paths; see [`JsonRules::ignore`]. `""` passes over every body.
    ///
    /// # Errors
    ///
    /// When one is not a [`PathPattern`](crate::compare::PathPattern).
    pub fn ignore<'a>(
        mut self,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PatternError> {
        self.json = self.json.ignore(paths)?;
        Ok(self)
    }

    /// How far apart numbers in JSON may be; see [`JsonRules::tolerance`].
    #[must_use]
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.json = self.json.tolerance(tolerance);
        self
    }

    /// The same for the numbers at these paths; see [`JsonRules::tolerances`].
    ///
    /// # Errors
    ///
    /// When one is not a [`PathPattern`](crate::compare::PathPattern).
    pub fn tolerances<'a>(
        mut self,
        tolerances: impl IntoIterator<Item = (&'a str, Tolerance)>,
    ) -> Result<Self, PatternError> {
        self.json = self.json.tolerances(tolerances)?;
        Ok(self)
    }

    /// The arrays whose order does not count; see [`JsonRules::unordered`].
    ///
    /// # Errors
    ///
    /// When one is not a [`PathPattern`](crate::compare::PathPattern).
    pub fn unordered<'a>(
        mut self,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PatternError> {
        self.json = self.json.unordered(paths)?;
        Ok(self)
    }

    /// The order of no array counts (`unordered: true` in a file).
    #[must_use]
    pub fn unordered_everywhere(mut self) -> Self {
        self.json = self.json.unordered_everywhere();
        self
    }

    /// The JSON paths that samples do not show; see [`JsonRules::redact`]. `""` hides the samples
    /// of every body.
    ///
    /// # Errors
    ///
    /// When one is not a [`PathPattern`](crate::compare::PathPattern).
    pub fn redact<'a>(
        mut self,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PatternError> {
        self.json = self.json.redact(paths)?;
        Ok(self)
    }

    /// Headers and trailers that samples do not show, besides those that are credentials by their
    /// name.
    #[must_use]
    pub fn redact_headers(mut self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        self.redact_headers = headers.into_iter().collect();
        self
    }

    /// Which names of headers and keys in JSON hold secrets; [`SecretKeys::default`] until then.
    #[must_use]
    pub fn secrets(mut self, secrets: SecretKeys) -> Self {
        self.json = self.json.secrets(secrets.clone());
        self.secrets = secrets;
        self
    }

    /// How many bytes a body may have when one of its content codings is undone; 1 MiB until then.
    /// A larger one is compared by its encoded bytes alone.
    #[must_use]
    pub fn max_decoded(mut self, bytes: usize) -> Self {
        self.max_decoded = bytes;
        self
    }

    /// Whether two answers are the same in what is compared and in the bytes of their bodies.
    /// Answers that are not may be equal all the same, as [`compare`](Self::compare) says.
    ///
    /// Allocates nothing and decodes nothing: it can be asked anywhere.
    pub fn is_same(&self, primary: &Response<Settled>, shadow: &Response<Settled>) -> bool {
        primary.status() == shadow.status()
            && headers::are_same(self, primary, shadow)
            && body::are_same(primary, shadow)
    }

    /// What differs between the primary's answer and a shadow's.
    ///
    /// Nothing is allocated for answers that have the same bytes. Otherwise the time is linear in
    /// what was kept of the bodies (decoded), and the memory some ten times that, for as long as
    /// it runs: call it off the request path.
    pub fn compare(&self, primary: &Response<Settled>, shadow: &Response<Settled>) -> Differences {
        let mut out = Differences::default();
        let (a, b) = (primary.status(), shadow.status());
        if a != b {
            let (a, b) = (Some(a.as_str()), Some(b.as_str()));
            out.push("status", DifferenceKind::Changed, a, b);
        }
        headers::compare(self, primary, shadow, &mut out);
        body::compare(self, primary, shadow, &mut out);
        out
    }
}

impl Compare<Response<Settled>> for CompareRules {
    type Kept = Response<Settled>;

    fn keep(&self, answer: &Response<Settled>) -> Response<Settled> {
        let mut kept = Response::new(answer.body().clone());
        *kept.status_mut() = answer.status();
        *kept.headers_mut() = answer.headers().clone();
        kept
    }

    fn take(&self, answer: Response<Settled>) -> Response<Settled> {
        answer
    }

    fn is_same(&self, primary: &Response<Settled>, shadow: &Response<Settled>) -> bool {
        Self::is_same(self, primary, shadow)
    }

    fn compare(&self, primary: &Response<Settled>, shadow: &Response<Settled>) -> Differences {
        Self::compare(self, primary, shadow)
    }
}
