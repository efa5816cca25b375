//! What a server shows its clients over TLS.

use crate::tls::{self, CertificateError};
use std::{fmt, path::Path};
use tokio_rustls::TlsAcceptor;

/// A chain of certificates and its key, for [`MlflowServer::tls`](super::MlflowServer::tls).
#[derive(Clone)]
pub struct ServerCertificate(TlsAcceptor);

impl ServerCertificate {
    /// Reads them from two PEM files. Blocks.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read, or they do not belong together.
    pub fn from_files(
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, CertificateError> {
        tls::acceptor(certificate.as_ref(), key.as_ref(), &["http/1.1"]).map(Self)
    }

    pub(super) fn acceptor(self) -> TlsAcceptor {
        self.0
    }
}

/// Nothing of the key.
impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCertificate").finish_non_exhaustive()
    }
}
