//! Where a config's requests go, and what is changed in them.

use super::{
    request_edit::JsonEdit,
    settings::{Settings, VariantSettings},
};
use crate::config::{ConfigError, Document, nearest};
use http::{
    HeaderName, HeaderValue, Uri, header,
    uri::{Authority, PathAndQuery, Scheme},
};
use serde_json::Value;
use std::fmt;

/// How many bytes of a body are read at most, to look into it or to change it, where the file does
/// not say.
pub(super) const REWRITE_LIMIT: usize = 1 << 20;

/// What says where a request ends, or is meant for one connection: setting it would make requests
/// that two readers read differently.
const FRAMING: [HeaderName; 5] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// One config's upstream, ready to use.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) host: HeaderValue,
    prefix: String,
    strip_prefix: Option<String>,
    pub(super) set_headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) remove_headers: Vec<HeaderName>,
    pub(super) json: Option<JsonEdit>,
    pub(super) rewrite_limit: usize,
    pub(super) preserve_host: bool,
    pub(super) http2: bool,
    pub(super) trace: bool,
}

impl Target {
    /// Everything that is found wrong is pushed; `None` only if something is.
    pub(super) fn read(
        document: &Document,
        at: &str,
        settings: &Settings,
        wrong: &mut Vec<ConfigError>,
    ) -> Option<Self> {
        let before = wrong.len();
        let uri = upstream(document, at).map_err(|error| wrong.push(error)).ok();
        let variant: VariantSettings = document.bind(at).map_err(|error| wrong.push(error)).ok()?;
        let request = &variant.request;
        let mut set_headers = Vec::new();
        for (name, value) in &request.headers {
            match header(document, &format!("{at}.request.headers.{name}"), name, value) {
                Ok(header) => set_headers.push(header),
                Err(error) => wrong.push(error),
            }
        }
        let remove_headers =
            names(document, &format!("{at}.request.remove_headers"), &request.remove_headers);
        let remove_headers = remove_headers.map_err(|error| wrong.push(error)).ok();
        let json = JsonEdit::new(&request.json, &request.remove_json)
            .map_err(|(key, message)| {
                wrong.push(document.error(&format!("{at}.request.{key}"), message));
            })
            .ok();
        for (key, prefix) in
            [("strip_prefix", &request.path.strip_prefix), ("add_prefix", &request.path.add_prefix)]
        {
            let path = format!("{at}.request.path.{key}");
            wrong.extend(prefix.as_deref().and_then(|prefix| bad_prefix(document, &path, prefix)));
        }
        let parts = uri?.into_parts();
        let host = parts
            .authority
            .as_ref()
            .and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
        let Some((authority, host)) = parts.authority.zip(host) else {
            wrong.push(document.error(&format!("{at}.upstream"), "no host"));
            return None;
        };
        if wrong.len() > before {
            return None;
        }
        let base =
            parts.path_and_query.as_ref().map_or("", PathAndQuery::path).trim_end_matches('/');
        let added = request.path.add_prefix.as_deref().unwrap_or("").trim_end_matches('/');
        Some(Self {
            host,
            scheme: parts.scheme.unwrap_or(Scheme::HTTP),
            authority,
            prefix: format!("{base}{added}"),
            strip_prefix: request
                .path
                .strip_prefix
                .as_deref()
                .map(|p| p.trim_end_matches('/').to_owned()),
            set_headers,
            remove_headers: remove_headers?,
            json: json?,
            rewrite_limit: settings.rewrite_limit.unwrap_or(REWRITE_LIMIT),
            preserve_host: settings.upstreams.preserve_host,
            http2: settings.upstreams.http2,
            trace: settings.trace,
        })
    }

    /// The address of this upstream itself.
    pub(super) fn address(&self) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        // All three are there.
        Uri::from_parts(parts).unwrap_or_default()
    }

    /// What a request for `original` is a request for at this upstream: over HTTP/1 a path, over
    /// HTTP/2 a whole address.
    pub(super) fn uri(&self, original: &Uri) -> Result<Uri, http::Error> {
        let asked = original.path_and_query();
        let path_and_query = if self.prefix.is_empty() && self.strip_prefix.is_none() {
            asked.cloned().unwrap_or_else(|| PathAndQuery::from_static("/"))
        } else {
            self.rewritten(asked.map_or("/", PathAndQuery::as_str)).parse::<PathAndQuery>()?
        };
        if !self.http2 {
            return Ok(Uri::from(path_and_query));
        }
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path_and_query);
        Ok(Uri::from_parts(parts)?)
    }

    fn rewritten(&self, asked: &str) -> String {
        let rest = match &self.strip_prefix {
            // `/api` takes its part off `/api/x` and `/api`, but not off `/apiary`.
            Some(strip) => asked
                .strip_prefix(strip.as_str())
                .filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
                .unwrap_or(asked),
            None => asked,
        };
        let slash = if rest.starts_with('/') { "" } else { "/" };
        format!("{}{slash}{rest}", self.prefix)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

fn upstream(document: &Document, at: &str) -> Result<Uri, ConfigError> {
    let path = format!("{at}.upstream");
    let config = document.get(at);
    let text = match config.and_then(|config| config.get("upstream")) {
        Some(Value::String(text)) => text,
        Some(other) => {
            return Err(document.error(
                &path,
                format!("{other} is not an address; write one as in http://127.0.0.1:9001"),
            ));
        }
        None => {
            let keys = config.and_then(Value::as_object).into_iter().flat_map(|map| map.keys());
            let hint = nearest("upstream", keys.map(String::as_str))
                .map(|key| format!(" (`{key}` is close; is that what was meant?)"))
                .unwrap_or_default();
            return Err(document.error(
                &path,
                format!(
                    "not set; write the address of this config's service, as in \
                     `upstream: http://127.0.0.1:9001`{hint}"
                ),
            ));
        }
    };
    let wrong = |why: &str| {
        document.error(&path, format!("`{text}` {why}; write one as in http://127.0.0.1:9001"))
    };
    let uri: Uri = text.parse().map_err(|_| wrong("is not an address"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("does not begin with http:// or https://"));
    }
    if uri.query().is_some() {
        return Err(wrong("has a query"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        // The text itself is not repeated: it has a password in it.
        return Err(document.error(
            &path,
            "has a user name or password; set the header under `request.headers` instead",
        ));
    }
    if uri.authority().is_some_and(|a| a.as_str() != a.host() && a.port_u16().is_none()) {
        return Err(wrong("has a port that is none"));
    }
    Ok(uri)
}

/// A header that a variant sets.
fn header(
    document: &Document,
    path: &str,
    name: &str,
    value: &str,
) -> Result<(HeaderName, HeaderValue), ConfigError> {
    let value = HeaderValue::from_str(value).map_err(|_| {
        document.error(path, "not a header value; only visible characters and spaces are")
    })?;
    let name = header_name(document, path, name)?;
    if FRAMING.contains(&name) {
        return Err(document.error(
            path,
            format!("`{name}` cannot be set: the proxy says itself where a request ends"),
        ));
    }
    Ok((name, value))
}

fn bad_prefix(document: &Document, path: &str, prefix: &str) -> Option<ConfigError> {
    if !prefix.starts_with('/') {
        let message = format!("`{prefix}` does not begin with a slash; write `/{prefix}`");
        return Some(document.error(path, message));
    }
    // The parser passes over what comes after a `#`.
    let is_path = |path: PathAndQuery| path.query().is_none() && path.path() == prefix;
    let message = || format!("`{prefix}` is not a path; write one as in /v2, with %20 for a space");
    (!prefix.parse().is_ok_and(is_path)).then(|| document.error(path, message()))
}

pub(super) fn names(
    document: &Document,
    path: &str,
    names: &[String],
) -> Result<Vec<HeaderName>, ConfigError> {
    names
        .iter()
        .enumerate()
        .map(|(at, name)| header_name(document, &format!("{path}[{at}]"), name))
        .collect()
}

pub(super) fn header_name(
    document: &Document,
    path: &str,
    name: &str,
) -> Result<HeaderName, ConfigError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| document.error(path, format!("`{name}` is not a header name")))
}
