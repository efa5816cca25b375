//! What a listener that speaks TLS shows its callers, from files.

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_rustls::TlsAcceptor;

pub(crate) const NO_CERTIFICATE: &str = "no certificate in PEM in it";

/// Why a certificate and its key cannot be used. Neither is quoted.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
#[cfg_attr(not(feature = "server"), expect(unreachable_pub, reason = "the server shows it"))]
pub struct CertificateError {
    pub(crate) part: Part,
    path: PathBuf,
    why: String,
}

/// Which of the two files is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Certificate,
    Key,
}

/// A chain of certificates and its key, as PEM. It offers these protocols (ALPN), the first first.
/// Blocks.
pub(crate) fn acceptor(
    certificate: &Path,
    key: &Path,
    protocols: &[&str],
) -> Result<TlsAcceptor, CertificateError> {
    let wrong = |part, why: &dyn fmt::Display| {
        let path = match part {
            Part::Certificate => certificate,
            Part::Key => key,
        };
        CertificateError { part, path: path.to_owned(), why: why.to_string() }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(Part::Certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(Part::Certificate, &NO_CERTIFICATE));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(Part::Key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(Part::Key, &error))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| wrong(Part::Key, &error))?;
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}
