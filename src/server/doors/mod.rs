//! Who is let in, before a call is looked for.
//!
//! A server that only this machine reaches asks nobody who they are; any other does
//! ([`Tokens`]). Programs are not the only ones that reach this machine: pages in its browsers
//! do, too. So without tokens a request has to name its host by an address, `localhost` or a
//! name that was allowed, and what could change something must not come from a page of another
//! site, whoever asks.

mod address;
mod authorization;
mod cors;
mod token;

pub use address::ServeError;
pub use token::{Access, TokenError, Tokens};

use super::error::{ApiError, ErrorCode};
use crate::same_site;
use http::{HeaderMap, Method, header, request::Parts};

/// The most bytes of a head: its path, its query and its headers. (What is larger still, or has
/// more than 100 headers, hyper refuses before anyone sees it.)
const MAX_HEAD: usize = 64 * 1024;

/// The rules of a server.
#[derive(Debug, Clone, Default)]
pub(super) struct Doors {
    /// None: nobody is asked.
    pub(super) tokens: Tokens,
    /// Names under which it may be asked, in lower case, without ports.
    pub(super) hosts: Vec<String>,
    /// Sites whose pages may ask.
    pub(super) origins: Vec<String>,
}

impl Doors {
    /// What a request may do.
    ///
    /// # Errors
    ///
    /// When it is not let in.
    pub(super) fn pass(&self, head: &Parts) -> Result<Access, ApiError> {
        self.enter(head)?;
        self.identify(head)
    }

    /// Whether a request is one that anybody may send, whoever it is.
    ///
    /// # Errors
    ///
    /// When it is not let in.
    pub(super) fn enter(&self, head: &Parts) -> Result<(), ApiError> {
        bounded(head)?;
        if self.tokens.is_empty() || !self.hosts.is_empty() {
            self.check_host(&head.headers)?;
        }
        if !matches!(head.method, Method::GET | Method::HEAD) {
            self.check_site(&head.headers)?;
        }
        Ok(())
    }

    /// What the token of a request lets it do.
    ///
    /// # Errors
    ///
    /// When it has none that is known here.
    pub(super) fn identify(&self, head: &Parts) -> Result<Access, ApiError> {
        if self.tokens.is_empty() {
            return Ok(Access::ReadWrite);
        }
        let secret = authorization::secret(&head.headers).ok_or_else(|| {
            unauthenticated(
                "this server asks for a token: set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME \
                 to any name and MLFLOW_TRACKING_PASSWORD to the token",
            )
        })?;
        self.tokens.access(&secret).ok_or_else(|| unauthenticated("this token is not known here"))
    }

    fn check_host(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(host) = same_site::host(headers) else {
            return Err(ApiError::new(ErrorCode::BadRequest, "a request has one Host header"));
        };
        let name = host.host();
        let is_allowed = || self.hosts.iter().any(|allowed| name.eq_ignore_ascii_case(allowed));
        if same_site::is_address(&host) || is_allowed() {
            return Ok(());
        }
        Err(denied(format!(
            "this server is not known as {name}: ask for it by its address, or start it with \
             --allow-host {name}"
        )))
    }

    /// A browser says whose page asks. Programs say nothing.
    fn check_site(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let not_ours = || {
            Err(denied(
                "pages of other sites change nothing here; start the server with --allow-origin to \
                 let them",
            ))
        };
        let host = same_site::host(headers);
        let mut origins = headers.get_all(header::ORIGIN).iter().peekable();
        if origins.peek().is_none() {
            // Older browsers leave out an origin; what the newer say instead is no less true.
            let site = headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes);
            return match site {
                Some(b"cross-site" | b"same-site") => not_ours(),
                _ => Ok(()),
            };
        }
        let is_ours = |origin: &str| {
            host.as_ref()
                .is_some_and(|host| same_site::is_origin_of(host, &["http", "https"], origin))
        };
        let mut origins = origins.map(|origin| origin.to_str().unwrap_or_default());
        if origins.all(|origin| is_ours(origin) || self.allows(origin)) {
            return Ok(());
        }
        not_ours()
    }

    /// Whether pages of this site were let in by name.
    fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| allowed == origin)
    }
}

fn bounded(head: &Parts) -> Result<(), ApiError> {
    let path = head.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let headers = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    if path + headers.sum::<usize>() <= MAX_HEAD {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::HeadTooLarge,
        format!("the path and the headers of a request have at most {MAX_HEAD} bytes"),
    ))
}

/// A token that only reads was sent with a call that writes.
pub(super) fn only_reads() -> ApiError {
    denied("this token only reads")
}

fn denied(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::PermissionDenied, message)
}

fn unauthenticated(message: &str) -> ApiError {
    ApiError::new(ErrorCode::Unauthenticated, message)
}
