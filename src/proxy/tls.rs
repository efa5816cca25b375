//! TLS, towards upstreams and towards callers.

use crate::{
    config::ConfigError,
    proxy::ExperimentFile,
    tls::{self, CertificateError, NO_CERTIFICATE, Part},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Trusts the system's roots (unless switched off) and those of `upstreams.ca_file`.
pub(super) fn client_config(file: &ExperimentFile) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    let is_needed =
        file.targets.iter().any(|(_, target)| target.scheme == http::uri::Scheme::HTTPS);
    if is_needed && file.settings.upstreams.system_roots {
        // One bad certificate in the system's store is no reason to refuse the others.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if let Some(path) = file.ca_file() {
        let wrong = |error: &dyn std::fmt::Display| {
            file.error("upstreams.ca_file", format!("{}: {error}", path.display()))
        };
        let before = roots.len();
        for certificate in CertificateDer::pem_file_iter(&path).map_err(|error| wrong(&error))? {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
        if roots.len() == before {
            return Err(wrong(&NO_CERTIFICATE));
        }
    }
    if is_needed && roots.is_empty() {
        return Err(file.error(
            "upstreams",
            "no certificate authority to trust: the system has none and `ca_file` is not set",
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| file.error("upstreams", error))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// What the listener shows its callers, if it speaks TLS. It offers HTTP/2 first.
pub(super) fn acceptor(file: &ExperimentFile) -> Result<Option<TlsAcceptor>, ConfigError> {
    let Some((certificate, key)) = file.tls() else { return Ok(None) };
    let made = tls::acceptor(&certificate, &key, &["h2", "http/1.1"]);
    made.map(Some).map_err(|error| wrong(file, "tls", &error))
}

/// A mistake in a certificate or its key, under the setting that names it.
pub(super) fn wrong(file: &ExperimentFile, setting: &str, error: &CertificateError) -> ConfigError {
    let part = match error.part {
        Part::Certificate => "certificate",
        Part::Key => "key",
    };
    file.error(&format!("{setting}.{part}"), error)
}
