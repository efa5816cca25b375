//! An HTTP client.

use crate::BoxError;
use reqwest::{ClientBuilder, Url};
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::Arc;

/// A client of the server at `base`; what else it should do is for the caller to say.
pub(crate) fn client(base: &Url) -> Result<ClientBuilder, BoxError> {
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .user_agent(concat!("tower-spearmint/", env!("CARGO_PKG_VERSION")))
        // A redirected POST would arrive as a GET; better to be told the right address.
        .redirect(reqwest::redirect::Policy::none());
    Ok(if is_local(base) { http.no_proxy() } else { http })
}

/// Whether the server is on this machine, where no proxy should stand between.
fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

/// TLS with ring and the system's certificates, whatever provider the process has installed or
/// not: nothing global is touched.
fn tls() -> Result<rustls::ClientConfig, BoxError> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth())
}
