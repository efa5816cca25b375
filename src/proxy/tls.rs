//! TLS, towards upstreams and towards callers.

use crate::{config::ConfigError, proxy::ExperimentFile};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{path::Path, sync::Arc};
use tokio_rustls::TlsAcceptor;

const NO_CERTIFICATE: &str = "no certificate in PEM in it";

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
    let wrong = |part: &str, path: &Path, error: &dyn std::fmt::Display| {
        file.error(&format!("tls.{part}"), format!("{}: {error}", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong("certificate", &certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong("certificate", &certificate, &NO_CERTIFICATE));
    }
    let private = PrivateKeyDer::from_pem_file(&key).map_err(|error| wrong("key", &key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| file.error("tls", error))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| wrong("key", &key, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
