//! TLS towards upstreams.

use crate::{BoxError, proxy::ExperimentFile};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::sync::Arc;

/// Trusts the system's roots (unless switched off) and those of `upstreams.ca_file`.
pub(super) fn client_config(file: &ExperimentFile) -> Result<ClientConfig, BoxError> {
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
        for certificate in CertificateDer::pem_file_iter(&path).map_err(|error| wrong(&error))? {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
    }
    if is_needed && roots.is_empty() {
        return Err(file
            .error(
                "upstreams",
                "no certificate authority to trust: the system has none and `ca_file` is not set",
            )
            .into());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
